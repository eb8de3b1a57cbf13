// What open cases make of areas: levels and counts for the map and its list. Pure.

import { isEnded, isWaiting } from "./order.js";
import "./types.js";

/** Lengths of codes of areas, from the province to the grid cell. */
export const DIGITS = [2, 4, 6, 9, 12, 15];

/**
 * @typedef {{level: number, own: number, counts: number[], waiting: number, drills: number}} Risk
 *   `level` is the highest of the open cases in the area, `own` of those on the area itself, 0 where there is none; `counts[n]`
 *   counts those of level n. Drills count in `drills` alone.
 */

/** @returns {Risk} */
export const noRisk = () => ({ level: 0, own: 0, counts: [0, 0, 0, 0, 0], waiting: 0, drills: 0 });

/**
 * Tell the risk of each area that has an open case in it.
 * @param {Iterable<import("./types.js").Row>} rows
 * @returns {Map<string, Risk>}
 */
export function riskByArea(rows) {
  /** @type {Map<string, Risk>} */
  const found = new Map();
  for (const row of rows) {
    if (isEnded(row)) continue;
    const { place, level } = row;
    for (const digits of DIGITS) {
      if (digits > place.length) break;
      const code = digits === place.length ? place : place.slice(0, digits);
      let risk = found.get(code);
      if (!risk) found.set(code, (risk = noRisk()));
      if (row.drill) {
        risk.drills += 1;
        continue;
      }
      risk.counts[level] += 1;
      if (level > risk.level) risk.level = level;
      if (digits === place.length && level > risk.own) risk.own = level;
      if (isWaiting(row)) risk.waiting += 1;
    }
  }
  return found;
}
