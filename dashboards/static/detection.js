// Detection as officers see it: alerts that nobody is paged for, and how well the model that ranks them keeps its word.

import { command, newKey, Problem, read } from "./api.js";
import { Calibration } from "./calibration.js";
import { html, render, signal } from "./lib.js";
import { follow, notice, now, ready, startOf } from "./live.js";
import { ago, language, percent, t, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").HeldBackRow} HeldBackRow */

const REFRESH_MS = 60000;

const start = startOf();
const internal = new Set(start.internal);
const mayAct = ["officer", "commander"].includes(start.viewer.role);
const shown = signal(start);
const busy = signal("");
/** Keys of commands whose answer never came: sent again, it is the same command. @type {Map<string, string>} */
const keys = new Map();

/** @type {ReturnType<typeof setTimeout> | undefined} */
let pending;

async function reload() {
  pending = undefined;
  try {
    shown.value = await read("/api/v1/detection");
  } catch (fault) {
    notice(/** @type {Error} */ (fault).message, true);
  }
}

/** Read anew, once for a burst of events. */
function reloadSoon() {
  pending ??= setTimeout(reload, 300);
}

/** @param {HeldBackRow} row */
async function open(row) {
  if (busy.value) return;
  busy.value = row.id;
  const key = keys.get(row.id) ?? newKey();
  keys.set(row.id, key);
  try {
    const { incident } = await command(`/api/v1/alerts/${row.id}/open`, {}, key);
    keys.delete(row.id);
    location.assign(`/incidents/${incident.id}`);
  } catch (fault) {
    if (fault instanceof Problem && fault.status >= 400 && fault.status < 500) keys.delete(row.id);
    notice(t("act.failed", { why: /** @type {Error} */ (fault).message }), true);
    reloadSoon();
  } finally {
    busy.value = "";
  }
}

/** @param {{row: HeldBackRow}} props */
function Line({ row }) {
  const over = row.change === "cleared";
  return html`<tr data-alert=${row.id} class=${over ? "over" : ""}>
    <td class="first">
      <div class="what">
        <span class="level level-${row.level}"><b>${t(`level.${row.level}`)}</b></span>
        <b>${t(`category.${row.category}`)} · ${row.place_name}</b>
        ${internal.has(row.category) && html`<span class="tag">${t("queue.internal")}</span>`}
        ${over && html`<span class="tag">${t("queue.alert_over")}</span>`}
      </div>
      <p class="sentence" lang=${language === "zh" ? "zh-CN" : "en"}>${language === "zh" ? row.zh : row.en}</p>
    </td>
    <td data-label=${t("detection.why")}>${t(`held_back.${row.held_back}`)}</td>
    <td class="number" data-label=${t("detection.chance")}>${row.chance === null ? "—" : percent(row.chance)}</td>
    <td class="since" data-label=${t("queue.opened")}><span>${when(row.opened_at, now.value)}<small>${ago(row.opened_at, now.value)}</small></span></td>
    ${mayAct &&
    html`<td class="act-cell" data-label="">
      <button class="open-alert" disabled=${busy.value !== ""} onClick=${() => open(row)}>${t("detection.open")}</button>
    </td>`}
  </tr>`;
}

function HeldBack() {
  const rows = /** @type {HeldBackRow[]} */ (shown.value.held_back);
  return html`<section class="sheet block" id="held-back">
    <h2>${t("detection.held_back")} <small>${t("detection.count", { n: rows.length })}</small></h2>
    <p class="quiet">${t("detection.held_back_more")}</p>
    ${rows.length === 0
      ? html`<p class="nothing">${t("detection.none_held_back")}</p>`
      : html`<table class="facts stack">
          <thead>
            <tr>
              <th scope="col">${t("detection.what")}</th>
              <th scope="col">${t("detection.why")}</th>
              <th scope="col" class="number">${t("detection.chance")}</th>
              <th scope="col">${t("queue.opened")}</th>
              ${mayAct && html`<th></th>`}
            </tr>
          </thead>
          <tbody>
            ${rows.map((row) => html`<${Line} key=${row.id} row=${row} />`)}
          </tbody>
        </table>`}
    ${shown.value.more && html`<p class="quiet">${t("detection.more", { n: rows.length })}</p>`}
  </section>`;
}

function Board() {
  return html`<div class="board-head"><h1>${t("detection.title")}</h1></div>
    <div class="detection">
      <${HeldBack} />
      <${Calibration} calibrations=${shown.value.calibrations} names=${shown.value.names} />
    </div>`;
}

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.replaceChildren();
render(html`<${Board} />`, app);
follow(start, { incident: reloadSoon, gone: reloadSoon, resync: reloadSoon });
setInterval(reloadSoon, REFRESH_MS);
ready();
