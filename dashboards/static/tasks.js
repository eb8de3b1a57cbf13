// The tasks of a case: where each stands, how long there is, what its unit asks of the level above, and what one may do.

import { command, newKey } from "./api.js";
import { posts } from "./case-forms.js";
import { openForm } from "./form.js";
import { atCounty, fieldTime } from "./form-fields.js";
import { html } from "./lib.js";
import { now } from "./live.js";
import { isEnded } from "./order.js";
import { placesWithin } from "./places.js";
import { rateTaskForm } from "./rating.js";
import { t, timeLeft, toMs, when } from "./words.js";
import "./types.js";

/**
 * @typedef {import("./types.js").Task} Task @typedef {import("./types.js").Plea} Plea @typedef {import("./types.js").Form} Form
 * @typedef {import("./case-forms.js").Sight} Sight
 */

/** What a task may be moved to by naming it (domain/incidents.py, TASK_MOVES). @type {Record<string, string[]>} */
const MOVES = {
  dispatched: ["accepted", "cancelled"],
  refused: ["cancelled"],
  accepted: ["on_site", "done", "cancelled"],
  on_site: ["done", "cancelled"],
  suspended: ["accepted", "on_site", "done", "cancelled"],
  done: ["verified", "accepted", "cancelled"],
  verified: ["closed"],
};
/** What may be asked about a task, and while it stands where; each kind once. @type {Record<string, string[]>} */
const PLEAS = { dispatched: ["refuse", "extend"], accepted: ["suspend", "extend"], on_site: ["suspend", "extend"] };
const ENDED = new Set(["done", "verified", "closed", "rated", "cancelled"]);
const DAY_MS = 24 * 3600 * 1000;

/** @param {Task} task @param {string} state @returns {Form} */
function moveForm(task, state) {
  const key = newKey();
  const what = t(`task_move.${state}`);
  return {
    id: `move-${task.id}-${state}`,
    title: `${task.unit} · ${what}`,
    fields: [{ name: "note", label: t("act.note"), kind: "note", hint: t("act.note_hint") }],
    send: async ({ note }) => {
      await command(`/api/v1/tasks/${task.id}/move`, { state, note }, key);
      return t("act.done", { what });
    },
  };
}

/** @param {Task} task @param {string} kind @returns {Form} */
function askForm(task, kind) {
  const key = newKey();
  const what = t(`plea.${kind}`);
  const refuses = kind === "refuse";
  return {
    id: `ask-${task.id}-${kind}`,
    title: `${task.unit} · ${what}`,
    intro: t(refuses ? "plea.refuse_intro" : "plea.once"),
    fields: [
      ...(refuses
        ? /** @type {import("./types.js").FormField[]} */ ([{ name: "item", label: t("plea.item"), kind: "text", required: true }])
        : /** @type {import("./types.js").FormField[]} */ ([{ name: "until", label: t("plea.until"), kind: "time", value: fieldTime(toMs(task.due_at) + DAY_MS), required: true }])),
      { name: "reason", label: t("form.reason"), kind: "note", required: true },
    ],
    send: async ({ reason, item = "", until = "" }) => {
      await command(`/api/v1/tasks/${task.id}/pleas/${kind}`, { reason, item, until: atCounty(until) }, key);
      return t("act.done", { what });
    },
  };
}

/** @param {Plea} plea @param {string} unit @returns {Promise<Form>} */
async function answerForm(plea, unit) {
  const key = newKey();
  const granted = (/** @type {Record<string, any>} */ values) => plea.kind === "refuse" && values.granted === "yes";
  const areas = plea.kind === "refuse" ? (await placesWithin("")).filter(([code]) => code.length <= 9) : [];
  return {
    id: `answer-${plea.task}-${plea.kind}`,
    title: `${unit} · ${t(`plea.${plea.kind}`)}`,
    intro: plea.reason,
    fields: [
      { name: "granted", label: t("plea.decide"), kind: "choice", options: [["yes", t("plea.granted")], ["no", t("plea.denied")]], required: true },
      { name: "area", label: t("plea.owner"), kind: "list", options: areas, required: true, when: granted },
      { name: "post", label: t("casework.post"), kind: "list", options: plea.kind === "refuse" ? await posts() : [], when: granted },
      { name: "note", label: t("act.note"), kind: "note", hint: t("act.note_hint") },
    ],
    send: async ({ granted: said, note, area = null, post = "" }) => {
      await command(`/api/v1/tasks/${plea.task}/pleas/${plea.kind}/answer`, { granted: said === "yes", note, area, post }, key);
      return t("act.done", { what: t("plea.decide") });
    },
  };
}

