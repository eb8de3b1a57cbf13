// The map of an area: our own shapes on a canvas, no tiles, and beside it the same as a list for the keyboard.
//
// A page mounts it with `mountMap(element, options)` and calls `show(rows)` whenever its open cases changed; it repaints at
// 4 Hz whatever comes. The page links vendor/leaflet.css and map.css.

import { html, render, signal } from "./lib.js";
import { ShapeLayer } from "./map-layer.js";
import { noRisk, riskByArea } from "./risk.js";
import { readShapes } from "./shapes.js";
import { latLngBounds, map as newMap, point } from "./vendor/leaflet.js";
import { language, t } from "./words.js";
import "./types.js";

/** @typedef {import("./risk.js").Risk} Risk */
/** @typedef {import("./shapes.js").Shapes} Shapes */
/** @typedef {{area: string, name: string, risk: Risk, late: number}} Listed */
/**
 * @typedef {{choose?: (area: string) => void, list?: boolean, still?: boolean, type?: number, shapes?: Shapes}} Options
 *   `choose` is told the code of an area that somebody picked, "" for none; `list` (true) puts the list beside the map; `still`
 *   takes all controls away; `type` is the size of labels in pixels (13); `shapes` are drawn instead of /api/v1/map
 * @typedef {{show: (rows: Iterable<import("./types.js").Row>, late?: Map<string, number>) => void, choose: (area: string) => void,
 *   remove: () => void, ready: Promise<void>, painted: () => number}} MapHandle
 *   `late` counts what is late by area; `painted` counts the cells that were repainted so far
 */

/** Repaint so often: a person sees it as at once, and a PC without a GPU keeps its frames. */
const TICK_MS = 250;
const LEVELS = [4, 3, 2, 1];

/** @returns {Promise<Shapes>} */
async function readMap() {
  const answer = await fetch("/api/v1/map", { signal: AbortSignal.timeout(30000) });
  if (!answer.ok) throw new Error(t("map.away"));
  return answer.json();
}

/** @param {Risk} risk */
function tell(risk) {
  const parts = LEVELS.filter((level) => risk.counts[level]).map((level) => `${t(`level.${level}`)}${risk.counts[level]}`);
  return [...parts, ...(risk.drills ? [t("map.drills", { n: risk.drills })] : [])].join(" ");
}

/** The same for large type, where there is room for the highest level only. @param {Listed} item */
const short = ({ risk: { level, counts }, late }) => [level ? `${t(`level.${level}`)}${counts[level]}` : "", late ? `✕${late}` : ""];

/** @param {{item: Listed, chosen: boolean, pick: (area: string) => void}} props */
function Line({ item, chosen, pick }) {
  const { risk, late } = item;
  return html`<li>
    <button
      class="area ${risk.level ? `level-${risk.level}` : ""}"
      data-area=${item.area}
      aria-pressed=${chosen}
      onClick=${() => pick(chosen ? "" : item.area)}
    >
      <span class="name">${item.name}</span>
      ${risk.level
        ? html`<span class="level level-${risk.level}"><b>${t(`level.${risk.level}`)}</b><i>${risk.counts[risk.level]}</i></span>`
        : html`<span class="calm">${t("map.calm")}</span>`}
      <span class="more">
        ${risk.waiting > 0 && html`<span>${t("map.waiting", { n: risk.waiting })}</span>`}
        ${late > 0 && html`<span class="tag strong">${t("map.late", { n: late })}</span>`}
        ${risk.drills > 0 && html`<span class="tag">${t("map.drills", { n: risk.drills })}</span>`}
      </span>
    </button>
  </li>`;
}

function Key() {
  return html`<ul class="map-key" aria-label=${t("map.key")}>
    ${LEVELS.map((level) => html`<li><span class="swatch pattern-${level}" aria-hidden="true"></span>${t(`level.${level}`)}</li>`)}
  </ul>`;
}

/**
 * Put a map into an element.
 * @param {HTMLElement} element
 * @param {Options} [options]
 * @returns {MapHandle}
 */
