// The places that forms offer: areas of the viewer's county by code and name, read once for a page.

import { read } from "./api.js";

/** @type {Promise<[string, string][]> | undefined} */
let reading;

/** Read the county's townships and villages, and the county itself; a failed reading is tried again. @returns {Promise<[string, string][]>} */
export function places() {
  reading ??= read("/api/v1/seat/places").then(
    (found) => found.places,
    (fault) => {
      reading = undefined;
      throw fault;
    },
  );
  return reading;
}

/**
 * The places within an area.
 * @param {string} area
 * @param {number} [digits] of the code, for one level only
 */
export const placesWithin = async (area, digits) =>
  (await places()).filter(([code]) => code.startsWith(area) && (digits === undefined || code.length === digits));
