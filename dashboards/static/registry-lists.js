// The lists of the stations' page: devices, strangers, series, and one device by itself. They only show.

import { html } from "./lib.js";
import { now } from "./live.js";
import { Changes } from "./registry-changes.js";
import { ago, number, t, tOr, when } from "./words.js";
import "./types.js";

/**
 * @typedef {import("./types.js").DeviceRow} DeviceRow
 * @typedef {import("./types.js").Stranger} Stranger
 * @typedef {import("./types.js").SeriesRow} SeriesRow
 * @typedef {import("./types.js").Limit} Limit
 */

const CLOCK_SECONDS = 60;
const PROTOCOLS = /** @type {Record<string, string>} */ ({ hj212: "HJ 212", sl651: "SL 651", mqtt: "MQTT" });

/** @param {{at: string | null}} props */
function Seen({ at }) {
  if (!at) return html`<span class="quiet">${t("registry.never")}</span>`;
  return html`${when(at, now.peek())}<small>${ago(at, now.peek())}</small>`;
}

/** @param {{on: boolean}} props */
const Lamp = ({ on }) =>
  html`<span class="lamp small" data-state=${on ? "live" : "off"}>${on ? t("registry.connected") : t("registry.away")}</span>`;

/**
 * Name what is wrong with a device in words; nothing when all is well.
 * @param {{seen: DeviceRow | Stranger}} props
 */
function Trouble({ seen }) {
  const offset = seen.clock_offset_seconds;
  const words = [];
  if (seen.problem) words.push(tOr(`device_problem.${seen.problem.replaceAll("-", "_")}`, seen.problem));
  if (offset !== null && Math.abs(offset) > CLOCK_SECONDS)
    words.push(t(offset > 0 ? "registry.clock_ahead" : "registry.clock_behind", { span: span(Math.abs(offset)) }));
  return words.map((word) => html`<span class="tag strong">${word}</span> `);
}

/** @param {number} seconds */
function span(seconds) {
  if (seconds < 120) return t("registry.seconds", { n: Math.round(seconds) });
  if (seconds < 7200) return t("registry.minutes", { n: Math.round(seconds / 60) });
  return t("registry.hours", { n: Math.round(seconds / 3600) });
}

/** @param {{seen: DeviceRow | Stranger}} props */
const Counts = ({ seen }) =>
  html`${seen.packets}${seen.refused ? html`<small class="refused">${t("registry.refused_n", { n: seen.refused })}</small>` : ""}`;

/** @param {{total: number, shown: number}} props */
const More = ({ total, shown }) =>
  total > shown ? html`<p class="more quiet">${t("registry.more", { shown, total })}</p>` : null;

/** @param {{children?: any}} props */
const Nothing = ({ children }) => html`<p class="nothing quiet">${children}</p>`;

