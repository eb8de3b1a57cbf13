// What grid workers reported about a case, with their photos, on the case's page.

import { read } from "./api.js";
import { html, useEffect, useState } from "./lib.js";
import { now } from "./live.js";
import { language, t, when } from "./words.js";

/** @typedef {import("./field-state.js").Report} Report */

/** @param {{incident: string, version: number}} props read anew with each version of the case */
export function FieldReports({ incident, version }) {
  const [reports, setReports] = useState(/** @type {Report[]} */ ([]));
  useEffect(() => {
    read(`/api/v1/incidents/${incident}/field-reports`).then(
      (found) => setReports(found.reports),
      () => {}, // the page's own reading tells what is wrong
    );
  }, [incident, version]);
  if (!reports.length) return null;
  const placeOf = (/** @type {Report} */ report) => (language === "en" && report.area_name_en) || report.area_name;
  return html`<section class="sheet block" id="field-reports">
    <h2>${t("field.from_field")}</h2>
    <ul>
      ${reports.map(
        (report) => html`<li key=${report.id}>
          <p><b>${t(`field.level_${report.level}`)}</b>${" "}${report.text}</p>
          <p class="quiet">${placeOf(report)} · ${when(report.observed_at, now.value)}</p>
          ${report.photo &&
          html`<p>
            <a href=${`/field/photos/${report.id}`} target="_blank" rel="noopener">
              <img src=${`/field/photos/${report.id}`} alt=${t("field.photo_of", { place: placeOf(report) })} loading="lazy" height="120" />
            </a>
          </p>`}
        </li>`,
      )}
    </ul>
  </section>`;
}
