// The order of the queue: what needs somebody most stands first. Pure.
import "./types.js";

const ENDED = new Set(["closed", "reviewed", "false_alarm", "merged"]);

/** @param {import("./types.js").Row} row */
export const isEnded = (row) => ENDED.has(row.state);

/** @param {import("./types.js").Row} row */
export const isWaiting = (row) => !isEnded(row) && !row.acknowledged_at;

/** @param {import("./types.js").Row} row */
const stage = (row) => (isWaiting(row) ? 0 : isEnded(row) ? 2 : 1);

/**
 * Unacknowledged first, then held, then ended; within each by level, then the sooner escalation, then the newer.
 * @param {import("./types.js").Row} a
 * @param {import("./types.js").Row} b
 */
export function byUrgency(a, b) {
  return (
    stage(a) - stage(b) ||
    (stage(a) === 2 ? 0 : b.level - a.level) ||
    (a.next_at && b.next_at ? Date.parse(a.next_at) - Date.parse(b.next_at) : 0) ||
    Date.parse(b.opened_at) - Date.parse(a.opened_at) ||
    (a.id < b.id ? -1 : 1)
  );
}
