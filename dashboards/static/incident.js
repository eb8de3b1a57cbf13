// One incident: what it is, what it rests on, what was done, and what to do next.

import { Problem, act, read } from "./api.js";
import { Actions } from "./actions.js";
import { LegalClocks } from "./clocks.js";
import { Counts, Curves, EvidenceTable } from "./evidence.js";
import { CallBacks, CaseAlerts, Together } from "./standing.js";
import { Why } from "./why.js";
import { html, render, signal } from "./lib.js";
import { follow, notice, now, ready, startOf } from "./live.js";
import { ago, clockTime, day, language, ROMAN, t, tOr, toMs, when } from "./words.js";
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

/**
 * Timelines are written in Chinese, for the record; readers of another language get the kind of entry in theirs.
 * @param {import("./types.js").Entry} entry
 */
function wordOf(entry) {
  if (entry.kind === "moved") return t("entry.moved", { state: t(`state.${entry.detail.to}`) });
  if (entry.kind === "decided") return t("act.decided", { verdict: t(`verdict.${entry.detail.verdict}`) });
  return tOr(`entry.${entry.kind}`, entry.kind);
}

function Timeline() {
  const entries = [...view.value.timeline].reverse();
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

function Tasks() {
  const { tasks } = view.value;
  return html`<section class="sheet block">
    <h2>${t("tasks.title")}</h2>
    ${tasks.length === 0
      ? html`<p class="quiet">${t("tasks.none")}</p>`
      : html`<table class="facts stack">
          <thead>
            <tr>
              ${["unit", "state", "dispatched", "due"].map((name) => html`<th scope="col">${t(`tasks.${name}`)}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${tasks.map((task) => {
              const open = !["done", "verified", "closed", "rated", "cancelled"].includes(task.state);
              return html`<tr key=${task.id}>
                <td class="first">${task.unit}</td>
                <td data-label=${t("tasks.state")}>${t(`task_state.${task.state}`)}</td>
                <td data-label=${t("tasks.dispatched")}>${when(task.dispatched_at, now.value)}</td>
                <td data-label=${t("tasks.due")}>
                  <span>${when(task.due_at, now.value)}${open && toMs(task.due_at) < now.value && html`<small>${t("tasks.late")}</small>`}</span>
                </td>
              </tr>`;
            })}
          </tbody>
        </table>`}
  </section>`;
}

function Pages() {
  const { pages } = view.value;
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

function Case() {
  const { row, evidence } = view.value;
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
        <${Tasks} />
        <${CallBacks} view=${view.value} />
        <${Pages} />
      </div>
      <div class="side">
        <${Actions} view=${view.value} busy=${busy.value} conflict=${conflict.value} mayAct=${mayAct} me=${start.viewer.display} send=${send} />
        <${Timeline} />
      </div>
    </div>`;
}

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
