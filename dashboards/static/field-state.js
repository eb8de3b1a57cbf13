// What the field app knows: the day as the server last told it, what waits on this phone, and whether there is a network.

import { flush } from "./field-send.js";
import { enqueue, keep, kept, persist, queued } from "./field-store.js";
import { newKey } from "./api.js";
import { computed, signal } from "./lib.js";
import { t } from "./words.js";

/**
 * @typedef {{code: string, name: string, name_en: string}} Area
 * @typedef {{kind: string, until: string | null, outcome: string | null, note: string}} Plea
 * @typedef {{id: string, incident: string, unit: string, own: boolean, state: string, dispatched_at: string, due_at: string,
 *   category: string, level: number, grade: number, title: string, zh: string, en: string, place_name: string,
 *   place_name_en: string, drill: boolean, pleas: Plea[]}} Task
 * @typedef {{id: string, area: string, area_name: string, area_name_en: string, category: string, level: number, text: string,
 *   observed_at: string, received_at: string, photo: boolean}} Report
 * @typedef {{viewer: {user: string, display: string, area: string}, clock: {county: number, factor: number},
 *   categories: string[], push: boolean, at: number,
 *   day: {areas: Area[], tasks: Task[], reports: Report[], more_tasks: boolean}}} Day
 * @typedef {import("./field-store.js").Item} Item
 */

const REFRESH_MS = 30000;
const RETRY_MS = 5000;
const SYNC = "fenghuo-send";

/** @type {{value: Day | null}} */
export const day = signal(/** @type {Day | null} */ (null));
/** @type {{value: Item[]}} */
export const items = signal(/** @type {Item[]} */ ([]));
export const network = signal(/** @type {"connecting" | "live" | "lost"} */ ("connecting"));
export const signedOut = signal(false);
/** What the last tap came to. */
export const said = signal("");

const isMine = (/** @type {Item} */ item) => item.user === day.value?.viewer.user;
export const mine = computed(() => items.value.filter(isMine));
export const waiting = computed(() => mine.value.filter((item) => !item.refused));
export const refused = computed(() => mine.value.filter((item) => item.refused));
export const others = computed(() => items.value.filter((item) => !isMine(item) && !item.refused).length);

/** County time in Unix milliseconds, counted on from when the server last told it. */
export function countyNow() {
  const { clock, at } = day.value ?? { clock: { county: Date.now(), factor: 1 }, at: Date.now() };
  return clock.county + (Date.now() - at) * clock.factor;
}

/** Read the queue anew. */
export async function look() {
  items.value = await queued();
}

/** Ask the server for the day; without an answer the one that was kept is shown. */
export async function load() {
  let answer;
  try {
    answer = await fetch("/api/v1/field", { signal: AbortSignal.timeout(15000) });
  } catch {
    network.value = "lost";
    return;
  }
  if (answer.status === 401) signedOut.value = true;
  network.value = answer.ok || answer.status === 401 ? "live" : "lost";
  if (!answer.ok) return;
  const told = { ...(await answer.json()), at: Date.now() };
  signedOut.value = false;
  day.value = told;
  await keep("day", told).catch(() => {}); // no room: there is still the page
}

let sending = false;

/** Send what waits; what was settled changes the day. */
export async function sendNow() {
  if (sending) return;
  sending = true;
  let settled = 0;
  try {
    const { why } = await flush(() => (settled += 1));
    if (why === "signed_out") signedOut.value = true;
    if (why === "offline") network.value = "lost";
  } finally {
    sending = false;
    await look();
  }
  if (settled) await load();
}

/** Have the browser send by itself, even when the page is closed, where it can. */
async function askForSync() {
  const registration = /** @type {any} */ (await navigator.serviceWorker?.getRegistration("/field"));
  await registration?.sync?.register(SYNC).catch(() => {}); // forbidden: the page sends
}

let submitting = false;

/**
 * Keep something to send and send it: it is on the phone before anything is said.
 * @param {Omit<Item, "id" | "user" | "made">} thing
 * @param {string} [id]
 * @returns {Promise<boolean>} false when the phone has no room for it, or at the second of two quick taps
 */
export async function submit(thing, id = newKey()) {
  const user = day.value?.viewer.user;
  if (!user || submitting) return false;
  submitting = true;
  try {
    await enqueue({ ...thing, id, user, made: Date.now() });
    await look();
  } catch {
    said.value = t("field.storage");
    return false;
  } finally {
    submitting = false;
  }
  const isOffline = network.value === "lost" || !navigator.onLine;
  said.value = isOffline ? t("field.kept") : "";
  askForSync().catch(() => {});
  sendNow();
  return true;
}

/** Start from what was kept, then ask; go on asking while the page is looked at. */
export async function begin() {
  day.value = (await kept("day")) ?? null;
  await look();
  await load();
  await sendNow();
  persist().catch(() => {});
  addEventListener("online", again);
  addEventListener("offline", () => (network.value = "lost"));
  document.addEventListener("visibilitychange", () => document.hidden || again());
  navigator.serviceWorker?.addEventListener("message", ({ data }) => {
    if (data?.kind === "sent" || data?.kind === "told") again();
  });
  let last = Date.now();
  setInterval(() => {
    const due = waiting.value.length || network.value === "lost" ? RETRY_MS : REFRESH_MS;
    if (document.hidden || Date.now() - last < due) return;
    last = Date.now();
    again();
  }, 1000);
}

/** Ask and send once more. */
export async function again() {
  await load();
  if (network.value === "live") await sendNow();
  else await look();
}
