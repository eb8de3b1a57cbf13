// The fields of small dialogs: text, note, choice, list, several of a list, check and time of the county.

import { Problem } from "./api.js";
import { html } from "./lib.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").FormField} FormField */

/** The faults that the server told, by field. @param {Error | null} fault @returns {Map<string, string>} */
export function faultsAt(fault) {
  const told = fault instanceof Problem ? (fault.document.faults ?? []) : [];
  return new Map(told.map((/** @type {{field: string, reason: string}} */ one) => [one.field.split(/[.[]/)[0], one.reason]));
}

/** A time of the county as its field writes it, as the API wants it. @param {string} local such as 2026-03-02T08:20 */
export const atCounty = (local) => (local ? `${local}:00+08:00` : null);

/** A time as its field writes it. @param {number} ms Unix milliseconds */
export const fieldTime = (ms) => new Date(ms + 8 * 3600 * 1000).toISOString().slice(0, 16);

/** @param {{field: FormField, value: any, set: (value: any) => void, id: string, describe: string | undefined}} props */
function Control({ field, value, set, id, describe }) {
  const typed = (/** @type {any} */ event) => set(event.target.value);
  const common = { id, name: field.name, required: field.required, "aria-describedby": describe };
  switch (field.kind) {
    case "note":
      return html`<textarea ...${common} maxlength=${field.most ?? 2000} value=${value} onInput=${typed} />`;
    case "time":
      return html`<input type="datetime-local" ...${common} value=${value} onInput=${typed} />`;
    case "list":
      return html`<select ...${common} onChange=${typed}>
        ${!field.options?.some(([key]) => key === "") && html`<option value="" selected=${!value}>${t("form.choose")}</option>`}
        ${field.options?.map(([key, word]) => html`<option key=${key} value=${key} selected=${String(value) === key}>${word}</option>`)}
      </select>`;
    default:
      return html`<input type="text" ...${common} maxlength=${field.most ?? 200} value=${value} onInput=${typed} />`;
  }
}

/** @param {{field: FormField, value: any, set: (value: any) => void}} props */
function Options({ field, value, set }) {
  const many = field.kind === "many";
  /** @param {string} key */
  const toggled = (key) => (value.includes(key) ? value.filter((/** @type {string} */ each) => each !== key) : [...value, key]);
  return html`<span class="choices ${many ? "many" : ""}">
    ${field.options?.map(
      ([key, word]) => html`<label key=${key}
        ><input
          type=${many ? "checkbox" : "radio"}
          name=${field.name}
          value=${key}
          required=${!many && field.required}
          checked=${many ? value.includes(key) : String(value) === key}
          onChange=${() => set(many ? toggled(key) : key)}
        />${word}</label
      >`,
    )}
  </span>`;
}

/** @param {{field: FormField, value: any, fault: string | undefined, set: (value: any) => void}} props */
export function Field({ field, value, fault, set }) {
  const id = `field-${field.name}`;
  const told = fault && html`<span class="fault" id=${`${id}-fault`} role="alert">${fault}</span>`;
  if (field.kind === "check") {
    return html`<label class="check" for=${id}><input type="checkbox" id=${id} name=${field.name} checked=${value} onChange=${() => set(!value)} />${field.label}</label>${told}`;
  }
  if (field.kind === "choice" || field.kind === "many") {
    return html`<fieldset><legend>${field.label}</legend><${Options} field=${field} value=${value} set=${set} />${told}</fieldset>`;
  }
  return html`<label for=${id}
    ><span>${field.label} ${field.hint && html`<small class="quiet">${field.hint}</small>`}</span>
    <${Control} field=${field} value=${value} set=${set} id=${id} describe=${fault ? `${id}-fault` : undefined} />${told}</label
  >`;
}
