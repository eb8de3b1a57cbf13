// Limits in the form of a series: a row each, as a value or as an air quality index.

import { html } from "./lib.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {Record<string, any>} Values */

const MOST_LIMITS = 4;
const HYSTERESIS = 0.05;

/** @param {any} value what a number field holds */
export const numberOf = (value) => (value === "" || value === null || value === undefined ? null : Number(value));

/** A limit as the form has it. @param {any} limit @returns {Values} */
export const shownLimit = (limit) => ({ ...limit, by: limit.aqi === null ? "value" : "aqi" });

/** A limit as the API takes it. @param {Values} limit */
export function plainLimit({ by, level, value, aqi, averaging, direction, consecutive, hysteresis, basis }) {
  const common = { level: Number(level), consecutive: numberOf(consecutive), hysteresis };
  if (by === "aqi") return { ...common, aqi: numberOf(aqi), averaging };
  return { ...common, value: numberOf(value), direction, basis };
}

/**
 * @param {{limit: Values, number: number, unit: string, times: string[], set: (change: Values) => void,
 *   remove: () => void}} props
 */
function LimitRow({ limit, number, unit, times, set, remove }) {
  const changed = (/** @type {string} */ name) => (/** @type {any} */ event) => set({ [name]: event.target.value });
  return html`<fieldset class="limit-row level-${limit.level}">
    <p class="limit-head">
      <b>${t("registry.limit_n", { n: number })}</b>
      <button type="button" class="plain remove" onClick=${remove}>${t("registry.limit_remove")}</button>
    </p>
    <label
      ><span>${t("registry.limit_level")}</span
      ><select onChange=${changed("level")}>
        ${[1, 2, 3, 4].map((level) => html`<option value=${level} selected=${Number(limit.level) === level}>${t(`level.${level}`)}</option>`)}
      </select></label
    >
    ${times.length > 0 &&
    html`<label
      ><span>${t("registry.limit_by")}</span
      ><select class="by" onChange=${changed("by")}>
        <option value="value" selected=${limit.by === "value"}>${t("registry.by_value")}</option>
        <option value="aqi" selected=${limit.by === "aqi"}>${t("registry.by_aqi")}</option>
      </select></label
    >`}
    ${limit.by === "aqi"
      ? html`<label
            ><span>${t("registry.limit_aqi")}</span><input class="aqi" type="number" min="1" max="500" required value=${limit.aqi ?? ""} onInput=${changed("aqi")}
          /></label>
          <label
            ><span>${t("registry.limit_averaging")}</span
            ><select onChange=${changed("averaging")}>
              ${times.map((time) => html`<option value=${time} selected=${time === limit.averaging}>${time}</option>`)}
            </select></label
          >`
      : html`<label
            ><span>${t("registry.limit_direction")}</span
            ><select onChange=${changed("direction")}>
              <option value="above" selected=${limit.direction === "above"}>${t("registry.above")}</option>
              <option value="below" selected=${limit.direction === "below"}>${t("registry.below")}</option>
            </select></label
          >
          <label
            ><span>${t("registry.limit_value")} ${unit}</span
            ><input class="value" type="number" step="any" required value=${limit.value ?? ""} onInput=${changed("value")}
          /></label>`}
    <label
      ><span>${t("registry.limit_consecutive")}</span
      ><input type="number" min="1" max="60" required value=${limit.consecutive} onInput=${changed("consecutive")}
    /></label>
    ${limit.by !== "aqi" &&
    html`<label class="basis"><span>${t("registry.limit_basis")}</span><input type="text" maxlength="200" value=${limit.basis} onInput=${changed("basis")} /></label>`}
  </fieldset>`;
}

/** @param {{limits: Values[], set: (limits: Values[]) => void, values: Values, choices: import("./types.js").Choices}} props */
export function LimitRows({ limits, set, values, choices }) {
  const times = choices.scales[values.quantity] ?? [];
  const fresh = { level: 1, by: "value", value: "", aqi: null, averaging: times[0] ?? "", direction: "above", consecutive: 2, hysteresis: HYSTERESIS, basis: "" };
  return html`<h3>${t("registry.limits")}</h3>
    ${limits.map(
      (limit, at) => html`<${LimitRow}
        limit=${limit}
        number=${at + 1}
        unit=${values.unit}
        times=${times}
        set=${(/** @type {Values} */ change) => {
          const next = { ...limit, ...change };
          if (next.by === "aqi" && !times.includes(next.averaging)) next.averaging = times[0] ?? "";
          set(limits.map((one, number) => (number === at ? next : one)));
        }}
        remove=${() => set(limits.filter((_, number) => number !== at))}
      />`,
    )}
    ${limits.length < MOST_LIMITS &&
    html`<p><button type="button" id="add-limit" onClick=${() => set([...limits, fresh])}>${t("registry.limit_add")}</button></p>`}`;
}
