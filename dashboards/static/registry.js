// Stations: devices as gateways see them, series with limits, who changed what. Lists are read anew every ten seconds.

import { Problem, read } from "./api.js";
import { html, render, signal } from "./lib.js";
import { follow, notice, now, ready, startOf } from "./live.js";
import { Changes } from "./registry-changes.js";
import { Dialog, openDevice, openSeries } from "./registry-forms.js";
import { Device, DeviceTable, SeriesTable, Strangers } from "./registry-lists.js";
import { clockTime, t } from "./words.js";
import "./types.js";

/** @typedef {{text: string, area: string, source: string, problems: boolean}} Sifting */

const start = startOf();
const REFRESH_MS = 10_000;
const TYPING_MS = 250;
const TABS = ["devices", "series", "changes"];

const address = new URL(location.href).searchParams;
const tab = signal(TABS.includes(address.get("tab") ?? "") ? /** @type {string} */ (address.get("tab")) : "devices");
/** The device that is looked at; "" shows the list. */
const device = signal(address.get("device") ?? "");
const sifting = signal(
  /** @type {Sifting} */ ({
    text: address.get("text") ?? "",
    area: address.get("area") ?? "",
    source: address.get("source") ?? "",
    problems: address.get("problems") === "true",
  }),
);
/** What was read for the present view, and when. */
const found = signal(/** @type {any} */ (null));
const readAt = signal(0);
const fault = signal("");

/** Write the view into the address, so that it can be bookmarked and reloaded. */
function remember() {
  const { text, area, source, problems } = sifting.value;
  const wanted = { tab: tab.value === "devices" ? "" : tab.value, device: device.value, text, area, source, problems };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value) query.set(name, String(value));
  history.replaceState(null, "", query.size ? `/registry?${query}` : "/registry");
}

/** @returns {string} the query of the lists */
function query() {
  const { text, area, source, problems } = sifting.value;
  return String(new URLSearchParams({ text, area, source, problems: String(problems) }));
}

async function readView() {
  if (device.value) {
    const id = encodeURIComponent(device.value);
    const [devices, series, changes] = await Promise.all([
      read(`/api/v1/registry/devices?id=${id}`),
      read(`/api/v1/registry/series?device=${id}&limit=1000`),
      read(`/api/v1/registry/changes?kind=device&ref=${id}`),
    ]);
    return { of: `device ${device.value}`, device: devices.devices[0] ?? null, ...series, ...changes };
  }
  const path = tab.value === "changes" ? "changes?limit=200" : `${tab.value}?${query()}`;
  return { of: tab.value, ...(await read(`/api/v1/registry/${path}`)) };
}

let asked = 0;
async function refresh() {
  const number = ++asked;
  try {
    const view = await readView();
    if (number !== asked) return; // somebody has typed or clicked meanwhile
    found.value = view;
    readAt.value = now.value;
    fault.value = "";
  } catch (problem) {
    if (number === asked) fault.value = /** @type {Error} */ (problem).message;
    if (problem instanceof Problem && problem.status === 400) notice(problem.message, true);
  }
  ready();
}

/** @param {string} id */
function look(id) {
  device.value = id;
  remember();
  refresh();
}

/** @param {string} name */
function choose(name) {
  tab.value = name;
  look("");
}

let typing = 0;
/** @param {Partial<Sifting>} change */
function sift(change) {
  sifting.value = { ...sifting.value, ...change };
  remember();
  clearTimeout(typing);
  typing = setTimeout(refresh, TYPING_MS);
}

function Sieve() {
  const { text, area, source, problems } = sifting.value;
  return html`<form class="sieve" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <label
      ><span>${t("registry.text")}</span
      ><input type="search" id="text" maxlength="200" value=${text} onInput=${(/** @type {any} */ e) => sift({ text: e.target.value })}
    /></label>
    <label
      ><span>${t("registry.area_code")}</span
      ><input
        type="search"
        id="area"
        inputmode="numeric"
        maxlength="15"
        value=${area}
        onInput=${(/** @type {any} */ e) => sift({ area: e.target.value.replace(/\D/g, "") })}
    /></label>
    <label
      ><span>${t("registry.source")}</span
      ><select id="source" onChange=${(/** @type {any} */ e) => sift({ source: e.target.value })}>
        <option value="">${t("registry.all_sources")}</option>
        ${start.sources.map((/** @type {string} */ slug) => html`<option value=${slug} selected=${slug === source}>${slug}</option>`)}
      </select></label
    >
    <label class="tick"
      ><input type="checkbox" id="problems" checked=${problems} onChange=${(/** @type {any} */ e) => sift({ problems: e.target.checked })} />${t(
        "registry.only_problems",
      )}</label
    >
  </form>`;
}

function AsOf() {
  return html`<span class="as-of ${fault.value ? "late" : ""}" id="as-of" role="status"
    >${fault.value
      ? t("registry.stale", { at: clockTime(readAt.value), why: fault.value })
      : readAt.value
        ? t("registry.as_of", { at: clockTime(readAt.value) })
        : ""}</span
  >`;
}

function View() {
  const view = found.value;
  const wanted = device.value ? `device ${device.value}` : tab.value;
  if (!view || view.of !== wanted) return html`<p class="waiting">${fault.value || t("app.loading")}</p>`;
  const may = start.may_change;
  const edit = may ? (/** @type {any} */ row) => openSeries(row.series, start, refresh) : null;
  if (device.value)
    return html`<${Device}
      view=${view}
      back=${() => look("")}
      edit=${edit}
      change=${may ? () => openDevice(view.device, start, refresh) : null}
      claim=${may ? (/** @type {string} */ channel) => openSeries({ channel, of: view.device }, start, refresh) : null}
    />`;
  if (tab.value === "series") return html`<${SeriesTable} view=${view} edit=${edit} look=${look} />`;
  if (tab.value === "changes") return html`<${Changes} changes=${view.changes} more=${view.more} />`;
  return html`<${DeviceTable} view=${view} look=${look} />
    ${view.strangers && html`<${Strangers} view=${view} register=${may ? (/** @type {any} */ one) => openDevice(one, start, refresh) : null} />`}`;
}

function Page() {
  return html`<section>
    <div class="board-head">
      <h1>${t("registry.title")}</h1>
      <${AsOf} />
      <button id="reload" onClick=${refresh}>${t("registry.reload")}</button>
      <span class="segments" role="group" aria-label=${t("registry.lists")}>
        ${TABS.map(
          (name) => html`<button aria-pressed=${tab.value === name} data-tab=${name} onClick=${() => choose(name)}>${t(`registry.${name}`)}</button>`,
        )}
      </span>
    </div>
    ${!device.value && tab.value !== "changes" && html`<${Sieve} />`}
    <${View} />
    <${Dialog} />
  </section>`;
}

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.replaceChildren();
render(html`<${Page} />`, app);
follow(start, {});
setInterval(() => document.visibilityState === "visible" && refresh(), REFRESH_MS);
refresh();
