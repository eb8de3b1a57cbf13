// A series' curve with its limits and the period of the finding, drawn by uPlot on a canvas.

import uPlot from "./vendor/uplot.js";
import { html, useEffect, useRef } from "./lib.js";
import { day, hourMinute, number, t } from "./words.js";
import "./types.js";

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const LEVELS = ["", "blue", "yellow", "orange", "red"];

/**
 * Labels of the time axis in county time; the day stands under the first label of each day.
 * @param {any} _plot
 * @param {number[]} splits Unix seconds
 */
function timeLabels(_plot, splits) {
  let before = "";
  return splits.map((at) => {
    const today = day(at * 1000);
    const label = today === before ? hourMinute(at * 1000) : `${hourMinute(at * 1000)}\n${today}`;
    before = today;
    return label;
  });
}

/**
 * Mark the finding's period under the curve and the limits over it.
 * @param {import("./types.js").Curve} curve
 * @param {{from: number, until: number}[]} periods Unix seconds
 */
function marks(curve, periods) {
  return {
    hooks: {
      drawClear: (/** @type {any} */ plot) => {
        plot.ctx.save();
        plot.ctx.fillStyle = colour("mark");
        for (const { from, until } of periods) {
          const left = Math.max(plot.valToPos(from, "x", true), plot.bbox.left);
          const right = Math.min(plot.valToPos(until, "x", true), plot.bbox.left + plot.bbox.width);
          plot.ctx.fillRect(left, plot.bbox.top, Math.max(right - left, 2 * devicePixelRatio), plot.bbox.height);
        }
        plot.ctx.restore();
      },
      draw: (/** @type {any} */ plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.lineWidth = 1.5 * devicePixelRatio;
        ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
        for (const limit of curve.limits) {
          const y = plot.valToPos(limit.value, "y", true);
          if (y < bbox.top || y > bbox.top + bbox.height) continue;
          ctx.strokeStyle = colour(LEVELS[limit.level]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  };
}

/**
 * The range of values shown: all of the curve, and limits unless they would press the curve flat.
 * @param {import("./types.js").Curve} curve
 * @returns {[number, number]}
 */
export function valueRange(curve) {
  const values = /** @type {number[]} */ ([...curve.low, ...curve.high, ...curve.mean].filter((v) => v !== null));
  let low = Math.min(...values);
  let high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1;
  for (const { value } of curve.limits) {
    if (value > low - 2 * span && value < high + 2 * span) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const air = (high - low || span) * 0.08;
  return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
}

/**
 * @param {HTMLElement} place
 * @param {import("./types.js").Curve} curve
 * @param {{from: number, until: number}[]} periods
 */
function draw(place, curve, periods) {
  const axis = {
    stroke: colour("ink-2"),
    grid: { stroke: colour("line-2"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 5 },
    font: `12px ${colour("sans")}`,
  };
  const ink = colour("accent");
  return new uPlot(
    {
      width: Math.max(place.clientWidth, 200),
      height: place.clientHeight || 240,
      tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), "Asia/Shanghai"),
      scales: { x: { time: true }, y: { range: () => valueRange(curve) } },
      cursor: { y: false, points: { size: 6 } },
      legend: { show: false },
      axes: [
        { ...axis, values: timeLabels, space: 70, size: 44 },
        { ...axis, size: 58, values: (/** @type {any} */ _p, /** @type {number[]} */ v) => v.map(number) },
      ],
      series: [
        {},
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: ink, width: 1.75, points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: `color-mix(in srgb, ${ink} 16%, transparent)` }],
      plugins: [marks(curve, periods)],
    },
    [curve.at, curve.low, curve.high, curve.mean],
    place,
  );
}

/** @param {{curve: import("./types.js").Curve, periods: {from: number, until: number}[]}} props */
export function Plot({ curve, periods }) {
  const place = useRef(null);
  const key = `${curve.at.length} ${curve.at.at(-1)} ${curve.mean.at(-1)} ${JSON.stringify(periods)}`;
  useEffect(() => {
    const node = /** @type {any} */ (place.current);
    let plot = draw(node, curve, periods);
    const again = () => {
      plot.destroy();
      plot = draw(node, curve, periods);
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    const sizes = new ResizeObserver(() => {
      if (node.clientWidth && node.clientWidth !== plot.width) {
        plot.setSize({ width: node.clientWidth, height: node.clientHeight || 240 });
      }
    });
    sizes.observe(node);
    return () => {
      dark.removeEventListener("change", again);
      sizes.disconnect();
      plot.destroy();
    };
  }, [key]);
  return html`<div class="plot" ref=${place} role="img" aria-label=${curve.name}></div>
    <p class="keys">
      <span>${t("curve.mean")}</span>
      ${curve.limits.map(
        (limit) =>
          html`<span class="key-limit" style=${{ "--key": `var(--${LEVELS[limit.level]})` }} title=${limit.basis}
            >${t("curve.limit", { level: t(`level.${limit.level}`), value: number(limit.value) })}</span
          >`,
      )}
      <span class="key-period">${t("curve.period")}</span>
    </p>`;
}
