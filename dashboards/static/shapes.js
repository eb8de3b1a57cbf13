// Shapes of areas as flat arrays of projected points, and which one is under a point. Pure.

import { CRS, latLng } from "./vendor/leaflet.js";

/**
 * @typedef {{id: string, properties: {name: string, name_en: string, lon: number | null, lat: number | null},
 *   geometry: {coordinates: number[][][][]} | null}} Feature
 * @typedef {{version: string, area: string, levels: number[], left_out: Record<string, number>, features: Feature[]}} Shapes
 * @typedef {{code: string, name: string, rings: Float64Array[], box: [number, number, number, number], x: number, y: number,
 *   levelled: boolean}} Shape
 *   points are x, y in pixels of zoom 0; `x`, `y` is where its label stands; `levelled` says that nothing finer is drawn in it
 */

/** @param {number[]} point lon, lat */
const project = ([lon, lat]) => CRS.EPSG3857.latLngToPoint(latLng(lat, lon), 0);

/**
 * @param {Feature} feature
 * @param {string} name
 * @returns {Shape | null} null where there is nothing to draw
 */
function shapeOf(feature, name) {
  if (!feature.geometry) return null;
  /** @type {[number, number, number, number]} */
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const rings = feature.geometry.coordinates.flat().map((ring) => {
    const flat = new Float64Array(ring.length * 2);
    ring.forEach((point, n) => {
      const { x, y } = project(point);
      flat[2 * n] = x;
      flat[2 * n + 1] = y;
      if (x < box[0]) box[0] = x;
      if (y < box[1]) box[1] = y;
      if (x > box[2]) box[2] = x;
      if (y > box[3]) box[3] = y;
    });
    return flat;
  });
  const { lon, lat } = feature.properties;
  const at = lon === null || lat === null ? null : project([lon, lat]);
  return {
    code: feature.id,
    name,
    rings,
    box,
    x: at ? at.x : (box[0] + box[2]) / 2,
    y: at ? at.y : (box[1] + box[3]) / 2,
    levelled: false,
  };
}

/**
 * Read shapes, the coarse ones first.
 * @param {Shapes} found
 * @param {boolean} english
 * @returns {Shape[]}
 */
export function readShapes(found, english) {
  const shapes = [];
  for (const feature of found.features) {
    const { name, name_en } = feature.properties;
    const shape = shapeOf(feature, (english && name_en) || name);
    if (shape) shapes.push(shape);
  }
  const held = new Set();
  for (const { code } of shapes) for (const digits of [2, 4, 6, 9, 12]) if (digits < code.length) held.add(code.slice(0, digits));
  for (const shape of shapes) shape.levelled = !held.has(shape.code);
  return shapes;
}

/**
 * @param {Shape} shape
 * @param {number} x pixels of zoom 0
 * @param {number} y
 */
export function holds({ box, rings }, x, y) {
  if (x < box[0] || x > box[2] || y < box[1] || y > box[3]) return false;
  let inside = false;
  for (const ring of rings) {
    for (let n = 0, before = ring.length - 2; n < ring.length; before = n, n += 2) {
      const [ax, ay, bx, by] = [ring[n], ring[n + 1], ring[before], ring[before + 1]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}
