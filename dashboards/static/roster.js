// The roster (值班表): the week, who stands in, exchanges, hand-overs with their receipts, and the record of changes.

import { Problem, read } from "./api.js";
import { FormDialog, openForm } from "./form.js";
import { html, render, signal } from "./lib.js";
import { follow, notice, now, ready, startOf } from "./live.js";
import { answerForm, deskName, lateMs, signForm, substitutionForm, swapForm, swapSentence } from "./roster-forms.js";
import { DAY_MS, Week, monday } from "./roster-week.js";
import { day, fullDay, t, tOr, toMs, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").HandOver} HandOver @typedef {import("./types.js").Roster} Roster */

const start = startOf();
const mayAct = ["officer", "commander"].includes(start.viewer.role);
/** @type {{value: Roster}} */
const roster = signal(start.roster);
const since = signal(toMs(start.since));
const RECENT = 12;

async function reload() {
  const iso = (/** @type {number} */ ms) => encodeURIComponent(new Date(ms).toISOString());
  try {
    roster.value = (await read(`/api/v1/roster?since=${iso(since.value)}&until=${iso(since.value + 7 * DAY_MS)}`)).roster;
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    notice(fault.message, true);
  }
}

/** @param {number} weeks */
function turn(weeks) {
  since.value = weeks === 0 ? monday(now.peek()) : since.value + weeks * 7 * DAY_MS;
  reload();
}

/** Open a form, and read the roster anew when it was sent. @param {import("./types.js").Form | Promise<import("./types.js").Form>} form */
async function ask(form) {
  try {
    const asked = await form;
    openForm({
      ...asked,
      send: async (values) => {
        const said = await asked.send(values);
        await reload();
        return said;
      },
    });
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    notice(fault.message, true);
  }
}

function Head() {
  return html`<div class="board-head">
    <h1>${t("roster.title")}</h1>
    <span class="quiet" id="week-of">${day(since.value)}–${day(since.value + 6 * DAY_MS)}</span>
    <span class="pair" role="group" aria-label=${t("roster.week")}>
      <button id="week-before" onClick=${() => turn(-1)}>← ${t("roster.before")}</button>
      <button id="week-now" onClick=${() => turn(0)}>${t("roster.this_week")}</button>
      <button id="week-after" onClick=${() => turn(1)}>${t("roster.after")} →</button>
    </span>
    ${mayAct &&
    html`<span class="tools">
      <button id="substitute" onClick=${() => ask(substitutionForm(roster.value.desks))}>${t("roster.substitute")}</button>
      <button id="swap" onClick=${() => ask(swapForm(roster.value.desks, start.viewer.user))}>${t("roster.swap")}</button>
    </span>`}
  </div>`;
}

/** @param {{area: string, post: string}} one */
function deskNamed(one) {
  const desk = roster.value.desks.find((each) => each.area === one.area && each.post === one.post);
  return desk ? deskName(desk) : `${one.area} ${one.post}`;
}

/** How long there is to sign; a component of its own, since it is drawn anew as time passes. @param {{one: HandOver}} props */
function Standing({ one }) {
  if (one.signed_at) return html`<span>${t("roster.signed", { by: one.signed_by ?? "", at: when(one.signed_at, now.value) })}</span>`;
  if (one.replaced) return html`<span>${t("roster.replaced")}</span>`;
  return html`<b>${t(lateMs(one) ? "roster.sign_late" : "roster.sign_by", { at: when(one.sign_by, now.value) })}</b>`;
}

/** @param {{one: HandOver}} props */
function HandOverCard({ one }) {
  const { note } = one;
  const signs = mayAct && !one.signed_at && !one.replaced && one.incoming.includes(start.viewer.display);
  return html`<li data-hand-over=${one.id} class=${one.signed_at ? "" : "unsigned"}>
    <p>
      <b>${deskNamed(one)}</b> <span>${when(one.at, now.peek())}</span>
      <span class="quiet">${one.outgoing.join("、") || t("roster.nobody")} → ${one.incoming.join("、") || t("roster.nobody")}</span>
    </p>
    <p><${Standing} one=${one} /> ${signs && html`<button class="primary" data-sign onClick=${() => ask(signForm(one, deskNamed(one)))}>${t("roster.sign")}</button>`}</p>
    ${one.remark && html`<p>${one.remark}</p>`}
    <details open=${signs}>
      <summary>${t("roster.handed", { open: note.open_cases, overdue: note.overdue_tasks, held: note.held_pages })}</summary>
      <ul class="handed">
        ${note.cases.map(
          (each) =>
            html`<li key=${each.id}><a href=${`/incidents/${each.id}`}>${each.title}</a> <small>${t(`grade.${each.grade}`)} · ${t(`state.${each.state}`)}${!each.acknowledged && ` · ${t("roster.unacknowledged")}`}</small></li>`,
        )}
        ${note.tasks.map((each) => html`<li key=${each.id}>${t("tasks.late")}: <a href=${`/incidents/${each.incident}`}>${each.title}</a> <small>${when(each.due_at, now.peek())}</small></li>`)}
        ${note.pages.map((each) => html`<li key=${each.id}>${t("roster.page")}: <a href=${`/incidents/${each.incident}`}>${each.title}</a> <small>${tOr(`channel.${each.channel}`, each.channel)}</small></li>`)}
        ${note.unsigned_before > 0 && html`<li>${t("roster.unsigned_before", { n: note.unsigned_before })}</li>`}
      </ul>
    </details>
  </li>`;
}

function HandOvers() {
  const all = [...roster.value.hand_overs].sort((a, b) => Number(Boolean(a.signed_at)) - Number(Boolean(b.signed_at)));
  return html`<section class="sheet block" id="hand-overs">
    <h2>${t("roster.hand_overs")}</h2>
    ${all.length ? html`<ul class="cards">${all.slice(0, RECENT).map((one) => html`<${HandOverCard} key=${one.id} one=${one} />`)}</ul>` : html`<p class="quiet">${t("roster.no_hand_overs")}</p>`}
    ${all.length > RECENT && html`<p class="quiet">${t("roster.more", { n: all.length - RECENT })}</p>`}
  </section>`;
}

/** @param {import("./types.js").SwapView} swap */
const swapState = (swap) => (swap.agreed === null ? (swap.lapsed ? "lapsed" : "asked") : swap.agreed ? "agreed" : "declined");

function Swaps() {
  const { swaps } = roster.value;
  return html`<section class="sheet block" id="swaps">
    <h2>${t("roster.swaps")}</h2>
    ${swaps.length
      ? html`<ul class="rows">
          ${swaps.slice(0, RECENT).map(
            (swap) => html`<li key=${swap.id} data-swap=${swap.id}>
              <span>${swapSentence(swap)}<small>${deskNamed(swap)} · ${t(`swap.${swapState(swap)}`)}${swap.note && ` · ${swap.note}`}</small></span>
              ${swapState(swap) === "asked" && swap.other === start.viewer.user && html`<button class="primary" onClick=${() => ask(answerForm(swap))}>${t("roster.answer")}</button>`}
            </li>`,
          )}
        </ul>`
      : html`<p class="quiet">${t("roster.no_swaps")}</p>`}
    ${swaps.length > RECENT && html`<p class="quiet">${t("roster.more", { n: swaps.length - RECENT })}</p>`}
  </section>`;
}

function Changes() {
  const { changes } = roster.value;
  return html`<section class="sheet block" id="roster-changes">
    <h2>${t("roster.changes")} <small>${t("timeline.only_grows")}</small></h2>
    ${changes.length
      ? html`<ol class="timeline">
          ${changes.slice(0, RECENT).map(
            (change) => html`<li key=${change.id}>
              <time datetime=${change.at}>${when(change.at, now.peek())}<small>${fullDay(toMs(change.at))}</small></time>
              <div><p>${tOr(`roster_change.${change.kind}`, change.kind)} · ${deskNamed(change)}${change.note && ` · ${change.note}`}</p><span class="by">${change.actor === "system" ? t("timeline.system") : change.actor}</span></div>
            </li>`,
          )}
        </ol>`
      : html`<p class="quiet">${t("roster.no_changes")}</p>`}
    ${changes.length > RECENT && html`<p class="quiet">${t("roster.more", { n: changes.length - RECENT })}</p>`}
  </section>`;
}

function Page() {
  return html`<${Head} />
    <section class="sheet block"><${Week} desks=${roster.value.desks} since=${since.value} now=${now.peek()} /></section>
    <div class="roster-lower"><${HandOvers} /><div><${Swaps} /><${Changes} /></div></div>
    <${FormDialog} />`;
}

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.replaceChildren();
render(html`<${Page} />`, app);
follow(start, { roster: reload, resync: reload });
setInterval(reload, 60000);
ready();
