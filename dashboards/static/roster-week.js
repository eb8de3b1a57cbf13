// A week of the roster: who is on duty at which desk on which day, and where nobody is.

import { html } from "./lib.js";
import { day, hourMinute, language, t, toMs } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").DeskView} DeskView */

export const DAY_MS = 24 * 3600 * 1000;
const ZONE_MS = 8 * 3600 * 1000;
const DAYS = 7;

/** The midnight of the county before a time. @param {number} ms */
export const midnight = (ms) => Math.floor((ms + ZONE_MS) / DAY_MS) * DAY_MS - ZONE_MS;

/** The Monday of the county before a time, at midnight: the first of January 1970 was a Thursday. @param {number} ms */
export function monday(ms) {
  const days = Math.floor((ms + ZONE_MS) / DAY_MS);
  return (days - ((days + 3) % 7)) * DAY_MS - ZONE_MS;
}

const weekday = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { weekday: "short", timeZone: "Asia/Shanghai" });

/**
 * What of a stretch lies in a day, in words; the whole day needs none. Null where nothing does.
 * @param {{starts_at: string, ends_at: string}} stretch
 * @param {number} from the day's midnight
 */
function within(stretch, from) {
  const starts = Math.max(toMs(stretch.starts_at), from);
  const ends = Math.min(toMs(stretch.ends_at), from + DAY_MS);
  if (starts >= ends) return null;
  if (starts === from && ends === from + DAY_MS) return "";
  return `${hourMinute(starts)}–${ends === from + DAY_MS ? "24:00" : hourMinute(ends)}`;
}

/** @param {{desk: DeskView, from: number}} props */
function Cell({ desk, from }) {
  const on = desk.spans.map((span) => ({ span, time: within(span, from) })).filter(({ time }) => time !== null);
  const gaps = desk.vacancies.map((gap) => within(gap, from)).filter((time) => time !== null);
  return html`${on.map(
    ({ span, time }) => html`<span class="shift ${span.disabled ? "off" : ""}" key=${span.user + time}
      >${time && html`<small>${time}</small>`}${span.display}${span.disabled && html` <span class="tag strong">${t("roster.disabled")}</span>`}</span
    >`,
  )}
  ${gaps.map((time) => html`<span class="gap" key=${time}>${time && html`<small>${time}</small>`}${t("roster.vacant")}</span>`)}`;
}

/** @param {{desks: DeskView[], since: number, now: number}} props `since` is the week's Monday, `now` names today */
export function Week({ desks, since, now }) {
  const days = Array.from({ length: DAYS }, (_, n) => since + n * DAY_MS);
  const today = midnight(now);
  if (!desks.length) return html`<p class="quiet">${t("roster.no_desks")}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("roster.week")}>
    <table class="week">
      <thead>
        <tr>
          <th scope="col">${t("roster.desk")}</th>
          ${days.map(
            (from) => html`<th scope="col" key=${from} aria-current=${from === today ? "date" : undefined}>${weekday.format(from)} <small>${day(from)}</small></th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${desks.map(
          (desk) => html`<tr key=${`${desk.area} ${desk.post}`} data-desk=${`${desk.area} ${desk.post}`}>
            <th scope="row">${desk.area_name}<small>${desk.post_name || t("roster.general")}</small></th>
            ${days.map((from) => html`<td key=${from} class=${from === today ? "today" : ""}><${Cell} desk=${desk} from=${from} /></td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
