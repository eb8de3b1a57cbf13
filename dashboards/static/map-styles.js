// How levels look on a map: a ground colour, and a pattern on it, so that nobody needs to tell colours apart.

/** Looks of a cell: 0 calm, 1–4 in an area of that level, 5–8 itself of level 1–4. */
export const LOOKS = 9;
const TINT = 0.2;

/** Strokes over the tone, by level: dots, falling lines, rising lines, a grid. The page's key shows the same. */
const PATTERNS = [
  () => {},
  (/** @type {CanvasRenderingContext2D} */ c) => {
    c.fillRect(1, 1, 2, 2);
    c.fillRect(5, 5, 2, 2);
  },
  (/** @type {CanvasRenderingContext2D} */ c) => stroke(c, [[-2, -2, 10, 10]]),
  (/** @type {CanvasRenderingContext2D} */ c) => stroke(c, [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]]),
  (/** @type {CanvasRenderingContext2D} */ c) => stroke(c, [[0, 4, 8, 4], [4, 0, 4, 8]]),
];

/**
 * @param {CanvasRenderingContext2D} c
 * @param {number[][]} lines
 */
function stroke(c, lines) {
  c.beginPath();
  for (const [x, y, toX, toY] of lines) {
    c.moveTo(x, y);
    c.lineTo(toX, toY);
  }
  c.stroke();
}

/**
 * @typedef {{fills: (string | CanvasPattern)[], line: string, border: string, ink: string, halo: string, tones: string[],
 *   toneInks: string[], chosen: string, font: string}} Styles
 */

/**
 * Read the colours of the page as they are now: they change with the theme.
 * @param {CanvasRenderingContext2D} context
 * @returns {Styles}
 */
export function readStyles(context) {
  const css = getComputedStyle(document.documentElement);
  const read = (/** @type {string} */ name) => css.getPropertyValue(name).trim();
  const tones = ["--sheet", "--blue", "--yellow", "--orange", "--red"].map(read);
  const toneInks = ["--ink", "--blue-ink", "--yellow-ink", "--orange-ink", "--red-ink"].map(read);
  const sheet = read("--sheet");
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const brush = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  /** @type {(string | CanvasPattern)[]} */
  const fills = [];
  for (let look = 0; look < LOOKS; look++) {
    const level = look > 4 ? look - 4 : look;
    brush.globalAlpha = 1;
    brush.fillStyle = sheet;
    brush.fillRect(0, 0, 8, 8);
    if (level) {
      brush.globalAlpha = look > 4 ? 1 : TINT;
      brush.fillStyle = tones[level];
      brush.fillRect(0, 0, 8, 8);
    }
    if (look > 4) {
      brush.globalAlpha = 0.45;
      brush.fillStyle = brush.strokeStyle = toneInks[level];
      PATTERNS[level](brush);
      fills.push(/** @type {CanvasPattern} */ (context.createPattern(tile, "repeat")));
    } else {
      const [r, g, b] = brush.getImageData(0, 0, 1, 1).data;
      fills.push(`rgb(${r} ${g} ${b})`); // plain colours are filled faster than patterns
    }
  }
  return {
    fills,
    tones,
    toneInks,
    line: read("--line"),
    border: read("--ink-3"),
    ink: read("--ink"),
    halo: sheet,
    chosen: read("--focus"),
    font: read("--sans"),
  };
}
