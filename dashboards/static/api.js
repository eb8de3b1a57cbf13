// Reading from and commanding the server; every fault comes as a Problem in words.

import { t } from "./words.js";

/** A fault as the server told it (RFC 9457), or as we found it when there was no answer at all. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when nobody answered
   * @param {string} detail
   * @param {Record<string, any>} [document]
   */
  constructor(status, detail, document = {}) {
    super(detail);
    this.status = status;
    this.document = document;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(15000) });
  } catch {
    throw new Problem(0, t("act.unreachable"));
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  if (response.status === 401) {
    // What was typed stands on the page: it waits for its officer, and then sends the same command once more.
    await (await import("./again.js")).signedInAgain();
    return ask(path, options);
  }
  throw new Problem(response.status, body.detail || t("act.unreachable"), body);
}

/** @param {string} path */
export const read = (path) => ask(path);

/**
 * Send a command. One key per intention: repeated after a lost answer, it is the same command and takes effect once.
 * @param {string} path
 * @param {object} body
 * @param {string} key
 */
export function command(path, body, key) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(body),
  });
}

/** Make a UUID (version 4); crypto.randomUUID is missing on plain-HTTP intranets. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Keys of commands whose answer never came: the same command again uses the same key. @type {Map<string, string>} */
const unanswered = new Map();

/**
 * Send a command to an incident.
 * @param {string} incident
 * @param {string} action "acknowledge" | "take-over" | "disposition" | "move" | "close"
 * @param {object} [body]
 */
export async function act(incident, action, body = {}) {
  const path = `/api/v1/incidents/${incident}/${action}`;
  const intention = path + JSON.stringify(body);
  const key = unanswered.get(intention) ?? newKey();
  unanswered.set(intention, key);
  try {
    const answer = await command(path, body, key);
    unanswered.delete(intention);
    return answer;
  } catch (fault) {
    if (fault instanceof Problem && fault.status >= 400 && fault.status < 500) unanswered.delete(intention);
    throw fault;
  }
}
