// What a case is made of and who deals with it: its alerts, the areas of a joint one, the case that it went into, call-backs.

import { html } from "./lib.js";
import { now } from "./live.js";
import { language, t, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").View} View */

/**
 * The alerts of a case that has several: one is told by the head of the page.
 * @param {{view: View}} props
 */
export function CaseAlerts({ view }) {
  if (view.alerts.length < 2) return null;
  return html`<section class="sheet block" id="alerts">
    <h2>${t("joined.alerts")} <small>${t("joined.count", { n: view.alerts.length })}</small></h2>
    <table class="facts stack">
      <thead>
        <tr>
          ${["level", "what", "state", "since"].map((name) => html`<th scope="col">${t(`joined.${name}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${view.alerts.map(
          (alert) => html`<tr key=${alert.id}>
            <td class="first"><span class="level level-${alert.level}"><b>${t(`level.${alert.level}`)}</b></span></td>
            <td data-label=${t("joined.what")}>${language === "zh" ? alert.zh : alert.en}<small>${alert.place_name}</small></td>
            <td data-label=${t("joined.state")}>${t(alert.change === "cleared" ? "joined.over" : "joined.on")}</td>
            <td data-label=${t("joined.since")}>${when(alert.opened_at, now.value)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/**
 * Where a merged case went, and who deals with a joint one.
 * @param {{view: View, names: Record<string, string>}} props
 */
export function Together({ view, names }) {
  const { merged_into, coordinator, parties } = view;
  if (!merged_into && parties.length === 0) return null;
  return html`<section class="sheet block" id="together">
    ${merged_into && html`<p><a id="merged-into" href=${`/incidents/${merged_into}`}>${t("joined.merged_into")}</a></p>`}
    ${parties.length > 0 &&
    html`<h2>${t("joined.joint")}</h2>
      ${coordinator && html`<p>${t("joined.coordinates", { area: names[coordinator] ?? coordinator })}</p>`}
      <ul>
        ${parties.map(
          (party) => html`<li key=${party.area}>
            ${party.area_name} <small>${when(party.joined_at, now.value)}</small> ·${" "}
            ${party.seen_at ? t("joined.seen", { by: party.seen_by ?? "", at: when(party.seen_at, now.value) }) : t("joined.not_seen")}
          </li>`,
        )}
      </ul>`}
  </section>`;
}

/**
 * What people concerned said afterwards.
 * @param {{view: View}} props
 */
export function CallBacks({ view }) {
  if (view.ratings.length === 0) return null;
  return html`<section class="sheet block" id="call-backs">
    <h2>${t("joined.call_backs")}</h2>
    <ul>
      ${view.ratings.map(
        (rating) => html`<li key=${`${rating.task}-${rating.number}`}>
          <b>${rating.reached ? t(`satisfied.${rating.satisfied}`) : t("joined.not_reached")}</b>
          ${rating.number > 1 && html` <small>${t("joined.corrected")}</small>`} ${rating.note}
          <small>${rating.rated_by} · ${when(rating.rated_at, now.value)}</small>
        </li>`,
      )}
    </ul>
  </section>`;
}
