// Why an alert: what was expected and seen, how rare that is, since when, what else moves, and what was like it before.

import { html } from "./lib.js";
import { now } from "./live.js";
import { number, percent, t, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Finding} Finding */

const MOST_NAMED = 5;
const FEWEST_QUIET = 2;
const MOST_ARRIVALS = 3;

/** How rare as a whole number that can be read out; beyond a thousand million it is a power of ten. @param {number} p */
function oneIn(p) {
  const power = Math.round(-Math.log10(Math.max(p, 1e-300)));
  if (power > 9) return `10${[...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
  return number(10 ** Math.max(power, 1));
}

/** @param {{view: View, names: Record<string, string>}} props */
function Nearby({ view, names }) {
  const { nearby, quiet } = /** @type {import("./types.js").Explanation} */ (view.explanation);
  const lone = nearby.length === 0 && quiet >= FEWEST_QUIET;
  const rest = nearby.length - MOST_NAMED;
  return html`<div class="wide">
      <dt>${t("why.nearby")}</dt>
      <dd>
        ${nearby.length
          ? html`<ul class="nearby">
              ${nearby.slice(0, MOST_NAMED).map((name) => html`<li key=${name}>${names[name] ?? name}</li>`)}
              ${rest > 0 && html`<li class="quiet">${t("why.nearby_more", { n: rest })}</li>`}
            </ul>`
          : t("why.nearby_none")}
        ${lone && html`<small>${t("why.lone")}</small>`}
      </dd>
    </div>
    <div>
      <dt>${t("why.quiet")}</dt>
      <dd>${quiet ? t("why.quiet_value", { n: quiet }) : "—"}</dd>
    </div>`;
}

/** @param {{view: View, names: Record<string, string>}} props */
function Precedent({ view, names }) {
  const precedent = view.explanation?.precedent;
  if (!precedent) return null;
  const place = names[precedent.place] ?? precedent.place;
  const said = html`${when(precedent.opened_at, now.value)} ${place} ${t(`level.${precedent.level}`)}`;
  return html`<div class="wide">
    <dt>${t("why.precedent")}</dt>
    <dd>
      ${view.precedent ? html`<a id="precedent" href="/incidents/${view.precedent}">${said}</a>` : said}${" · "}
      <b>${precedent.verdict ? t(`verdict.${precedent.verdict}`) : t("why.undecided")}</b>
    </dd>
  </div>`;
}

/** @param {{finding: Finding, names: Record<string, string>}} props */
function Arrivals({ finding, names }) {
  return html`<div class="wide">
    <dt>${t("why.arrival")}</dt>
    <dd>
      ${finding.arrivals.slice(0, MOST_ARRIVALS).map(
        (one) => html`<div key=${one.series}>
          ${t("why.arrival_value", {
            name: names[one.series] ?? one.series,
            from: when(one.earliest, now.value),
            until: when(one.latest, now.value),
          })}
        </div>`,
      )}
    </dd>
  </div>`;
}

/** @param {{view: View, names: Record<string, string>}} props */
export function Why({ view, names }) {
  const { explanation, evidence } = view;
  if (!explanation) return null;
  const decisive = evidence.find((finding) => finding.id === explanation.decisive) ?? evidence[0];
  const passing = evidence.find((finding) => finding.arrivals?.length && finding.state !== "cleared");
  /** @param {number | null} value */
  const amount = (value) => `${number(value)} ${value === null ? "" : (decisive?.unit ?? "")}`.trim();
  /** @type {[string, any][]} */
  const facts = decisive
    ? [
        ["why.seen", amount(decisive.observed)],
        ["why.expected", amount(decisive.expected)],
        ["why.rarity", decisive.p_value === null ? "—" : t("why.rarity_value", { n: oneIn(decisive.p_value) })],
        ["why.since", when(decisive.period_start, now.value)],
      ]
    : [];
  if (view.chance !== null) facts.push(["why.chance", percent(view.chance)]);
  return html`<section class="sheet block" id="why">
    <h2>${t("why.title")} ${decisive && html`<small>${names[decisive.subject] ?? names[decisive.area] ?? decisive.subject}</small>`}</h2>
    ${view.held_back && html`<p class="said">${t("why.held_back", { why: t(`held_back.${view.held_back}`) })}</p>`}
    <dl class="why">
      ${facts.map(
        ([key, value]) => html`<div key=${key}>
          <dt>${t(key)}</dt>
          <dd>${value}</dd>
        </div>`,
      )}
      <${Nearby} view=${view} names=${names} />
      ${passing && html`<${Arrivals} finding=${passing} names=${names} />`}
      <${Precedent} view=${view} names=${names} />
    </dl>
  </section>`;
}
