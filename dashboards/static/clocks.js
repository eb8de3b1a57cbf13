// Reports that the law asks for: what is owed, how long there is, what was made. Writing one happens on the report's own page.

import { html } from "./lib.js";
import { now } from "./live.js";
import { t, timeLeft, toMs, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").LegalClock} LegalClock */

/** Which levels people of an area report for, by the length of its code. */
const LEVELS = /** @type {Record<number, string[]>} */ ({ 2: ["province"], 4: ["city"], 6: ["county"], 9: ["unit", "township"] });

/** @param {LegalClock} clock */
function stands(clock) {
  const { kept, due_at } = clock;
  const at = clock.at && when(clock.at, now.value);
  if (at) return t(`clocks.${kept}`, { at });
  if (kept !== "running" || !due_at) return t(`clocks.${kept}`);
  const left = toMs(due_at) - now.value;
  return left > 0 ? t("clocks.running", { left: timeLeft(left) }) : t("clocks.missed");
}

/**
 * @param {{view: View, area: string, mayAct: boolean}} props
 */
export function LegalClocks({ view, area, mayAct }) {
  const { clocks, row, timeline } = view;
  if (clocks.length === 0) return null;
  const own = mayAct ? (LEVELS[area.length] ?? []) : [];
  const inTime = [...clocks].sort((one, other) => (one.due_at ?? "9").localeCompare(other.due_at ?? "9"));
  const made = timeline.filter((entry) => entry.kind === "report_made");
  return html`<section class="sheet block" id="clocks">
    <h2>${t("clocks.title")}</h2>
    <table class="facts stack">
      <thead>
        <tr>
          ${["report", "due", "stands"].map((name) => html`<th scope="col">${t(`clocks.${name}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${inTime.map((clock) => {
          const owed = ["running", "waiting", "missed"].includes(clock.kept);
          return html`<tr key=${`${clock.clock}-${clock.by}-${clock.to}-${clock.form}-${clock.kind}-${clock.number}`} class=${clock.kept}>
            <td class="first">
              ${t(`report_kind.${clock.kind}`)}${clock.form === "phone" && ` · ${t("report.phone")}`}
              <small>${clock.desk} → ${clock.addressee}</small>
            </td>
            <td data-label=${t("clocks.due")}>${clock.due_at ? when(clock.due_at, now.value) : t("clocks.at_closing")}</td>
            <td data-label=${t("clocks.stands")}>
              ${stands(clock)}
              ${owed && own.includes(clock.by) && html` <a href=${`/incidents/${row.id}/reports/${clock.kind}/draft?to=${clock.to}`}>${t("clocks.write")}</a>`}
            </td>
          </tr>`;
        })}
      </tbody>
    </table>
    ${made.length > 0 &&
    html`<ul class="made">
      ${made.map(
        ({ id, detail, text }) => html`<li key=${id}>
          <a href=${`/incidents/${row.id}/reports/${detail.report}/${detail.number}`}><span lang="zh-CN">${text}</span></a>
        </li>`,
      )}
    </ul>`}
  </section>`;
}
