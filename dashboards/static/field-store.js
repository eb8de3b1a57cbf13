// What the phone keeps: what waits to be sent, in order; what the server last said; what is being written.

import { openDB } from "./vendor/idb.js";

/**
 * Something to send. `id` is made here and makes it exactly one thing over there, however often it is sent.
 * @typedef {{seq?: number, id: string, user: string, kind: "report" | "task" | "plea", path: string, body: Record<string, any>,
 *   made: number, about: string, task?: string, photo?: ArrayBuffer, photoPath?: string, sent?: boolean,
 *   refused?: string}} Item
 */

const NAME = "fenghuo-field";
const VERSION = 1;

/** @type {Promise<import("idb").IDBPDatabase<any>> | undefined} */
let opened;

/** Open the phone's own database; a newer release's page or worker that needs it changed is let through. */
function db() {
  opened ??= openDB(NAME, VERSION, {
    upgrade(database) {
      database.createObjectStore("queue", { keyPath: "seq", autoIncrement: true });
      database.createObjectStore("kept");
    },
    blocking(_current, _blocked, event) {
      /** @type {any} */ (event.target)?.close?.();
      opened = undefined;
    },
    terminated() {
      opened = undefined;
    },
  });
  return opened;
}

/**
 * Put something at the end of the queue.
 * @param {Item} item
 */
export const enqueue = async (item) => (await db()).add("queue", item);

/** All that waits or was refused, in the order in which it was written. @returns {Promise<Item[]>} */
export const queued = async () => (await db()).getAll("queue");

/** @param {Item} item */
export const update = async (item) => (await db()).put("queue", item);

/** @param {Item} item */
export const drop = async (item) => (await db()).delete("queue", /** @type {number} */ (item.seq));

/** @param {string} key @returns {Promise<any>} */
export const kept = async (key) => (await db()).get("kept", key);

/** @param {string} key @param {any} value */
export const keep = async (key, value) => (await db()).put("kept", value, key);

/** @param {string} key */
export const forget = async (key) => (await db()).delete("kept", key);

/** Ask the browser not to clear this when space runs low; it may say no. */
export const persist = async () => (await navigator.storage?.persist?.()) ?? false;