/** @param {{view: {devices: DeviceRow[], total: number}, look: (id: string) => void}} props */
export function DeviceTable({ view, look }) {
  const { devices, total } = view;
  return html`<div class="sheet block">
      <h2>${t("registry.registered")} <small>${t("registry.count", { n: total })}</small></h2>
      ${devices.length === 0
        ? html`<${Nothing}>${t("registry.no_devices")}<//>`
        : html`<table class="facts stack rows" id="devices">
            <thead>
              <tr>
                <th scope="col">${t("registry.station")}</th>
                <th scope="col">${t("registry.line")}</th>
                <th scope="col">${t("registry.address")}</th>
                <th scope="col">${t("registry.area")}</th>
                <th scope="col">${t("registry.seen")}</th>
                <th scope="col" class="number">${t("registry.packets")}</th>
                <th scope="col" class="number">${t("registry.series")}</th>
                <th scope="col">${t("registry.trouble")}</th>
              </tr>
            </thead>
            <tbody>
              ${devices.map(
                (row) => html`<tr key=${row.id} data-device=${row.id}>
                  <td class="first">
                    <a
                      href="/registry?device=${encodeURIComponent(row.id)}"
                      onClick=${(/** @type {MouseEvent} */ event) => {
                        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                        event.preventDefault();
                        look(row.id);
                      }}
                      >${row.station || row.name}</a
                    ><small>${row.id}</small>
                  </td>
                  <td data-label=${t("registry.line")}><${Lamp} on=${row.connected} /></td>
                  <td data-label=${t("registry.address")}><span class="code">${row.address}</span><small>${PROTOCOLS[row.protocol]}</small></td>
                  <td data-label=${t("registry.area")}>${row.area_name}<small>${row.source}</small></td>
                  <td data-label=${t("registry.seen")}><${Seen} at=${row.seen_at} /></td>
                  <td data-label=${t("registry.packets")} class="number"><${Counts} seen=${row} /></td>
                  <td data-label=${t("registry.series")} class="number">${row.series}</td>
                  <td data-label=${t("registry.trouble")}><${Trouble} seen=${row} /></td>
                </tr>`,
              )}
            </tbody>
          </table>`}
    </div>
    <${More} total=${total} shown=${devices.length} />`;
}

/** @param {{view: {strangers: Stranger[], strangers_total: number}, register: ((one: Stranger) => void) | null}} props */
export function Strangers({ view, register }) {
  const { strangers, strangers_total: total } = view;
  return html`<div class="sheet block" id="strangers">
      <h2>${t("registry.unregistered")} <small>${t("registry.unregistered_hint")}</small></h2>
      ${strangers.length === 0
        ? html`<${Nothing}>${t("registry.no_strangers")}<//>`
        : html`<table class="facts stack rows">
            <thead>
              <tr>
                <th scope="col">${t("registry.address")}</th>
                <th scope="col">${t("registry.line")}</th>
                <th scope="col">${t("registry.peer")}</th>
                <th scope="col">${t("registry.seen")}</th>
                <th scope="col" class="number">${t("registry.packets")}</th>
                <th scope="col">${t("registry.channels")}</th>
                <th scope="col">${t("registry.trouble")}</th>
                ${register && html`<th></th>`}
              </tr>
            </thead>
            <tbody>
              ${strangers.map(
                (one) => html`<tr key=${one.protocol + one.address} data-stranger=${one.address}>
                  <td class="first"><span class="code">${one.address}</span><small>${PROTOCOLS[one.protocol]}</small></td>
                  <td data-label=${t("registry.line")}><${Lamp} on=${one.connected} /></td>
                  <td data-label=${t("registry.peer")} class="code">${one.peer}</td>
                  <td data-label=${t("registry.seen")}><${Seen} at=${one.seen_at} /></td>
                  <td data-label=${t("registry.packets")} class="number"><${Counts} seen=${one} /></td>
                  <td data-label=${t("registry.channels")}><${Channels} channels=${one.channels} /></td>
                  <td data-label=${t("registry.trouble")}><${Trouble} seen=${one} /></td>
                  ${register &&
                  html`<td data-label="" class="act-cell"><button class="register" onClick=${() => register(one)}>${t("registry.register")}</button></td>`}
                </tr>`,
              )}
            </tbody>
          </table>`}
    </div>
    <${More} total=${total} shown=${strangers.length} />`;
}

/** @param {{channels: string[], claim?: ((channel: string) => void) | null}} props */
function Channels({ channels, claim }) {
  if (channels.length === 0) return html`<span class="quiet">—</span>`;
  return html`<span class="channels"
    >${channels.map((channel) =>
      claim
        ? html`<button class="tag code" title=${t("registry.claim")} onClick=${() => claim(channel)}>${channel}</button>`
        : html`<span class="tag code">${channel}</span>`,
    )}</span
  >`;
}

/** @param {{limits: Limit[], unit: string}} props */
export function Limits({ limits, unit }) {
  if (limits.length === 0) return html`<span class="quiet">${t("registry.no_limits")}</span>`;
  return html`<span class="limits"
    >${limits.map(
      (limit) =>
        html`<span class="level level-${limit.level}" title=${limit.basis}
          ><b>${t(`level.${limit.level}`)}</b><i>${limit.direction === "above" ? ">" : "<"} ${number(limit.value)} ${unit}${limit.aqi === null ? "" : ` · AQI ${limit.aqi}`}</i></span
        >`,
    )}</span
  >`;
}

/** @param {{row: SeriesRow}} props */
function Last({ row }) {
  if (row.last_at === null) return html`<span class="quiet">${t("registry.no_data")}</span>`;
  return html`${number(row.last)} ${row.series.unit}<small
      >${when(row.last_at, now.peek())}${row.silent ? html` <span class="tag strong">${t("registry.silent")}</span>` : ""}${row.good
        ? ""
        : html` <span class="tag">${t("registry.not_good")}</span>`}</small
    >`;
}

/**
 * @param {{view: {series: SeriesRow[], total: number}, edit: ((row: SeriesRow) => void) | null,
 *   look: ((id: string) => void) | null}} props
 */
export function SeriesTable({ view, edit, look }) {
  const { series, total } = view;
  return html`<div class="sheet block">
      <h2>${t("registry.series")} <small>${t("registry.count", { n: total })}</small></h2>
      ${series.length === 0
        ? html`<${Nothing}>${t("registry.no_series")}<//>`
        : html`<table class="facts stack rows" id="series">
            <thead>
              <tr>
                <th scope="col">${t("registry.name")}</th>
                <th scope="col">${t("registry.area")}</th>
                ${look && html`<th scope="col">${t("registry.device")}</th>`}
                <th scope="col">${t("registry.newest")}</th>
                <th scope="col">${t("registry.limits")}</th>
                ${edit && html`<th></th>`}
              </tr>
            </thead>
            <tbody>
              ${series.map(
                (row) => html`<tr key=${row.series.id} data-series=${row.series.id}>
                  <td class="first">${row.series.name}<small>${row.series.id} · ${t(`category.${row.series.category}`)}</small></td>
                  <td data-label=${t("registry.area")}>${row.area_name}<small>${row.series.source}${
                    row.series.river && ` · ${t("registry.on_river", { river: row.series.river, km: Number(row.series.river_km) })}`
                  }</small></td>
                  ${look &&
                  html`<td data-label=${t("registry.device")}>
                    ${row.series.device
                      ? html`<button class="plain link" onClick=${() => look(/** @type {string} */ (row.series.device))}>${row.series.device}</button
                          ><small class="code">${row.series.channel}</small>`
                      : html`<span class="quiet">HTTP</span>`}
                  </td>`}
                  <td data-label=${t("registry.newest")}><${Last} row=${row} /></td>
                  <td data-label=${t("registry.limits")}><${Limits} limits=${row.series.limits} unit=${row.series.unit} /></td>
                  ${edit &&
                  html`<td data-label="" class="act-cell"><button class="edit" onClick=${() => edit(row)}>${t("registry.edit")}</button></td>`}
                </tr>`,
              )}
            </tbody>
          </table>`}
    </div>
    <${More} total=${total} shown=${series.length} />`;
}

/**
 * One device with its channels, its series and its record.
 * @param {{view: any, back: () => void, edit: any, change: (() => void) | null, claim: ((channel: string) => void) | null}} props
 */
export function Device({ view, back, edit, change, claim }) {
  const row = /** @type {DeviceRow | null} */ (view.device);
  const backLink = html`<button class="plain back" id="back" onClick=${back}>← ${t("registry.back")}</button>`;
  if (!row) return html`${backLink}<div class="sheet block"><${Nothing}>${t("registry.no_such_device")}<//></div>`;
  const facts = [
    [t("registry.line"), html`<${Lamp} on=${row.connected} />`],
    [t("registry.seen"), html`<${Seen} at=${row.seen_at} />`],
    [t("registry.packets"), html`<${Counts} seen=${row} />`],
    [t("registry.address"), html`<span class="code">${row.address}</span><small>${PROTOCOLS[row.protocol]}</small>`],
    [t("registry.peer"), html`<span class="code">${row.peer || "—"}</span>`],
    [t("registry.area"), html`${row.area_name}<small>${row.area}</small>`],
    [t("registry.source"), row.source],
    [t("registry.secrets"), row.secrets ? t("registry.secrets_set") : t("registry.secrets_none")],
  ];
  return html`${backLink}
    <div class="sheet block" id="device" data-device=${row.id}>
      <h2>${row.station || row.name} <small>${row.id}${row.station ? ` · ${row.name}` : ""}</small></h2>
      <p><${Trouble} seen=${row} /></p>
      <dl class="device-facts">${facts.map(([name, value]) => html`<div class=${name === t("registry.address") ? "wide" : ""}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${row.channels.length > 0 &&
      html`<h3>${t("registry.unclaimed")}</h3>
        <p class="quiet">${claim ? t("registry.unclaimed_hint") : t("registry.unclaimed_kept")}</p>
        <${Channels} channels=${row.channels} claim=${claim} />`}
      ${change && html`<p class="device-act"><button id="change-device" onClick=${change}>${t("registry.change_device")}</button></p>`}
    </div>
    <${SeriesTable} view=${view} edit=${edit} look=${null} />
    <${Changes} changes=${view.changes} more=${view.more} />`;
}
