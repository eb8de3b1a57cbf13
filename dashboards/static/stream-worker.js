// Shares one stream among all pages of a browser: it allows six connections per host, and officers open many tabs.

import { openStream } from "./stream.js";

/** News kept for pages whose snapshot is older than the stream's place. */
const KEPT = 500;

/** @type {Set<MessagePort>} */
const pages = new Set();
/** @type {import("./stream.js").News[]} */
const kept = [];
/** The change from which `kept` is complete. */
let since = 0;
let state = "lost";
/** @type {ReturnType<typeof openStream> | undefined} */
let stream;

/** @param {import("./stream.js").News} news */
function deliver(news) {
  if (news.kind === "open" || news.kind === "lost") state = news.kind;
  else if (news.kind === "resync") {
    kept.length = 0;
    since = news.id;
  } else if (news.id) {
    kept.push(news);
    if (kept.length > KEPT) since = /** @type {import("./stream.js").News} */ (kept.shift()).id;
  }
  for (const page of pages) page.postMessage(news);
}

/**
 * Let a page in and give it what it missed.
 * @param {MessagePort} page
 * @param {number} after
 */
function enter(page, after) {
  pages.add(page);
  if (!stream) {
    kept.length = 0;
    since = after;
    stream = openStream(after, deliver);
    return;
  }
  page.postMessage({ kind: state, data: null, id: 0 });
  if (after < since) page.postMessage({ kind: "resync", data: {}, id: since });
  else for (const news of kept) if (news.id > after) page.postMessage(news);
}

/** @param {MessagePort} page */
function leave(page) {
  pages.delete(page);
  if (pages.size) return;
  stream?.close();
  stream = undefined;
}

const scope = /** @type {any} */ (globalThis);
scope.onconnect = (/** @type {MessageEvent} */ event) => {
  const page = event.ports[0];
  page.onmessage = ({ data }) => (data.leave ? leave(page) : enter(page, data.after));
};