/** How long there is; a component of its own, since it is drawn anew as time passes. @param {{task: Task}} props */
function Due({ task }) {
  const left = toMs(task.due_at) - now.value;
  const open = !ENDED.has(task.state);
  return html`<span
    >${when(task.due_at, now.value)}${open &&
    (left < 0 ? html`<small>${t("tasks.late")}</small>` : left < DAY_MS && html`<small>${t("tasks.left", { left: timeLeft(left) })}</small>`)}</span
  >`;
}

/** @param {{plea: Plea, task: Task, mayAct: boolean}} props */
function PleaLine({ plea, task, mayAct }) {
  const until = plea.until ? ` · ${t("case.until", { at: when(plea.until, now.peek()) })}` : "";
  return html`<p class="plea">
    <b>${t(`plea.${plea.kind}`)}</b> ${plea.item && `（${plea.item}）`} ${plea.reason}${until}
    ${plea.outcome
      ? html`<span class="tag">${t(`outcome.${plea.outcome}`)}</span> ${plea.note}`
      : html`<small>${t("plea.answer_by", { at: when(plea.answer_by, now.value) })}</small>
          ${mayAct && html`<button data-plea=${plea.kind} onClick=${() => openForm(answerForm(plea, task.unit))}>${t("plea.decide")}</button>`}`}
  </p>`;
}

/** @param {{task: Task, sight: Sight, pleas: Plea[]}} props */
function TaskActs({ task, sight, pleas }) {
  const asked = new Set(pleas.map((plea) => plea.kind));
  const ended = isEnded(sight.view.row);
  const moves = ended ? [] : (MOVES[task.state] ?? []);
  const may = ended ? [] : (PLEAS[task.state] ?? []).filter((kind) => !asked.has(kind));
  const rates = ["closed", "rated"].includes(task.state);
  if (!moves.length && !may.length && !rates) return null;
  return html`<span class="task-acts">
    ${moves.map((state) => html`<button key=${state} data-task-move=${state} onClick=${() => openForm(moveForm(task, state))}>${t(`task_move.${state}`)}</button>`)}
    ${may.map((kind) => html`<button key=${kind} class="plain" data-ask=${kind} onClick=${() => openForm(askForm(task, kind))}>${t(`plea.${kind}`)}</button>`)}
    ${rates && html`<button data-rate-task onClick=${() => openForm(rateTaskForm(sight, task))}>${t("rating.title")}</button>`}
  </span>`;
}

/** @param {{sight: Sight, mayAct: boolean}} props */
export function Tasks({ sight, mayAct }) {
  const { tasks, pleas } = sight.view;
  return html`<section class="sheet block" id="tasks">
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
              const own = pleas.filter((plea) => plea.task === task.id);
              return html`<tr key=${task.id} data-task=${task.id}>
                <td class="first">
                  ${task.unit}
                  ${own.map((plea) => html`<${PleaLine} key=${plea.kind} plea=${plea} task=${task} mayAct=${mayAct} />`)}
                  ${mayAct && html`<${TaskActs} task=${task} sight=${sight} pleas=${own} />`}
                </td>
                <td data-label=${t("tasks.state")}>${t(`task_state.${task.state}`)}</td>
                <td data-label=${t("tasks.dispatched")}>${when(task.dispatched_at, now.peek())}</td>
                <td data-label=${t("tasks.due")}><${Due} task=${task} /></td>
              </tr>`;
            })}
          </tbody>
        </table>`}
  </section>`;
}
