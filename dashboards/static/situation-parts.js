// Parts that the command centre and the display show alike: levels, clocks, joint cases, storms, the alarm load.

import { html } from "./lib.js";
import { now } from "./live.js";
import { language, ROMAN, t, timeLeft, toMs, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Situation} Situation */
/** @typedef {import("./types.js").AlarmLoad} AlarmLoad */

const SOON_MS = 15 * 60 * 1000;

/** @param {Row} row */
export const sentenceOf = (row) => (language === "en" ? row.en : row.zh) || row.title;

/** @param {{level: number, grade?: number}} props */
export function Level({ level, grade }) {
  return html`<span class="level level-${level}"><b>${t(`level.${level}`)}</b>${grade && html`<i>${ROMAN[grade]}</i>`}</span>`;
}

/** How many open cases there are of each level; drills are none. @param {{rows: Row[]}} props */
export function Counts({ rows }) {
  return html`<ul class="tally">
    ${[4, 3, 2, 1].map((level) => {
      const n = rows.filter((row) => row.level === level && !row.drill).length;
      return html`<li class="level level-${level} ${n ? "" : "none"}" data-level=${level}><b>${t(`level.${level}`)}</b><i>${n}</i></li>`;
    })}
  </ul>`;
}

/** Time until a limit, or since: a component of its own, since it is drawn each second. @param {{at: string, missed: boolean}} props */
export function Left({ at, missed }) {
  const left = toMs(at) - now.value;
  if (missed || left <= 0) return html`<b class="count soon">✕ ${t("command.missed", { time: timeLeft(-left) })}</b>`;
  return html`<b class="count ${left < SOON_MS ? "soon" : ""}">${timeLeft(left)}</b>`;
}

/** @param {{at: string}} props */
export const Since = ({ at }) => html`<span class="count">${timeLeft(now.value - toMs(at))}</span>`;

/** @param {{situation: Situation, storm: {cases: number, minutes: number}}} props */
export function Storm({ situation, storm }) {
  const { storms, lately } = situation;
  if (storms.length === 0) return html`<p id="storm" class="quiet">${t("command.no_storm", { n: lately, ...storm })}</p>`;
  return html`<p id="storm" class="storm" role="status">
    <b>${t("command.storm")}</b>
    ${storms.map((one) => html`<span>${t("command.storm_since", { area: one.name, at: when(one.began_at, now.peek()) })}</span>`)}
    <span>${t("command.storm_rate", { n: lately, minutes: storm.minutes })}</span>
  </p>`;
}

/** Ten-minute bars of a day; the line is a flood's limit. @param {{load: AlarmLoad}} props */
function Bars({ load }) {
  const [width, height, top] = [288, 60, Math.max(12, load.peak)];
  const step = width / load.bins.length;
  const y = (/** @type {number} */ n) => height - (n / top) * height;
  return html`<svg class="load-bars" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img"
    aria-label=${t("load.chart", { peak: load.peak, mean: load.mean.toFixed(2) })}>
    ${load.bins.map(
      (bin, n) =>
        bin.most > 0 &&
        html`<rect x=${n * step} y=${y(bin.most)} width=${step * 0.8} height=${height - y(bin.most)} class=${bin.most > 10 ? "flood" : "bar"} />`,
    )}
    <line x1="0" x2=${width} y1=${y(10)} y2=${y(10)} class="limit" />
  </svg>`;
}

/** @param {{load: AlarmLoad, chart?: boolean}} props */
export function Load({ load, chart = true }) {
  const rows = [
    ["mean", load.mean.toFixed(2), "≤ 1", load.mean <= 1],
    ["now", load.now, "≤ 10", load.now <= 10],
    ["peak", load.peak, "≤ 10", load.peak <= 10],
    ["flood_share", `${(load.flood_share * 100).toFixed(1)}%`, "< 1%", load.flood_share < 0.01],
  ];
  return html`<div class="load" data-verdict=${load.verdict}>
    <p class="load-verdict"><b>${t(`load.verdict_${load.verdict}`)}</b></p>
    <dl>
      ${rows.map(
        ([name, value, limit, good]) => html`<div class=${good ? "" : "over"}>
          <dt>${t(`load.${name}`)}</dt>
          <dd><b>${value}</b> <small>${limit} ${good ? "✓" : "✕"}</small></dd>
        </div>`,
      )}
    </dl>
    ${chart && html`<${Bars} load=${load} />`}
  </div>`;
}
