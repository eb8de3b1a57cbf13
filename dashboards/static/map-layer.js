// Draws shapes on two canvases: cells below, borders and labels above. A tick repaints only the cells that changed.
// Not Leaflet's own polygons: it redraws all of a map for each change, which costs a PC without a GPU a third of its frames.

import { DomUtil, Layer, latLngBounds, point } from "./vendor/leaflet.js";
import { LOOKS, readStyles } from "./map-styles.js";
import { holds } from "./shapes.js";

/** @typedef {import("./shapes.js").Shape} Shape */
/** @typedef {{code: string, text: string, level: number, strong: boolean}} Label `text` stands under the name of the area */

/** Drawn beyond the edge, as a share of the map, so that a drag shows no void. */
const MARGIN = 0.15;

export class ShapeLayer extends Layer {
  /**
   * @param {Shape[]} shapes
   * @param {number} type pixels of the smallest type
   */
  constructor(shapes, type) {
    super();
    this.cells = shapes.filter((shape) => shape.levelled);
    this.frames = shapes.filter((shape) => !shape.levelled);
    this.type = type;
    this.looks = new Uint8Array(this.cells.length);
    /** @type {Path2D[]} */
    this.paths = [];
    /** @type {Label[]} */
    this.labels = [];
    this.chosen = "";
    this.cellCanvas = DomUtil.create("canvas", "leaflet-zoom-hide");
    this.topCanvas = DomUtil.create("canvas", "leaflet-zoom-hide");
    this.cellBrush = /** @type {CanvasRenderingContext2D} */ (this.cellCanvas.getContext("2d", { alpha: false }));
    this.topBrush = /** @type {CanvasRenderingContext2D} */ (this.topCanvas.getContext("2d"));
    this.styles = readStyles(this.cellBrush);
  }

  /** @param {import("leaflet").Map} map */
  onAdd(map) {
    this.map = map;
    map.getPanes().overlayPane.append(this.cellCanvas, this.topCanvas);
    this.place();
    return this;
  }

  onRemove() {
    this.cellCanvas.remove();
    this.topCanvas.remove();
    return this;
  }

  getEvents() {
    return { moveend: this.place, resize: this.place };
  }

  /** Read the page's colours anew and draw all. */
  restyle() {
    this.styles = readStyles(this.cellBrush);
    this.drawCells();
    this.drawTop();
  }

  /** Lay the canvases over what the map shows now, and draw all. */
  place() {
    const map = /** @type {import("leaflet").Map} */ (this.map);
    const size = map.getSize();
    if (!size.x || !size.y) return;
    const margin = size.multiplyBy(MARGIN).round();
    const corner = map.containerPointToLayerPoint(margin.multiplyBy(-1)).round();
    const ratio = Math.min(2, globalThis.devicePixelRatio || 1);
    const [width, height] = [size.x + 2 * margin.x, size.y + 2 * margin.y];
    for (const canvas of [this.cellCanvas, this.topCanvas]) {
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      DomUtil.setPosition(canvas, corner);
    }
    this.size = { width, height };
    const origin = map.getPixelOrigin().add(corner);
    this.view = { scale: 2 ** map.getZoom(), x: origin.x, y: origin.y };
    for (const brush of [this.cellBrush, this.topBrush]) brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paths = this.cells.map((shape) => this.pathOf(shape));
    this.framePaths = this.frames.map((shape) => this.pathOf(shape));
    this.drawCells();
    this.drawTop();
  }

  /** @param {Shape} shape */
  pathOf({ rings }) {
    const { scale, x, y } = /** @type {{scale: number, x: number, y: number}} */ (this.view);
    const path = new Path2D();
    for (const ring of rings) {
      path.moveTo(ring[0] * scale - x, ring[1] * scale - y);
      for (let n = 2; n < ring.length - 2; n += 2) path.lineTo(ring[n] * scale - x, ring[n + 1] * scale - y);
      path.closePath();
    }
    return path;
  }

  /**
   * Take new looks, and repaint the cells whose look is another one.
   * @param {Uint8Array} looks
   * @returns {number} how many were repainted
   */
  paint(looks) {
    const changed = [];
    for (let n = 0; n < looks.length; n++) if (looks[n] !== this.looks[n]) changed.push(n);
    this.looks.set(looks);
    if (!changed.length || !this.paths.length) return 0;
    const brush = this.cellBrush;
    brush.strokeStyle = this.styles.line;
    brush.lineWidth = 1;
    for (let look = 0; look < LOOKS; look++) {
      brush.fillStyle = this.styles.fills[look];
      for (const n of changed) if (looks[n] === look) brush.fill(this.paths[n], "evenodd");
    }
    for (const n of changed) brush.stroke(this.paths[n]);
    return changed.length;
  }

