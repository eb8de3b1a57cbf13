// The field app without a network: the page from this release's own cache, sending when the network is back, notifications.

import { flush } from "./field-send.js";
import { kept } from "./field-store.js";

// The console writes this line anew (dashboards/field_app.py): a new release is a new text, which browsers look for.
const RELEASE = { version: "", shells: {}, files: [] };

const OURS = "fenghuo-field-";
const CACHE = OURS + RELEASE.version;
const PATIENCE_MS = 3000;
const SYNC = "fenghuo-send";

/** The worker's own scope: the type checker knows the page's only. @type {any} */
const worker = self;
/** @type {Record<string, string>} */
const shells = RELEASE.shells;

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));

/** Fetch all of this release, past the browser's own cache where an address does not change with its content. */
async function install() {
  const cache = await caches.open(CACHE);
  const fresh = Object.values(shells).map((path) => new Request(path, { cache: "reload" }));
  await cache.addAll([...RELEASE.files, ...fresh]);
  await worker.skipWaiting(); // an older release's worker leaves at once: what it kept, this one keeps too
}

worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activate()));

/** Take over from an older release: its cache goes, what waits to be sent stays, open pages hear of it and come anew. */
async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && name !== CACHE) await caches.delete(name);
  }
  await worker.clients.claim();
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/field") event.respondWith(page(event, url));
  else if (RELEASE.files.includes(/** @type {never} */ (url.pathname + url.search))) event.respondWith(file(request));
});

/** @param {Request} request */
async function file(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request.url)) ?? fetch(request);
}

/**
 * Show the page: the server's, since it knows whether somebody is signed in; ours when it does not answer in time.
 * @param {any} event
 * @param {URL} url
 */
async function page(event, url) {
  const answer = fetch(event.request).catch(() => null);
  const waited = new Promise((done) => setTimeout(() => done(null), PATIENCE_MS));
  const first = await Promise.race([answer, waited]);
  if (first && first.status < 500) return first;
  const wanted = url.searchParams.get("lang") ?? (await kept("language")) ?? "zh";
  const cache = await caches.open(CACHE);
  return (await cache.match(shells[wanted] ?? shells.zh)) ?? (await answer) ?? Response.error();
}

worker.addEventListener("sync", (/** @type {any} */ event) => {
  if (event.tag === SYNC) event.waitUntil(sendAll());
});

/** Send what waits; what is left makes the browser try again by itself. */
async function sendAll() {
  const { why } = await flush();
  for (const client of await worker.clients.matchAll()) client.postMessage({ kind: "sent" });
  if (why === "offline" || why === "busy") throw new Error(why);
}

worker.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(notify(event.data)));

/** Show what the responder sent (responders/channels/push.py). @param {any} data */
async function notify(data) {
  const told = data?.json() ?? {};
  await worker.registration.showNotification(told.title ?? "烽火", {
    body: told.body ?? "",
    tag: told.tag,
    data: { incident: told.incident ?? "" },
    icon: RELEASE.files.find((path) => String(path).endsWith("field-192.png")),
    requireInteraction: told.grade <= 2,
    renotify: Boolean(told.tag),
  });
  for (const client of await worker.clients.matchAll()) client.postMessage({ kind: "told" });
}

worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.incident));
});

/** Open the task: in the app where it stands open, else in a new one. @param {string} incident */
async function open(incident) {
  const path = incident ? `/field?case=${encodeURIComponent(incident)}` : "/field";
  for (const client of await worker.clients.matchAll({ type: "window" })) {
    if (new URL(client.url).pathname === "/field") {
      client.postMessage({ kind: "open", incident });
      return client.focus();
    }
  }
  return worker.clients.openWindow(path);
}
