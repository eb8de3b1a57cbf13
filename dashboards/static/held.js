// What pages nobody at present, and why: shelved cases, shelves that wait for a second person, maintenance and its plans.

import { Problem, command, newKey, read } from "./api.js";
import { consentForm } from "./case-forms.js";
import { openForm } from "./form.js";
import { atCounty, fieldTime } from "./form-fields.js";
import { html, signal, useModal } from "./lib.js";
import { notice, now } from "./live.js";
import { placesWithin } from "./places.js";
import { t, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Maintenance} Maintenance @typedef {import("./types.js").Holding} Holding */

const open = signal(false);
/** @type {{value: Holding | null}} */
const holding = signal(null);
const HOUR_MS = 3600 * 1000;

async function load() {
  try {
    const [held, planned] = await Promise.all([read("/api/v1/held"), read("/api/v1/maintenance")]);
    holding.value = { ...held, ...planned };
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    notice(fault.message, true);
  }
}

/** Open the panel and read what it shows. */
export function openHeld() {
  open.value = true;
  load();
}

/** @param {{me: string}} props */
export function HeldPanel({ me }) {
  return open.value && html`<${Panel} me=${me} />`;
}

/** Open a form in place of the panel. @param {import("./types.js").Form | Promise<import("./types.js").Form>} form */
function instead(form) {
  open.value = false;
  openForm(form);
}

/** @param {Maintenance} row @param {"consent" | "end"} what @returns {import("./types.js").Form} */
const maintenanceForm = (row, what) => ({
  id: `${what}-${row.id}`,
  title: t(what === "end" ? "holding.end" : "casework.consent"),
  intro: `${row.area_name} · ${row.reason}`,
  fields: [],
  send: async () => {
    await command(`/api/v1/maintenance/${row.id}/${what}`, {}, newKey());
    return t("act.done", { what: t(what === "end" ? "holding.end" : "casework.consent") });
  },
});

/** @returns {Promise<import("./types.js").Form>} */
async function planForm() {
  const key = newKey();
  const [found, areas] = await Promise.all([read("/api/v1/seat/categories"), placesWithin("")]);
  const start = now.peek();
  return {
    id: "plan-maintenance",
    title: t("holding.plan"),
    intro: t("holding.plan_intro"),
    fields: [
      { name: "area", label: t("casework.area"), kind: "list", options: areas, required: true },
      { name: "category", label: t("case.category"), kind: "list", options: [["", "—"], ...found.categories.map((/** @type {string} */ slug) => [slug, t(`category.${slug}`)])] },
      { name: "series", label: t("holding.series"), kind: "text", hint: t("holding.optional") },
      { name: "device", label: t("holding.device"), kind: "text", hint: t("holding.optional") },
      { name: "starts_at", label: t("holding.from"), kind: "time", value: fieldTime(start), required: true },
      { name: "ends_at", label: t("holding.until"), kind: "time", value: fieldTime(start + 2 * HOUR_MS), required: true },
      { name: "reason", label: t("form.reason"), kind: "note", required: true },
    ],
    send: async (values) => {
      await command("/api/v1/maintenance", { ...values, starts_at: atCounty(values.starts_at), ends_at: atCounty(values.ends_at) }, key);
      return t("act.done", { what: t("holding.plan") });
    },
  };
}

/** @param {{me: string}} props */
function Panel({ me }) {
  const node = useModal();
  const close = () => {
    open.value = false;
  };
  const found = holding.value;
  return html`<dialog id="held-panel" class="form-dialog broad" ref=${node} aria-labelledby="held-title" onClose=${close}>
    <h2 id="held-title">${t("holding.title")}</h2>
    <p class="quiet">${t("holding.intro")}</p>
    ${found ? html`<${Waiting} found=${found} me=${me} /><${HeldCases} found=${found} /><${Planned} found=${found} me=${me} />` : html`<p class="quiet">${t("app.loading")}</p>`}
    <div class="dialog-foot">
      <button id="plan-maintenance" onClick=${() => instead(planForm())}>${t("holding.plan")}</button>
      <button class="primary" onClick=${close}>${t("form.close")}</button>
    </div>
  </dialog>`;
}

/** @param {{found: Holding, me: string}} props */
function Waiting({ found, me }) {
  if (!found.waiting.length) return null;
  return html`<h3>${t("holding.waiting")}</h3>
    <ul class="rows">
      ${found.waiting.map(
        (one) => html`<li key=${one.incident}>
          <span><a href=${`/incidents/${one.incident}`}>${one.title}</a><small>${one.by} · ${one.reason} · ${t("case.until", { at: when(one.until, now.value) })}</small></span>
          ${one.by !== me && html`<button onClick=${() => instead(consentForm(one.incident, one.title))}>${t("casework.consent")}</button>`}
        </li>`,
      )}
    </ul>`;
}

/** @param {{found: Holding}} props */
function HeldCases({ found }) {
  return html`<h3>${t("holding.cases")}</h3>
    ${found.held.length === 0
      ? html`<p class="quiet">${t("holding.no_cases")}</p>`
      : html`<ul class="rows">
          ${found.held.map(
            (one) => html`<li key=${one.incident}>
              <span
                ><a href=${`/incidents/${one.incident}`}>${one.title}</a
                ><small>${t(`held.${one.held.kind}`)} · ${one.held.by} · ${one.held.reason}${one.held.until && ` · ${t("case.until", { at: when(one.held.until, now.value) })}`}</small></span
              >
            </li>`,
          )}
        </ul>`}`;
}

/** @param {{found: Holding, me: string}} props */
function Planned({ found, me }) {
  return html`<h3>${t("holding.maintenance")}</h3>
    ${found.maintenance.length === 0
      ? html`<p class="quiet">${t("holding.no_maintenance")}</p>`
      : html`<ul class="rows">
          ${found.maintenance.map(
            (one) => html`<li key=${one.id}>
              <span
                >${[one.area_name, one.category && t(`category.${one.category}`), one.series, one.device].filter(Boolean).join(" · ")}
                <small>${when(one.starts_at, now.value)}–${when(one.ends_at, now.value)} · ${one.reason} · ${one.planned_by}${one.consented_by && ` · ${one.consented_by}`}</small></span
              >
              ${!one.ended_at &&
              html`<span class="pair">
                ${!one.consented_by && one.planned_by !== me && html`<button onClick=${() => instead(maintenanceForm(one, "consent"))}>${t("casework.consent")}</button>`}
                <button onClick=${() => instead(maintenanceForm(one, "end"))}>${t("holding.end")}</button>
              </span>`}
            </li>`,
          )}
        </ul>`}`;
}
