// The state of a command page: open cases, live, and the situation, read anew when something happens. Shared by /command and /wall.

import { read } from "./api.js";
import { batch, computed, signal } from "./lib.js";
import { follow } from "./live.js";
import { byUrgency, isEnded, isWaiting } from "./order.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Situation} Situation */

/** Not read more often than that, however much happens. */
const LEAST_MS = 1000;
/** Read at least so often: what becomes late makes no event. */
const MOST_MS = 30000;
/** Somebody may keep this page open for weeks: it holds open cases only, and as many as the server lists at once. */
const MOST_ROWS = 1000;

/**
 * Follow an area.
 * @param {{situation: Situation, incidents: Row[], storm: {cases: number, minutes: number}, release: string, change: number,
 *   viewer: import("./types.js").Viewer}} start
 */
export function followSituation(start) {
  const rows = signal(new Map(start.incidents.filter((row) => !isEnded(row)).map((row) => [row.id, row])));
  const situation = signal(start.situation);
  const storm = signal(start.storm);
  const release = signal(start.release);
  /** Whether the last reading failed: the page then shows what it had. */
  const stale = signal(false);

  const shown = computed(() => [...rows.value.values()].sort(byUrgency));
  const waiting = computed(() => shown.value.filter(isWaiting));
  const late = computed(() => new Map(situation.value.below.map((one) => [one.area, one.late + one.climbed])));

  let readAt = Date.now();
  let reading = false;
  let wanted = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pending;

  async function reload() {
    pending = undefined;
    if (reading) {
      wanted = true;
      return;
    }
    reading = true;
    wanted = false;
    try {
      const found = await read("/api/v1/command");
      batch(() => {
        situation.value = found.situation;
        storm.value = found.storm;
        release.value = found.release;
        stale.value = false;
      });
    } catch {
      stale.value = true;
    } finally {
      reading = false;
      readAt = Date.now();
      if (wanted) reloadSoon();
    }
  }

  function reloadSoon() {
    pending ??= setTimeout(reload, Math.max(0, readAt + LEAST_MS - Date.now()));
  }

  async function reloadAll() {
    try {
      const found = await read(`/api/v1/incidents?state=open&limit=${MOST_ROWS}`);
      rows.value = new Map(found.incidents.map((/** @type {Row} */ row) => [row.id, row]));
      stale.value = false;
    } catch {
      stale.value = true;
      setTimeout(reloadAll, MOST_MS);
    }
    reloadSoon();
  }

  /** @param {Row} row */
  function take(row) {
    const known = rows.value.get(row.id);
    if (known && known.version > row.version) return;
    const next = new Map(rows.value);
    if (isEnded(row)) next.delete(row.id);
    else next.set(row.id, row);
    rows.value = next;
  }

  setInterval(() => {
    if (Date.now() - readAt > MOST_MS) reloadSoon();
  }, 1000);
  follow(start, {
    incident(row) {
      take(row);
      reloadSoon();
    },
    gone({ ref }) {
      if (!rows.value.has(ref)) return;
      const next = new Map(rows.value);
      next.delete(ref);
      rows.value = next;
    },
    page: reloadSoon,
    task: reloadSoon,
    drill: reloadSoon,
    resync: reloadAll,
  });
  return { rows, shown, waiting, situation, storm, release, stale, late, reloadSoon };
}
