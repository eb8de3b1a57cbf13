// The record of changes, and what a change does to an entry's fields.

import { html } from "./lib.js";
import { now } from "./live.js";
import { language, number, t, tOr, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").RegistryChange} RegistryChange */

/** @param {{changes: RegistryChange[], more: boolean}} props */
export function Changes({ changes, more }) {
  return html`<div class="sheet block" id="changes">
    <h2>${t("registry.changes")} <small>${t("timeline.only_grows")}</small></h2>
    ${changes.length === 0
      ? html`<p class="nothing quiet">${t("registry.no_changes")}</p>`
      : html`<ol class="timeline">
          ${changes.map(
            (change) => html`<li key=${change.id}>
              <time datetime=${change.at}>${when(change.at, now.peek())}</time>
              <div>
                <p><b>${t(`registry_action.${change.action}`)}</b> ${t(`registry_kind.${change.kind}`)} <span class="code">${change.ref}</span></p>
                <${Fields} step=${change} />
                <p class="by">${change.actor === "system" ? t("timeline.system") : change.actor}</p>
              </div>
            </li>`,
          )}
        </ol>`}
    ${more && html`<p class="more quiet">${t("registry.older")}</p>`}
  </div>`;
}

/**
 * Which fields a step changes; of a new or removed entry only its limits are told.
 * @param {{step: {action: string, fields: Record<string, [any, any]>}}} props
 */
export function Fields({ step }) {
  const names = Object.keys(step.fields).filter((name) => step.action === "changed" || name === "limits");
  return names.map((name) => {
    const [before, after] = step.fields[name];
    return html`<p class="field"><span class="quiet">${tOr(`registry_field.${name}`, name)}</span> ${words(name, before)} → ${words(name, after)}</p>`;
  });
}

/** @param {string} name @param {any} value */
function words(name, value) {
  if (name === "limits" && Array.isArray(value))
    return value.map((limit) => `${t(`level.${limit.level}`)} ${limit.direction === "above" ? ">" : "<"} ${number(limit.value)}`).join(language === "zh" ? "、" : ", ") || "—";
  if (name === "secrets") return value ? t("registry.secrets_set") : "—";
  return value === null || value === "" ? "—" : String(value);
}
