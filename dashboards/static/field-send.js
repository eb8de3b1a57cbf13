// Sending what waits: in order, exactly once in effect, by the page or by the service worker, never both at a time.

import { drop, queued, update } from "./field-store.js";

const TIMEOUT_MS = 30000;
const LOCK = "fenghuo-field-send";
/** A command that waited longer says in the record when it was given. */
const LATE_MS = 60000;

/** @typedef {{left: number, refused: number, why: "" | "offline" | "signed_out" | "busy"}} Sent */

/** @param {string} path @param {RequestInit} options @returns {Promise<Response | null>} null when nobody answered */
async function ask(path, options) {
  try {
    return await fetch(path, { ...options, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return null;
  }
}

/**
 * Say when something was done that is only told now, in the record's own language.
 * @param {import("./field-store.js").Item} item
 */
function late(item) {
  if (Date.now() - item.made < LATE_MS) return "";
  const minutes = Math.round((Date.now() - item.made) / 60000);
  return `（${minutes} 分钟前在手机上操作，当时无网络）`;
}

/** @param {import("./field-store.js").Item} item */
function bodyOf(item) {
  if (item.kind === "report") return { ...item.body, age_seconds: Math.max(0, (Date.now() - item.made) / 1000) };
  if (item.kind === "task") return { ...item.body, note: `${item.body.note ?? ""}${late(item)}` };
  return item.body;
}

/**
 * Send one thing; an answer that never came leaves it where it is, and the same id makes the next try the same thing.
 * @param {import("./field-store.js").Item} item
 * @returns {Promise<Response | null>}
 */
async function send(item) {
  if (!item.sent) {
    const answer = await ask(item.path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": item.id },
      body: JSON.stringify(bodyOf(item)),
    });
    if (!answer?.ok || !item.photo) return answer;
    item.sent = true; // the words are there: the photo alone is left
    await update(item);
  }
  return ask(/** @type {string} */ (item.photoPath), {
    method: "POST",
    headers: { "Content-Type": "image/jpeg" },
    body: item.photo,
  });
}

/** @param {Response} answer @returns {boolean} whether it may be better later */
const isBusy = (answer) => answer.status === 429 || answer.status >= 500;

/**
 * Send all that waits and is this account's; stops at the first that cannot be sent now, so that order is kept.
 * @param {(item: import("./field-store.js").Item) => void} [told] hears of each that was settled
 * @returns {Promise<Sent>}
 */
export async function flush(told = () => {}) {
  const locks = navigator.locks;
  const work = () => flushAlone(told);
  return locks ? locks.request(LOCK, work) : work();
}

/** @param {(item: import("./field-store.js").Item) => void} told @returns {Promise<Sent>} */
async function flushAlone(told) {
  const count = async (/** @type {Sent["why"]} */ why) => {
    const items = await queued();
    return { left: items.filter((item) => !item.refused).length, refused: items.filter((item) => item.refused).length, why };
  };
  const waiting = (await queued()).filter((item) => !item.refused);
  if (!waiting.length) return count("");
  const session = await ask("/api/v1/session", {});
  if (!session) return count("offline");
  if (!session.ok) return count(isBusy(session) ? "busy" : "signed_out");
  const { viewer } = await session.json();
  for (const item of waiting.filter((one) => one.user === viewer.user)) {
    const answer = await send(item);
    if (!answer) return count("offline");
    if (answer.status === 401 || answer.type === "opaqueredirect") return count("signed_out");
    if (isBusy(answer)) return count("busy");
    if (answer.ok) {
      await drop(item);
    } else {
      const problem = await answer.json().catch(() => ({}));
      item.refused = problem.detail || problem.title || String(answer.status);
      await update(item);
    }
    told(item);
  }
  return count("");
}
