// Forms of the stations' page: a device, a series with its limits. What would change is shown before it is done.

import { command, newKey, Problem, read } from "./api.js";
import { html, signal, useEffect, useRef, useState } from "./lib.js";
import { notice } from "./live.js";
import { Fields } from "./registry-changes.js";
import { LimitRows, numberOf, plainLimit, shownLimit } from "./registry-limits.js";
import { t, tOr } from "./words.js";
import "./types.js";

/**
 * @typedef {import("./types.js").Choices} Choices
 * @typedef {Record<string, any>} Values
 * @typedef {{name: string, label: string, as?: "text" | "number" | "area" | "source" | "category" | "fixed", needed?: boolean}} Field
 * @typedef {{title: string, hint: string, fields: Field[], folded: boolean, values: Values, limits: Values[] | null,
 *   choices: Choices, wish: (values: Values, limits: Values[]) => object, done: () => void}} Form
 */

const form = signal(/** @type {Form | null} */ (null));
const areas = signal(/** @type {[string, string][]} */ ([]));

/** @param {Form} wanted */
async function open(wanted) {
  form.value = wanted;
  if (areas.value.length === 0) {
    try {
      areas.value = (await read("/api/v1/registry/areas")).areas;
    } catch (fault) {
      notice(/** @type {Error} */ (fault).message, true);
    }
  }
}

/**
 * Open the form of a device: one that is registered, or a stranger.
 * @param {any} subject
 * @param {Choices} choices
 * @param {() => void} done
 */
export function openDevice(subject, choices, done) {
  const known = Boolean(subject.id);
  open({
    title: known ? t("registry.change_device") : t("registry.register_device"),
    hint: known ? t("registry.secrets_stay") : t("registry.secrets_later"),
    fields: [
      { name: "protocol", label: "registry_field.protocol", as: "fixed" },
      { name: "address", label: "registry_field.address", as: "fixed" },
      { name: "id", label: "registry_field.id", as: known ? "fixed" : "text", needed: true },
      { name: "name", label: "registry_field.name", needed: true },
      { name: "station", label: "registry_field.station" },
      { name: "area", label: "registry_field.area", as: "area", needed: true },
      { name: "source", label: "registry_field.source", as: "source", needed: true },
      { name: "lat", label: "registry_field.lat", as: "number" },
      { name: "lon", label: "registry_field.lon", as: "number" },
    ],
    values: {
      protocol: subject.protocol,
      address: subject.address,
      id: subject.id ?? "",
      name: subject.name ?? "",
      station: subject.station ?? "",
      area: subject.area ?? "",
      source: subject.source ?? choices.sources[0] ?? "",
      lat: subject.lat ?? "",
      lon: subject.lon ?? "",
    },
    folded: false,
    limits: null,
    choices,
    wish: (values) => ({ devices: [{ ...values, lat: numberOf(values.lat), lon: numberOf(values.lon) }] }),
    done,
  });
}

/**
 * Open the form of a series: one that is registered, or a channel of a device that none claims.
 * @param {any} subject
 * @param {Choices} choices
 * @param {() => void} done
 */
