// A line of the queue: its level, what and where, since when, when it escalates, who acknowledged it.

import { html } from "./lib.js";
import { now } from "./live.js";
import { isEnded, isWaiting } from "./order.js";
import { ago, language, ROMAN, t, timeLeft, toMs, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */

const SOON_MS = 5 * 60 * 1000;

/** The alert's sentence; a case without one is named by its title. @param {{zh: string, en: string, title: string}} row */
export const sentenceOf = (row) => (language === "en" ? row.en : row.zh) || row.title;

/** @param {{row: Row}} props */
function Level({ row }) {
  return html`<span class="level level-${row.level}"
    ><b>${t(`level.${row.level}`)}</b><i title=${t(`grade.${row.grade}`)}>${ROMAN[row.grade]}</i></span
  >`;
}

/** @param {{row: Row}} props */
function Next({ row }) {
  if (!row.next_at) return html`<span class="quiet">${isEnded(row) ? "—" : t("queue.stopped")}</span>`;
  const left = toMs(row.next_at) - now.value;
  if (left <= 0) return html`<span class="count soon">${t("queue.due_now")}</span>`;
  return html`<span class="count ${left < SOON_MS ? "soon" : ""}">${timeLeft(left)}</span>
    <small>${t("queue.climbed", { n: row.step + 1 })}</small>`;
}

/** Cells that show time are components of their own: only they are drawn anew as it passes. @param {{row: Row}} props */
function OpenedAt({ row }) {
  return html`${when(row.opened_at, now.value)}<small>${ago(row.opened_at, now.value)}</small>`;
}

/** @param {{row: Row, busy: boolean, acknowledge: ((row: Row) => void) | null}} props */
function Acknowledged({ row, busy, acknowledge }) {
  if (row.acknowledged_at) return html`${row.acknowledged_by}<small>${when(row.acknowledged_at, now.peek())}</small>`;
  if (isEnded(row) || !acknowledge) return html`<span class="quiet">—</span>`;
  return html`<button
    class="primary acknowledge"
    disabled=${busy}
    onClick=${(/** @type {Event} */ event) => {
      event.stopPropagation();
      acknowledge(row);
    }}
  >
    ${t("act.acknowledge")}
  </button>`;
}

/**
 * @param {{row: Row, fresh: boolean, chosen: boolean, busy: boolean, internal: boolean, open: (row: Row) => void,
 *   acknowledge: ((row: Row) => void) | null}} props
 */
export function Line({ row, fresh, chosen, busy, internal, open, acknowledge }) {
  const state = isEnded(row) ? "closed" : isWaiting(row) ? `waiting-row level-${row.level}` : "taken";
  return html`<tr
    data-incident=${row.id}
    class="${state} ${fresh ? "fresh" : ""}"
    aria-selected=${chosen}
    onClick=${(/** @type {MouseEvent} */ event) => {
      if (!(/** @type {Element} */ (event.target).closest("a, button"))) open(row);
    }}
  >
    <td class="head-cell"><${Level} row=${row} /></td>
    <td class="title-cell">
      <a class="title" href="/incidents/${row.id}" title=${sentenceOf(row)}>${sentenceOf(row)}</a>
      <span class="under">
        <span class="phone-only">${row.place_name}</span>
        <span>${t(`category.${row.category}`)}</span>
        <span>${t(`state.${row.state}`)}</span>
        ${internal && html`<span class="tag">${t("queue.internal")}</span>`}
        ${row.drill && html`<span class="tag strong">${t("queue.drill")}</span>`}
        ${!row.alert_open && !isEnded(row) && html`<span class="tag">${t("queue.alert_over")}</span>`}
      </span>
    </td>
    <td class="place">${row.place_name}</td>
    <td class="opened"><${OpenedAt} row=${row} /></td>
    <td class="next"><${Next} row=${row} /></td>
    <td class="ack"><${Acknowledged} row=${row} busy=${busy} acknowledge=${acknowledge} /></td>
  </tr>`;
}

/** What stands where no case does. @param {{narrow: boolean, all: boolean}} props */
export function Empty({ narrow, all }) {
  return html`<div class="empty">
    <svg viewBox="0 0 32 32" aria-hidden="true"><path fill="currentColor" d="M9 30 11.2 16h9.6L23 30zM9.5 12h13v3h-13z" /></svg>
    <p>${t(narrow ? "queue.empty_filter" : all ? "queue.empty_all" : "queue.empty")}</p>
    <p class="quiet">${t(narrow ? "queue.empty_filter_more" : "queue.empty_more")}</p>
  </div>`;
}

/** How many open cases there are of each level. @param {{rows: Row[]}} props */
export function Counts({ rows }) {
  return html`<span class="counts"
    >${[4, 3, 2, 1].map((level) => {
      const n = rows.filter((row) => row.level === level && !isEnded(row)).length;
      return html`<span class="level level-${level} ${n ? "" : "none"}"><b>${t(`level.${level}`)}</b><i>${n}</i></span>`;
    })}</span
  >`;
}
