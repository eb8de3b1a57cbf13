// Small dialogs: a command with its fields and a reason, described as data. What is typed is kept until it is sent.

import { Problem } from "./api.js";
import { useDraft } from "./drafts.js";
import { html, signal, useModal, useState } from "./lib.js";
import { notice } from "./live.js";
import { Field, faultsAt } from "./form-fields.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Form} Form */

/** The form that is open. @type {{value: Form | null}} */
const open = signal(null);

/**
 * Open a form in a dialog; the page must show `<FormDialog />`. One that reads its lists first comes as a promise.
 * @param {Form | Promise<Form>} form
 */
export async function openForm(form) {
  try {
    open.value = await form;
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    notice(fault.message, true);
  }
}

/** The dialog of the form that is open. */
export function FormDialog() {
  const form = open.value;
  return form && html`<${Dialog} key=${form.id} form=${form} />`;
}

/** @param {Form["fields"]} fields */
const initialOf = (fields) => Object.fromEntries(fields.map((field) => [field.name, field.value ?? (field.kind === "check" ? false : field.kind === "many" ? [] : "")]));

/** @param {{form: Form}} props */
function Dialog({ form }) {
  const node = useModal();
  const [values, set, forget] = useDraft(`${location.pathname}#${form.id}`, initialOf(form.fields));
  const [fault, setFault] = useState(/** @type {Error | null} */ (null));
  const [busy, setBusy] = useState(false);
  const fields = form.fields.filter((field) => !field.when || field.when(values));
  const close = () => {
    if (open.value === form) open.value = null;
  };

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault(null);
    try {
      const said = await form.send(Object.fromEntries(fields.map((field) => [field.name, values[field.name]])));
      forget();
      close();
      notice(said);
    } catch (met) {
      if (!(met instanceof Problem)) throw met;
      setFault(met);
    } finally {
      setBusy(false);
    }
  }

  const faults = faultsAt(fault);
  const named = new Set(fields.map((field) => field.field ?? field.name));
  const rest = fault && [...faults.keys()].every((name) => named.has(name)) && faults.size ? "" : (fault?.message ?? "");
  return html`<dialog class="form-dialog" id=${`dialog-${form.id}`} ref=${node} aria-labelledby="dialog-title" onClose=${close}>
    <form onSubmit=${submit}>
      <h2 id="dialog-title">${form.title}</h2>
      ${form.intro && html`<p class="quiet">${form.intro}</p>`}
      ${fields.map(
        (field) =>
          html`<${Field}
            key=${field.name}
            field=${field}
            value=${values[field.name]}
            fault=${faults.get(field.field ?? field.name)}
            set=${(/** @type {any} */ value) => set({ [field.name]: value })}
          />`,
      )}
      ${rest && html`<p class="said conflict" role="alert">${rest}</p>`}
      <div class="dialog-foot">
        <button type="button" onClick=${close}>${t("form.cancel")}</button>
        <button class="primary" disabled=${busy}>${form.button ?? t("form.send")}</button>
      </div>
    </form>
  </dialog>`;
}
