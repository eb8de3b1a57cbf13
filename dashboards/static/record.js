// The record of a case: its timeline, which only grows, and the pages that were sent.

import { html } from "./lib.js";
import { now } from "./live.js";
import { clockTime, day, language, t, tOr, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").View} View */

/**
 * Timelines are written in Chinese, for the record; readers of another language get the kind of entry in theirs.
 * @param {import("./types.js").Entry} entry
 */
function wordOf(entry) {
  if (entry.kind === "moved") return t("entry.moved", { state: t(`state.${entry.detail.to}`) });
  if (entry.kind === "decided") return t("act.decided", { verdict: t(`verdict.${entry.detail.verdict}`) });
  return tOr(`entry.${entry.kind}`, entry.kind);
}

/** @param {{view: View}} props */
export function Timeline({ view }) {
  const entries = [...view.timeline].reverse();
  return html`<section class="sheet block record">
    <h2>${t("timeline.title")} <small>${t("timeline.only_grows")}</small></h2>
    <ol class="timeline">
      ${entries.map(
        (entry) => html`<li key=${entry.id} class=${entry.kind}>
          <time datetime=${entry.at}>${clockTime(entry.at)}<small>${day(entry.at)}</small></time>
          <div>
            ${language !== "zh" && html`<b>${wordOf(entry)}</b>`}
            <p lang="zh-CN">${entry.text}</p>
            <span class="by">${entry.actor === "system" ? t("timeline.system") : entry.actor}</span>
          </div>
        </li>`,
      )}
    </ol>
  </section>`;
}

/** @param {{view: View}} props */
export function Pages({ view }) {
  const { pages } = view;
  return html`<section class="sheet block">
    <h2>${t("pages.title")}</h2>
    ${pages.length === 0
      ? html`<p class="quiet">${t("pages.none")}</p>`
      : html`<table class="facts stack">
          <thead>
            <tr>
              ${["to", "channel", "state", "at"].map((name) => html`<th scope="col">${t(`pages.${name}`)}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${pages.map(
              (page) => html`<tr key=${page.id}>
                <td class="first">${page.recipient}<small>${t("act.step", { n: page.step + 1 })}</small></td>
                <td data-label=${t("pages.channel")}>${tOr(`channel.${page.channel}`, page.channel)}</td>
                <td data-label=${t("pages.state")}>
                  <span
                    >${t(`page_state.${page.state}`)}<small
                      >${tOr(`page_reason.${page.reason}`, page.reason)}${page.attempts > 1 && ` · ${t("pages.tries", { n: page.attempts })}`}</small
                    ></span
                  >
                </td>
                <td data-label=${t("pages.at")}>${when(page.delivered_at ?? page.created_at, now.value)}</td>
              </tr>`,
            )}
          </tbody>
        </table>`}
  </section>`;
}
