// The sheet that tells the keys: opened by ?, closed by Escape.

import { html, signal, useModal } from "./lib.js";
import { t } from "./words.js";

const open = signal(false);

/** Open the sheet. */
export function openHelp() {
  open.value = true;
}

/** The sheet, when it is open. @param {{keys: [string, string][]}} props keys with what each does */
export function HelpSheet({ keys }) {
  return open.value && html`<${Sheet} keys=${keys} />`;
}

/** @param {{keys: [string, string][]}} props */
function Sheet({ keys }) {
  const node = useModal();
  const close = () => {
    open.value = false;
  };
  return html`<dialog id="help" class="form-dialog" ref=${node} aria-labelledby="help-title" onClose=${close}>
    <h2 id="help-title">${t("keys.title")}</h2>
    <dl class="keys">
      ${keys.map(
        ([key, what]) => html`<div key=${key}>
          <dt>${key.split(" ").map((each) => html`<kbd>${each}</kbd> `)}</dt>
          <dd>${what}</dd>
        </div>`,
      )}
    </dl>
    <p class="quiet">${t("keys.more")}</p>
    <div class="dialog-foot"><button class="primary" onClick=${close}>${t("form.close")}</button></div>
  </dialog>`;
}
