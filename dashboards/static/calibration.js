// How well the model that ranks alerts keeps its word: a reliability curve, and the verdicts by detector.

import { html } from "./lib.js";
import { now } from "./live.js";
import { number, percent, t, tOr, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Calibration} Calibrated */

const SIDE = 240;
const LEFT = 44;
const TOP = 12;
const BARS = 46;
const HEIGHT = TOP + SIDE + 12 + BARS + 44;
const WIDTH = LEFT + SIDE + 20;
const TICKS = [0, 0.25, 0.5, 0.75, 1];
const Z = 1.96;

/**
 * The range in which the true share lies with 95 % (Wilson 1927): bins with few verdicts say little, and it shows.
 * @param {number} found
 * @param {number} count
 */
function wilson(found, count) {
  const share = found / count;
  const scale = 1 + (Z * Z) / count;
  const middle = (share + (Z * Z) / (2 * count)) / scale;
  const reach = (Z / scale) * Math.sqrt((share * (1 - share)) / count + (Z * Z) / (4 * count * count));
  return { low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}

/** @param {number} share */
const across = (share) => LEFT + share * SIDE;
/** @param {number} share */
const up = (share) => TOP + (1 - share) * SIDE;

/** @param {{one: Calibrated}} props */
function Curve({ one }) {
  const bins = one.bins.filter((bin) => bin.count > 0);
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const base = TOP + SIDE + 12 + BARS;
  const points = bins.map((bin) => `${across(bin.mean_chance)},${up(bin.found_true / bin.count)}`);
  return html`<svg class="reliability" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${t("detection.curve_title")}>
    ${TICKS.map(
      (tick) => html`<g>
        <line class="grid" x1=${across(tick)} x2=${across(tick)} y1=${TOP} y2=${TOP + SIDE} />
        <line class="grid" x1=${LEFT} x2=${LEFT + SIDE} y1=${up(tick)} y2=${up(tick)} />
        <text x=${LEFT - 6} y=${up(tick) + 4} text-anchor="end">${percent(tick)}</text>
        <text x=${across(tick)} y=${base + 16} text-anchor="middle">${percent(tick)}</text>
      </g>`,
    )}
    <line class="perfect" x1=${across(0)} y1=${up(0)} x2=${across(1)} y2=${up(1)} />
    <line class="base" x1=${LEFT} x2=${LEFT + SIDE} y1=${up(one.base_rate)} y2=${up(one.base_rate)} />
    ${bins.map((bin) => {
      const range = wilson(bin.found_true, bin.count);
      const x = across(bin.mean_chance);
      return html`<line class="range" x1=${x} x2=${x} y1=${up(range.low)} y2=${up(range.high)} />`;
    })}
    <polyline class="seen" points=${points.join(" ")} />
    ${bins.map(
      (bin) => html`<g>
        <circle class="seen" cx=${across(bin.mean_chance)} cy=${up(bin.found_true / bin.count)} r="4" />
        <rect class="bar" x=${across(bin.low) + 1} width=${Math.max(2, (bin.high - bin.low) * SIDE - 2)} y=${base - (bin.count / most) * (BARS - 14)} height=${(bin.count / most) * (BARS - 14)} />
        <text x=${across((bin.low + bin.high) / 2)} y=${base - (bin.count / most) * (BARS - 14) - 3} text-anchor="middle">${bin.count}</text>
      </g>`,
    )}
    <text class="axis" x=${LEFT + SIDE / 2} y=${base + 34} text-anchor="middle">${t("detection.axis_chance")}</text>
    <text class="axis" x="12" y=${TOP + SIDE / 2} text-anchor="middle" transform="rotate(-90 12 ${TOP + SIDE / 2})">${t("detection.axis_true")}</text>
  </svg>`;
}

/** @param {{one: Calibrated}} props */
function Bins({ one }) {
  return html`<details class="form">
    <summary>${t("detection.as_table")}</summary>
    <table class="facts">
      <thead>
        <tr>
          <th scope="col">${t("detection.bin")}</th>
          <th scope="col" class="number">${t("detection.alerts")}</th>
          <th scope="col" class="number">${t("detection.promised")}</th>
          <th scope="col" class="number">${t("detection.found")}</th>
        </tr>
      </thead>
      <tbody>
        ${one.bins
          .filter((bin) => bin.count > 0)
          .map(
            (bin) => html`<tr key=${bin.low}>
              <td>${percent(bin.low)}–${percent(bin.high)}</td>
              <td class="number">${bin.count}</td>
              <td class="number">${percent(bin.mean_chance)}</td>
              <td class="number">${percent(bin.found_true / bin.count)} <small>${bin.found_true}/${bin.count}</small></td>
            </tr>`,
          )}
      </tbody>
    </table>
  </details>`;
}

/** Detectors on trial stand as `NAME (shadow)`: they are named as such. @param {string} name */
function detectorOf(name) {
  const trial = name.endsWith(" (shadow)");
  const plain = name.replace(/ \(shadow\)$/, "");
  return html`${tOr(`detector_name.${plain}`, plain)}${trial && html` <span class="tag">${t("detection.trial")}</span>`}`;
}

/** @param {{one: Calibrated}} props */
function Detectors({ one }) {
  const names = [...new Set([...Object.keys(one.detectors), ...Object.keys(one.alone ?? {})])].sort();
  if (!names.length) return null;
  return html`<table class="facts detectors">
    <thead>
      <tr>
        <th scope="col">${t("detection.detector")}</th>
        <th scope="col" class="number">${t("verdict.true")}</th>
        <th scope="col" class="number">${t("verdict.false")}</th>
        <th scope="col" class="number">${t("detection.share_true")}</th>
        <th scope="col" class="number">${t("detection.alone")}</th>
      </tr>
    </thead>
    <tbody>
      ${names.map((name) => {
        const [yes, no] = one.detectors[name] ?? [0, 0];
        return html`<tr key=${name} data-detector=${name}>
          <td>${detectorOf(name)}</td>
          <td class="number">${yes}</td>
          <td class="number">${no}</td>
          <td class="number">${yes + no ? percent(yes / (yes + no)) : "—"}</td>
          <td class="number">${one.alone?.[name] ?? "—"}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

/** @param {{calibrations: Calibrated[], names: Record<string, string>}} props */
export function Calibration({ calibrations, names }) {
  if (!calibrations.length)
    return html`<section class="sheet block" id="calibration">
      <h2>${t("detection.calibration")}</h2>
      <p class="nothing">${t("detection.no_verdicts")}</p>
    </section>`;
  return html`${calibrations.map(
    (one) => html`<section class="sheet block" id="calibration" key=${one.county} data-county=${one.county}>
      <h2>${t("detection.calibration")} <small>${names[one.county] ?? one.county} · ${t("detection.as_of", { at: when(one.at, now.value) })}</small></h2>
      <p class="quiet">${t("detection.calibration_more")}</p>
      <dl class="figures">
        <div><dt>${t("detection.verdicts")}</dt><dd>${one.verdicts}</dd></div>
        <div><dt>${t("detection.base_rate")}</dt><dd>${percent(one.base_rate)}</dd></div>
        <div><dt>${t("detection.brier")}</dt><dd>${number(one.brier)} <small>${t("detection.brier_base", { n: number(one.base_rate * (1 - one.base_rate)) })}</small></dd></div>
      </dl>
      <div class="calibration">
        <figure>
          <${Curve} one=${one} />
          <figcaption class="keys">
            <span class="key-seen">${t("detection.key_seen")}</span>
            <span class="key-perfect">${t("detection.key_perfect")}</span>
            <span class="key-base">${t("detection.key_base")}</span>
          </figcaption>
          <${Bins} one=${one} />
        </figure>
        <${Detectors} one=${one} />
      </div>
    </section>`,
  )}`;
}
