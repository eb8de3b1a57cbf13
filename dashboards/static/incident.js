// One incident: what it is, what it rests on, what was done, and what to do next.

import { Problem, act, read } from "./api.js";
import { Actions } from "./actions.js";
import { consentForm } from "./case-forms.js";
import { LegalClocks } from "./clocks.js";
import { Counts, Curves, EvidenceTable } from "./evidence.js";
import { FormDialog, openForm } from "./form.js";
import { HelpSheet, openHelp } from "./help.js";
import { Pages, Timeline } from "./record.js";
import { RelatedCases } from "./related.js";
import { FieldReports } from "./field-case.js";
import { CallBacks, CaseAlerts, Together } from "./standing.js";
import { Tasks } from "./tasks.js";
import { acknowledge, undo } from "./undo.js";
import { Why } from "./why.js";
import { html, render, signal } from "./lib.js";
import { follow, notice, now, ready, startOf } from "./live.js";
import { ago, language, ROMAN, t, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").View} View */

/** States in which what happened can be looked back at. */
const REVIEWED = new Set(["closed", "reviewed", "false_alarm"]);
const start = startOf();
const internal = new Set(start.internal);
const mayAct = ["officer", "commander"].includes(start.viewer.role);
/** @type {{value: View}} */
const view = signal(start.incident);
const names = signal(start.names);
const busy = signal("");
/** What the last command met: shown beside the buttons until the next one. */
const conflict = signal("");

/** @type {ReturnType<typeof setTimeout> | undefined} */
let pending;

/** Read the incident anew, once for a burst of events. */
function reloadSoon() {
  pending ??= setTimeout(async () => {
    pending = undefined;
    try {
      const found = await read(`/api/v1/incidents/${view.value.row.id}`);
      view.value = found.incident;
      names.value = found.names;
    } catch (fault) {
      notice(/** @type {Error} */ (fault).message, true);
    }
  }, 80);
}

/**
 * @param {string} action
 * @param {string} what the button's words, for the notice
 * @param {object} [body]
 * @returns {Promise<boolean>}
 */
async function send(action, what, body) {
  if (busy.value) return false;
  busy.value = action;
  conflict.value = "";
  try {
    const answer = await act(view.value.row.id, action, body);
    view.value = { ...view.value, row: answer.incident };
    notice(t("act.done", { what }));
    return true;
  } catch (fault) {
    const why = /** @type {Error} */ (fault).message;
    if (fault instanceof Problem && fault.status === 409) conflict.value = why;
    else notice(t("act.failed", { why }), true);
    return false;
  } finally {
    busy.value = "";
    reloadSoon();
  }
}

/** Acknowledge, with ten seconds to take it back; a conflict tells who was first. */
async function takeNote() {
  if (busy.value || view.value.row.acknowledged_at) return;
  busy.value = "acknowledge";
  conflict.value = "";
  const met = await acknowledge(view.value.row.id, (row) => {
    view.value = { ...view.value, row };
    reloadSoon();
  });
  busy.value = "";
  if (met?.status === 409) conflict.value = met.message;
  else if (met) notice(t("act.failed", { why: met.message }), true);
  reloadSoon();
}

function Head() {
  const { row, zh, en, held, awaited } = view.value;
  const [first, second] = language === "zh" ? [zh, en] : [en, zh];
  /** @type {[string, any][]} */
  const facts = [
    ["queue.place", row.place_name],
    ["case.category", t(`category.${row.category}`)],
    ["case.state", html`<b id="state">${t(`state.${row.state}`)}</b>`],
    ["case.holder", row.holder ?? t("case.nobody")],
    ["queue.opened", html`${when(row.opened_at, now.value)} <span class="quiet">${ago(row.opened_at, now.value)}</span>`],
    ["case.alert", t(row.alert_open ? "case.alert_on" : "case.alert_off")],
  ];
  if (awaited.length) facts.push(["case.awaited", awaited.map((/** @type {string} */ level) => t(`tower.${level}`)).join(" · ")]);
  if (held) {
    const until = held.until ? t("case.until", { at: when(held.until, now.value) }) : "";
    facts.push(["case.held", html`<b id="held">${t(`held.${held.kind}`)}</b> ${held.by} · ${held.reason} ${until}`]);
  }
  return html`<header class="sheet case-head level-${row.level}">
    <div class="line">
      <span class="level big level-${row.level}"><b>${t(`level.${row.level}`)}</b><i>${ROMAN[row.grade]}</i></span>
      <span class="quiet">${t(`grade.${row.grade}`)}</span>
      ${internal.has(row.category) && html`<span class="tag">${t("queue.internal")}</span>`}
      ${(row.drill || REVIEWED.has(row.state)) && html`<a href=${`/incidents/${row.id}/review`}>${t("review.title")}</a>`}
    </div>
    <h1>${language === "zh" ? row.title : `${t(`category.${row.category}`)} · ${row.place_name}`}</h1>
    <p class="sentence">${first}</p>
    <p class="other" lang=${language === "zh" ? "en" : "zh-CN"}>${second}</p>
    <dl>
      ${facts.map(
        ([key, value]) => html`<div>
          <dt>${t(key)}</dt>
          <dd>${value}</dd>
        </div>`,
      )}
    </dl>
  </header>`;
}

/** A shelf that waits for a second person: whoever did not ask may stand behind it. */
function Consent() {
  const { row, timeline } = view.value;
  const asked = timeline.findLast((/** @type {import("./types.js").Entry} */ entry) => ["shelf_asked", "shelved", "unshelved"].includes(entry.kind));
  if (!mayAct || asked?.kind !== "shelf_asked" || asked.actor === start.viewer.display || row.acknowledged_at) return null;
  return html`<p class="said" id="consent">
    ${asked.actor}: ${asked.text} <button onClick=${() => openForm(consentForm(row.id, row.title))}>${t("casework.consent")}</button>
  </p>`;
}

function Case() {
  const { row, evidence } = view.value;
  const sight = { view: view.value, area: start.viewer.area, commander: start.viewer.role === "commander", names: names.value };
  return html`<a class="back" href="/">← ${t("case.back")}</a>
    ${row.drill && html`<p class="drill-band">${t("case.drill_band")}</p>`}
    <${Head} />
    <div class="case">
      <div>
        <${Together} view=${view.value} names=${names.value} />
        <${CaseAlerts} view=${view.value} />
        <${LegalClocks} view=${view.value} area=${start.viewer.area} mayAct=${mayAct} />
        <${Why} view=${view.value} names=${names.value} />
        <section class="sheet block">
          <h2>${t("evidence.title")} <small>${t("evidence.count", { n: evidence.length })}</small></h2>
          <${EvidenceTable} evidence=${evidence} names=${names.value} />
        </section>
        <${Counts} evidence=${evidence} names=${names.value} />
        <${Curves} evidence=${evidence} names=${names.value} />
        <${RelatedCases} incident=${row.id} version=${row.version} />
        <${Tasks} sight=${sight} mayAct=${mayAct} />
        <${FieldReports} incident=${view.value.row.id} version=${view.value.row.version} />
        <${CallBacks} view=${view.value} />
        <${Pages} view=${view.value} />
      </div>
      <div class="side">
        <${Consent} />
        <${Actions}
          view=${view.value}
          busy=${busy.value}
          conflict=${conflict.value}
          mayAct=${mayAct}
          me=${start.viewer.display}
          send=${send}
          acknowledge=${takeNote}
          sight=${sight}
        />
        <${Timeline} view=${view.value} />
      </div>
    </div>
    <${FormDialog} /><${HelpSheet} keys=${KEYS} />`;
}

/** @type {[string, string][]} */
const KEYS = [
  ["a", t("keys.acknowledge")],
  ["u", t("keys.undo")],
  ["d", t("keys.decide")],
  ["?", t("keys.help")],
];

addEventListener("keydown", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
  if (event.key === "a" && mayAct) takeNote();
  else if (event.key === "u") undo();
  else if (event.key === "d") /** @type {HTMLElement | null} */ (document.querySelector("#decide input"))?.focus();
  else if (event.key === "?") openHelp();
  else return;
  event.preventDefault();
});

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.replaceChildren();
render(html`<${Case} />`, app);
const mine = (/** @type {string} */ ref) => ref === view.value.row.id;
follow(start, {
  incident: (row) => mine(row.id) && row.version >= view.value.row.version && reloadSoon(),
  page: ({ ref }) => mine(ref) && reloadSoon(),
  task: ({ ref }) => mine(ref) && reloadSoon(),
  gone: ({ ref }) => mine(ref) && reloadSoon(),
  resync: reloadSoon,
});
ready();
