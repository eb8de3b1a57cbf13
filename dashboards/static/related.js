// Cases beside a case: what happens near by at the same time, and what was like it before, with what became of it.

import { Problem, read } from "./api.js";
import { html, signal, useEffect } from "./lib.js";
import { now } from "./live.js";
import { sentenceOf } from "./queue-rows.js";
import { t, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").NearCase} NearCase @typedef {import("./types.js").LikeCase} LikeCase */

/** @type {{value: import("./types.js").Related | null}} */
const related = signal(null);
const failed = signal("");

/** @param {string} incident */
async function load(incident) {
  try {
    related.value = await read(`/api/v1/incidents/${incident}/related`);
    failed.value = "";
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    failed.value = fault.message;
  }
}

/** @param {{one: NearCase}} props */
function Near({ one }) {
  return html`<li data-near=${one.nearness}>
    <span class="level level-${one.level}"><b>${t(`level.${one.level}`)}</b></span>
    <span>
      <a href=${`/incidents/${one.id}`}>${sentenceOf(one)}</a>
      <small>${t(`nearness.${one.nearness}`)} · ${one.place_name} · ${when(one.opened_at, now.peek())} · ${t(`state.${one.state}`)}</small>
    </span>
  </li>`;
}

/** @param {{one: LikeCase}} props */
function Like({ one }) {
  return html`<li data-like=${one.likeness}>
    <span class="level level-${one.level}"><b>${t(`level.${one.level}`)}</b></span>
    <span>
      <a href=${`/incidents/${one.id}`}>${sentenceOf(one)}</a>
      <small
        >${when(one.opened_at, now.peek())} · ${one.place_name} ·
        ${one.words.length ? t("related.words", { words: one.words.join("、") }) : t("related.same_place")}</small
      >
      <small class="outcome"
        ><b>${one.verdict ? t(`verdict.${one.verdict}`) : t("why.undecided")}</b> · ${t(`state.${one.state}`)} ${when(one.ended_at, now.peek())}${one.note &&
        html` · <span lang="zh-CN">${one.note}</span>`}</small
      >
    </span>
  </li>`;
}

/** @param {{incident: string, version: number}} props read anew when the case changes */
export function RelatedCases({ incident, version }) {
  useEffect(() => {
    load(incident);
  }, [incident, version]);
  const found = related.value;
  return html`<section class="sheet block" id="related">
    <h2>${t("related.near")} <small>${t("related.near_what")}</small></h2>
    ${failed.value && html`<p class="quiet">${failed.value}</p>`}
    ${found &&
    html`${found.near.length
        ? html`<ul class="beside">${found.near.map((one) => html`<${Near} key=${one.id} one=${one} />`)}</ul>`
        : html`<p class="quiet">${t("related.near_none")}</p>`}
      ${found.more_near && html`<p class="quiet">${t("related.more")}</p>`}
      <h2 class="second">${t("related.like")} <small>${t("related.like_what")}</small></h2>
      ${found.like.length
        ? html`<ul class="beside">${found.like.map((one) => html`<${Like} key=${one.id} one=${one} />`)}</ul>`
        : html`<p class="quiet">${t("related.like_none")}</p>`}
      ${found.more_like && html`<p class="quiet">${t("related.more")}</p>`}`}
  </section>`;
}