  drawCells() {
    if (!this.size) return;
    const brush = this.cellBrush;
    brush.fillStyle = this.styles.halo;
    brush.fillRect(0, 0, this.size.width, this.size.height);
    for (let look = 0; look < LOOKS; look++) {
      brush.fillStyle = this.styles.fills[look];
      for (let n = 0; n < this.paths.length; n++) if (this.looks[n] === look) brush.fill(this.paths[n], "evenodd");
    }
    brush.strokeStyle = this.styles.line;
    brush.lineWidth = 1;
    for (const path of this.paths) brush.stroke(path);
  }

  /**
   * @param {Label[]} labels the most important first: where two do not fit the later one is left out
   * @param {string} chosen the area that is pointed out
   */
  label(labels, chosen) {
    const same = chosen === this.chosen && JSON.stringify(labels) === JSON.stringify(this.labels);
    this.labels = labels;
    this.chosen = chosen;
    if (!same) this.drawTop();
  }

  drawTop() {
    if (!this.size || !this.view) return;
    const brush = this.topBrush;
    const { styles } = this;
    brush.clearRect(0, 0, this.size.width, this.size.height);
    brush.lineJoin = "round";
    brush.strokeStyle = styles.border;
    this.frames.forEach((shape, n) => {
      brush.lineWidth = shape.code.length <= 6 ? 2.5 : 1.4;
      brush.stroke(/** @type {Path2D[]} */ (this.framePaths)[n]);
    });
    const byCode = new Map([...this.frames, ...this.cells].map((shape) => [shape.code, shape]));
    const marked = byCode.get(this.chosen);
    if (marked) {
      brush.strokeStyle = styles.chosen;
      brush.lineWidth = 4;
      brush.stroke(this.pathOf(marked));
    }
    /** @type {number[][]} */
    const taken = [];
    for (const label of this.labels) {
      const shape = byCode.get(label.code);
      if (shape) this.drawLabel(shape, label, taken);
    }
  }

  /**
   * Write the name of an area, and under it the word of its level and what is late there.
   * @param {Shape} shape
   * @param {Label} label
   * @param {number[][]} taken boxes of labels that stand already
   */
  drawLabel(shape, { text, level, strong }, taken) {
    const brush = this.topBrush;
    const view = /** @type {{scale: number, x: number, y: number}} */ (this.view);
    const x = shape.x * view.scale - view.x;
    const y = shape.y * view.scale - view.y;
    const nameFont = `600 ${this.type}px ${this.styles.font}`;
    const textFont = `700 ${this.type}px ${this.styles.font}`;
    const pad = this.type * 0.35;
    brush.font = nameFont;
    let width = brush.measureText(shape.name).width;
    if (text) {
      brush.font = textFont;
      width = Math.max(width, brush.measureText(text).width + 2 * pad);
    }
    const line = this.type * 1.4;
    const height = text ? 2 * line : line;
    const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
    const room = (shape.box[2] - shape.box[0]) * view.scale;
    const clash = taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
    if (clash || (!strong && width > room * 1.1)) return;
    taken.push(box);
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.font = nameFont;
    brush.lineWidth = this.type * 0.28;
    brush.strokeStyle = this.styles.halo;
    brush.strokeText(shape.name, x, box[1] + line / 2);
    brush.fillStyle = this.styles.ink;
    brush.fillText(shape.name, x, box[1] + line / 2);
    if (!text) return;
    brush.font = textFont;
    const half = brush.measureText(text).width / 2 + pad;
    brush.fillStyle = this.styles.tones[level];
    brush.fillRect(x - half, box[1] + line, 2 * half, line);
    brush.strokeStyle = this.styles.ink;
    brush.lineWidth = 1;
    brush.strokeRect(x - half, box[1] + line, 2 * half, line);
    brush.fillStyle = this.styles.toneInks[level];
    brush.fillText(text, x, box[1] + line * 1.53);
  }

  /**
   * Find what lies at a place: the cell, else the area around.
   * @param {import("leaflet").LatLng} where
   * @returns {Shape | undefined}
   */
  at(where) {
    const { x, y } = /** @type {import("leaflet").Map} */ (this.map).project(where, 0);
    return this.cells.find((shape) => holds(shape, x, y)) ?? this.frames.findLast((shape) => holds(shape, x, y));
  }

  /**
   * @param {string} code
   * @returns {import("leaflet").LatLngBounds | undefined} where an area lies
   */
  boundsOf(code) {
    const shape = this.frames.find((one) => one.code === code) ?? this.cells.find((one) => one.code === code);
    if (!shape) return undefined;
    const map = /** @type {import("leaflet").Map} */ (this.map);
    const [west, north, east, south] = shape.box;
    return latLngBounds(map.unproject(point(west, north), 0), map.unproject(point(east, south), 0));
  }
}