export function openSeries(subject, choices, done) {
  const known = Boolean(subject.id);
  const of = subject.of ?? {};
  const values = known
    ? {
        ...{ ...subject, device: subject.device ?? "", low: subject.low ?? "", high: subject.high ?? "", max_rate: subject.max_rate ?? "" },
        ...{ river: subject.river ?? "", river_km: subject.river_km ?? "" },
      }
    : {
        ...{ id: `${of.id}.${subject.channel}`, name: "", quantity: "", unit: "", area: of.area, category: "" },
        ...{ source: of.source, interval_seconds: 300, low: "", high: "", max_rate: "", device: of.id, channel: subject.channel },
        ...{ river: "", river_km: "" },
      };
  delete values.limits;
  open({
    title: known ? t("registry.change_series") : t("registry.register_series"),
    hint: known
      ? t("registry.limits_hint")
      : t("registry.keep_history", { id: `${of.protocol}.${of.address}.${subject.channel}` }),
    fields: [
      { name: "id", label: "registry_field.id", as: known ? "fixed" : "text", needed: true },
      { name: "name", label: "registry_field.name", needed: true },
      { name: "quantity", label: "registry_field.quantity", needed: true },
      { name: "unit", label: "registry_field.unit" },
      { name: "area", label: "registry_field.area", as: "area", needed: true },
      { name: "category", label: "registry_field.category", as: "category", needed: true },
      { name: "source", label: "registry_field.source", as: "source", needed: true },
      { name: "interval_seconds", label: "registry_field.interval_seconds", as: "number", needed: true },
      { name: "low", label: "registry_field.low", as: "number" },
      { name: "high", label: "registry_field.high", as: "number" },
      { name: "max_rate", label: "registry_field.max_rate", as: "number" },
      { name: "river", label: "registry_field.river" },
      { name: "river_km", label: "registry_field.river_km", as: "number" },
      { name: "device", label: "registry_field.device", as: "fixed" },
      { name: "channel", label: "registry_field.channel", as: "fixed" },
    ],
    folded: known,
    values,
    limits: (subject.limits ?? []).map(shownLimit),
    choices,
    wish: (found, limits) => ({
      series: [
        {
          ...found,
          device: found.device || null,
          interval_seconds: numberOf(found.interval_seconds),
          low: numberOf(found.low),
          high: numberOf(found.high),
          max_rate: numberOf(found.max_rate),
          river: found.river || null,
          river_km: numberOf(found.river_km),
          limits: limits.map(plainLimit),
        },
      ],
    }),
    done,
  });
}

/** @param {{field: Field, values: Values, set: (name: string, value: string) => void, choices: Choices}} props */
function Input({ field, values, set, choices }) {
  const id = `field-${field.name}`;
  const value = values[field.name];
  const typed = (/** @type {any} */ event) => set(field.name, event.target.value);
  /** @param {string[]} options @param {(one: string) => string} say */
  const choose = (options, say) => html`<select id=${id} required=${field.needed} onChange=${typed}>
    ${!options.includes(value) && html`<option value=${value} selected>${value}</option>`}
    ${options.map((one) => html`<option value=${one} selected=${one === value}>${say(one)}</option>`)}
  </select>`;
  const inner = {
    fixed: () => html`<output id=${id} class="code">${value || "—"}</output>`,
    source: () => choose(choices.sources, (slug) => slug),
    category: () => choose(choices.categories, (slug) => t(`category.${slug}`)),
    area: () => html`<input id=${id} type="text" list="areas" inputmode="numeric" required value=${value} onInput=${typed} />`,
    number: () => html`<input id=${id} type="number" step="any" required=${field.needed} value=${value} onInput=${typed} />`,
    text: () => html`<input id=${id} type="text" maxlength="80" required=${field.needed} value=${value} onInput=${typed} />`,
  }[field.as ?? "text"]();
  return html`<label for=${id}><span>${t(field.label)}</span>${inner}</label>`;
}

/** Bring what has just been told into sight, below a long form. @param {unknown} told */
function useSeen(told) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => place.current?.scrollIntoView({ block: "nearest" }), [told]);
  return place;
}

/** @param {{faults: {field: string, reason: string}[]}} props */
function Faults({ faults }) {
  const place = useSeen(faults);
  if (faults.length === 0) return null;
  return html`<div class="said conflict" role="alert" id="faults" ref=${place}>
    ${faults.map(({ field, reason }) => {
      const name = field.replace(/^.*[.:] ?(?=[a-z_]+$)/, "");
      return html`<p><b>${tOr(`registry_field.${name}`, field)}</b> ${reason}</p>`;
    })}
  </div>`;
}