export function mountMap(element, { choose = () => {}, list = true, still = false, type = 13, shapes } = {}) {
  element.classList.add("area-map");
  const ground = document.createElement("div");
  ground.className = "map-ground";
  ground.setAttribute("role", still ? "img" : "application");
  ground.setAttribute("aria-label", t("map.title"));
  const beside = document.createElement("div");
  beside.className = "map-beside";
  element.append(ground, ...(list ? [beside] : []));

  const chosen = signal("");
  const items = signal(/** @type {Listed[]} */ ([]));
  const said = signal(t("app.loading"));
  /** @type {ShapeLayer | undefined} */
  let layer;
  /** @type {import("leaflet").Map | undefined} */
  let leaflet;
  /** @type {{code: string, name: string}[]} */
  let listed = [];
  /** @type {Iterable<import("./types.js").Row>} */
  let rows = [];
  /** @type {Map<string, number>} */
  let late = new Map();
  /** @type {Map<string, Risk>} */
  let risks = new Map();
  let stale = true;
  let count = 0;

  /** @param {string} area */
  function pick(area) {
    if (chosen.value === area) return;
    chosen.value = area;
    stale = true;
    const bounds = area ? layer?.boundsOf(area) : layer?.boundsOf(home);
    if (bounds && leaflet && !still) leaflet.fitBounds(bounds, { animate: false });
    choose(area);
  }

  /** Reckon and repaint what changed since the last tick. */
  function tick() {
    if (!stale || document.hidden) return;
    stale = false;
    risks = riskByArea(rows);
    items.value = listed
      .map(({ code, name }) => ({ area: code, name, risk: risks.get(code) ?? noRisk(), late: late.get(code) ?? 0 }))
      .sort(
        (a, b) =>
          b.risk.level - a.risk.level ||
          b.late - a.late ||
          b.risk.counts[b.risk.level] - a.risk.counts[a.risk.level] ||
          (a.area < b.area ? -1 : 1),
      );
    if (!layer) return;
    const looks = new Uint8Array(layer.cells.length);
    layer.cells.forEach(({ code }, n) => {
      const own = Math.max(risks.get(code)?.level ?? 0, code.length === 15 ? (risks.get(code.slice(0, 12))?.own ?? 0) : 0);
      looks[n] = own ? own + 4 : (risks.get(code.slice(0, 9))?.level ?? 0);
    });
    count += layer.paint(looks);
    layer.label(
      items.value.map((item) => ({
        code: item.area,
        text: (still ? short(item) : [tell(item.risk), item.late ? t("map.late", { n: item.late }) : ""]).filter(Boolean).join(" "),
        level: item.risk.level,
        strong: item.risk.level > 2 || item.late > 0,
      })),
      chosen.value,
    );
  }

  let home = "";
  const theme = matchMedia("(prefers-color-scheme: dark)");
  const restyle = () => layer?.restyle();
  theme.addEventListener("change", restyle);
  const timer = setInterval(tick, TICK_MS);
  const watch = new ResizeObserver(() => leaflet?.invalidateSize({ animate: false }));
  watch.observe(ground);

  async function begin() {
    const found = shapes ?? (await readMap());
    const drawn = readShapes(found, language === "en");
    home = found.area;
    const below = Math.min(...found.features.map(({ id }) => id.length).filter((digits) => digits > found.area.length), 15);
    listed = found.features
      .filter(({ id }) => id.length === below || (id === found.area && found.features.length === 1))
      .map(({ id, properties: { name, name_en } }) => ({ code: id, name: (language === "en" && name_en) || name }));
    const left = Object.values(found.left_out).reduce((sum, n) => sum + n, 0);
    said.value = left ? t("map.left_out", { n: left }) : drawn.length ? "" : t("map.no_shapes");
    if (drawn.length) {
      layer = new ShapeLayer(drawn, type);
      leaflet = newMap(ground, {
        attributionControl: false,
        zoomControl: !still,
        zoomAnimation: false,
        fadeAnimation: false,
        markerZoomAnimation: false,
        inertia: false,
        zoomSnap: still ? 0 : 0.25,
        dragging: !still,
        keyboard: !still,
        scrollWheelZoom: !still,
        doubleClickZoom: !still,
        boxZoom: !still,
        touchZoom: !still,
      });
      const bounds = drawn.reduce(
        (box, one) => [Math.min(box[0], one.box[0]), Math.min(box[1], one.box[1]), Math.max(box[2], one.box[2]), Math.max(box[3], one.box[3])],
        [Infinity, Infinity, -Infinity, -Infinity],
      );
      const corner = (/** @type {number} */ x, /** @type {number} */ y) =>
        /** @type {import("leaflet").Map} */ (leaflet).unproject(point(x, y), 0);
      leaflet.fitBounds(latLngBounds(corner(bounds[0], bounds[1]), corner(bounds[2], bounds[3])), { animate: false });
      layer.addTo(leaflet);
      if (!still) listen(leaflet, layer);
    }
    stale = true;
    tick();
  }

  /**
   * @param {import("leaflet").Map} on
   * @param {ShapeLayer} drawn
   */
  function listen(on, drawn) {
    on.zoomControl?.getContainer()?.querySelectorAll("a").forEach((button, n) => {
      button.title = t(n ? "map.zoom_out" : "map.zoom_in");
      button.setAttribute("aria-label", button.title);
    });
    on.on("click", ({ latlng }) => {
      const area = listed.find(({ code }) => drawn.at(latlng)?.code.startsWith(code));
      pick(area && area.code !== chosen.value ? area.code : "");
    });
    on.on("mousemove", ({ latlng }) => {
      const shape = drawn.at(latlng);
      const risk = shape && risks.get(shape.code);
      ground.title = shape ? `${shape.name} ${risk ? tell(risk) : t("map.calm")}` : "";
    });
  }

  function Beside() {
    return html`<h2 class="hidden-text">${t("map.list")}</h2>
      <ul class="areas">
        ${items.value.map((item) => html`<${Line} key=${item.area} item=${item} chosen=${chosen.value === item.area} pick=${pick} />`)}
      </ul>
      ${said.value && html`<p class="quiet map-said">${said.value}</p>`}
      <${Key} />`;
  }
  if (list) render(html`<${Beside} />`, beside);

  const ready = begin().catch((fault) => {
    said.value = /** @type {Error} */ (fault).message;
  });
  return {
    ready,
    show(newRows, newLate) {
      rows = Array.isArray(newRows) ? newRows : [...newRows]; // an iterator would be spent after one tick
      if (newLate) late = newLate;
      stale = true;
    },
    choose: pick,
    painted: () => count,
    remove() {
      clearInterval(timer);
      watch.disconnect();
      theme.removeEventListener("change", restyle);
      leaflet?.remove();
      render(null, beside);
      element.replaceChildren();
    },
  };
}