/** @param {{steps: import("./types.js").Step[]}} props */
function Preview({ steps }) {
  const place = useSeen(steps);
  return html`<div class="said" id="preview" ref=${place}>
    <h3>${t("registry.preview")}</h3>
    ${steps.map(
      (step) => html`<p><b>${t(`registry_action.${step.action}`)}</b> ${t(`registry_kind.${step.kind}`)} <span class="code">${step.id}</span> ${step.name}</p>
        <${Fields} step=${step} />`,
    )}
  </div>`;
}

/** @param {{wanted: Form}} props */
function Body({ wanted }) {
  const [values, setValues] = useState(wanted.values);
  const [limits, setLimits] = useState(wanted.limits ?? []);
  const [faults, setFaults] = useState(/** @type {{field: string, reason: string}[]} */ ([]));
  const [steps, setSteps] = useState(/** @type {import("./types.js").Step[] | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [keys] = useState(() => /** @type {Map<string, string>} */ (new Map()));
  const close = () => (form.value = null);
  const same = steps !== null && steps.every((step) => step.action === "same");

  /** @param {"plan" | "change"} path */
  async function send(path) {
    setBusy(true);
    const body = wanted.wish(values, limits);
    const intention = JSON.stringify(body); // sent again after a lost answer, it is the same command
    const key = keys.get(intention) ?? newKey();
    keys.set(intention, key);
    try {
      const answer = await command(`/api/v1/registry/${path}`, body, key);
      setFaults([]);
      if (path === "plan") return setSteps(answer.steps);
      notice(t("registry.saved"));
      close();
      wanted.done();
    } catch (fault) {
      const told = fault instanceof Problem ? fault.document.faults : null;
      setSteps(null);
      setFaults(told ?? [{ field: "", reason: /** @type {Error} */ (fault).message }]);
    } finally {
      setBusy(false);
    }
  }
  /** @param {() => void} change */
  const edit = (change) => {
    setSteps(null); // what was shown is no longer what would be done
    change();
  };
  const fields = html`<div class="fields">
    ${wanted.fields.map(
      (field) => html`<${Input}
        field=${field}
        values=${values}
        choices=${wanted.choices}
        set=${(/** @type {string} */ name, /** @type {string} */ value) => edit(() => setValues({ ...values, [name]: value }))}
      />`,
    )}
  </div>`;
  const limitRows =
    wanted.limits &&
    html`<${LimitRows}
      limits=${limits}
      values=${values}
      choices=${wanted.choices}
      set=${(/** @type {Values[]} */ next) => edit(() => setLimits(next))}
    />`;
  return html`<form
    onInvalidCapture=${() => document.getElementById("more-fields")?.setAttribute("open", "")}
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      send(steps ? "change" : "plan");
    }}
  >
    <h2>${wanted.title} <small class="quiet">${wanted.values.name || wanted.values.address || wanted.values.channel}</small></h2>
    <p class="quiet">${wanted.hint}</p>
    ${wanted.folded ? html`${limitRows}<details class="form" id="more-fields"><summary>${t("registry.more_fields")}</summary>${fields}</details>` : html`${fields}${limitRows}`}
    <${Faults} faults=${faults} />
    ${steps && html`<${Preview} steps=${steps} />`}
    <div class="dialog-acts">
      <button type="button" class="plain" onClick=${close}>${t("registry.cancel")}</button>
      <button class="primary" id="send" disabled=${busy || same}>${steps ? t("registry.confirm") : t("registry.show_change")}</button>
    </div>
  </form>`;
}

/** The one dialog of the page; shut while no form is open. */
export function Dialog() {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const wanted = form.value;
  useEffect(() => {
    if (wanted) box.current?.showModal();
    else box.current?.close();
  }, [wanted]);
  return html`<dialog ref=${box} onClose=${() => (form.value = null)}>
    ${wanted && html`<${Body} key=${wanted.title + wanted.values.id} wanted=${wanted} />`}
    <datalist id="areas">${areas.value.map(([code, name]) => html`<option value=${code}>${name}</option>`)}</datalist>
  </dialog>`;
}
