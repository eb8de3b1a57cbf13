// Tasks: the next step is one large button; what may be asked of the level above stands below it.

import { countyNow, day, items, submit, waiting } from "./field-state.js";
import { html, signal, useState } from "./lib.js";
import { ROMAN, language, t, toMs, when } from "./words.js";

/** @typedef {import("./field-state.js").Task} Task */

/** The next step of a task, by its state; the rest needs somebody else. @type {Record<string, string[]>} */
const STEPS = { dispatched: ["accepted"], accepted: ["on_site", "done"], suspended: ["on_site", "done"], on_site: ["done"] };
/** @type {Record<string, string[]>} */
const PLEAS = { dispatched: ["refuse"], accepted: ["suspend", "extend"], on_site: ["suspend", "extend"] };
const DAY_MS = 86400000;
const SHARES = [0.25, 0.5, 0.95];

/** The case that a notification was about. */
export const chosen = signal(new URLSearchParams(location.search).get("case") ?? "");

/** Where a task will stand when what waits on this phone has been sent. @param {Task} task */
function stateOf(task) {
  const moves = waiting.value.filter((item) => item.task === task.id);
  const last = moves.at(-1);
  if (!last) return { state: task.state, queued: false };
  return { state: last.kind === "plea" ? (last.body.item ? "refused" : task.state) : last.body.state, queued: true };
}

/** @param {Task} task @param {string} state */
const move = (task, state) =>
  submit({
    kind: "task",
    path: `/api/v1/tasks/${task.id}/move`,
    body: { state },
    task: task.id,
    about: `${t(`field.do_${state}`)} · ${t(`category.${task.category}`)}`,
  });

/** The times that may be asked for: within what the task was given, as the level above would grant. @param {Task} task @param {string} kind */
function times(task, kind) {
  const given = toMs(task.due_at) - toMs(task.dispatched_at);
  const [from, span] = kind === "extend" ? [toMs(task.due_at), given] : [countyNow(), Math.max(given, DAY_MS)];
  return SHARES.map((share) => new Date(from + span * share).toISOString());
}

/** @param {{task: Task, kind: string, close: () => void}} props */
function PleaForm({ task, kind, close }) {
  const [reason, setReason] = useState("");
  const [item, setItem] = useState("");
  const [choices] = useState(() => times(task, kind));
  const [until, setUntil] = useState(choices[0]);
  const isRefusal = kind === "refuse";
  const whole = reason.trim() && (!isRefusal || item.trim());
  /** @param {Event} event */
  async function ask(event) {
    event.preventDefault();
    const body = isRefusal ? { reason, item } : { reason, until };
    const kept = await submit({
      kind: "plea",
      path: `/api/v1/tasks/${task.id}/pleas/${kind}`,
      body,
      task: task.id,
      about: `${t(`field.${kind}`)} · ${t(`category.${task.category}`)}`,
    });
    if (kept) close();
  }
  /** @param {any} event */
  const value = (event) => event.target.value;
  return html`<form class="field-form" onSubmit=${ask}>
    <h3>${t(`field.${kind}`)}</h3>
    <label><span>${t("field.reason")}</span><textarea name="reason" maxlength="2000" value=${reason} onInput=${(/** @type {any} */ e) => setReason(value(e))}></textarea></label>
    ${isRefusal
      ? html`<label><span>${t("field.item")}</span><input type="text" name="item" maxlength="200" placeholder=${t("field.item_hint")} value=${item} onInput=${(/** @type {any} */ e) => setItem(value(e))} /></label>`
      : html`<label><span>${t("field.until")}</span><select name="until" value=${until} onChange=${(/** @type {any} */ e) => setUntil(value(e))}>
          ${choices.map((/** @type {string} */ at) => html`<option value=${at}>${when(at, countyNow())}</option>`)}
        </select></label>`}
    <div class="field-row">
      <button class="primary" disabled=${!whole}>${t("field.send_plea")}</button>
      <button type="button" onClick=${close}>${t("field.cancel")}</button>
    </div>
  </form>`;
}

/** @param {{task: Task}} props */
function Card({ task }) {
  const [asking, setAsking] = useState("");
  const { state, queued } = stateOf(task);
  const isLate = countyNow() > toMs(task.due_at) && state !== "done";
  const asked = new Set([
    ...task.pleas.map((plea) => plea.kind),
    ...items.value.filter((item) => item.kind === "plea" && item.task === task.id && !item.refused).map((item) => item.path.split("/").at(-1)),
  ]);
  const pleas = task.own ? (PLEAS[state] ?? []).filter((kind) => !asked.has(kind)) : [];
  const sentence = (language === "zh" ? task.zh : task.en) || task.title;
  const place = language === "en" && task.place_name_en ? task.place_name_en : task.place_name;
  const [first, ...more] = STEPS[state] ?? [];
  return html`<li class="field-card level-${task.level}" id=${`task-${task.id}`} data-chosen=${chosen.value === task.incident ? "" : undefined}>
    <p class="quiet">
      <span class="level level-${task.level}"><b>${t(`level.${task.level}`)}</b><i>${ROMAN[task.grade]}</i></span>${" "}
      ${task.drill && html`<b>【${t("field.drill")}】</b>`} ${place}
    </p>
    <h2>${t(`category.${task.category}`)}</h2>
    <p>${sentence}</p>
    <p class="quiet">${task.unit}</p>
    <p class=${isLate ? "late" : ""}>${t(isLate ? "field.late" : "field.due", { at: when(task.due_at, countyNow()) })}</p>
    <p><b class="state">${t(`task_state.${state}`)}</b>${queued && html` <span class="queued">· ${t("field.queued")}</span>`}</p>
    ${task.pleas.map(
      (plea) => html`<p class="plea">${t(`field.plea_${plea.outcome ?? "open"}`, { what: t(`field.${plea.kind}`) })} ${plea.note}</p>`,
    )}
    ${first && html`<button class="primary" data-step=${first} onClick=${() => move(task, first)}>${t(`field.do_${first}`)}</button>`}
    ${state === "done" && html`<p class="quiet">${t("field.waits_check")}</p>`}
    ${state === "refused" && html`<p class="quiet">${t("field.waits_answer")}</p>`}
    ${asking
      ? html`<${PleaForm} task=${task} kind=${asking} close=${() => setAsking("")} />`
      : html`<div class="field-row">
          ${more.map((step) => html`<button data-step=${step} onClick=${() => move(task, step)}>${t(`field.do_${step}`)}</button>`)}
          ${pleas.map((kind) => html`<button data-plea=${kind} onClick=${() => setAsking(kind)}>${t(`field.${kind}`)}</button>`)}
          <a class="button" href=${`/incidents/${task.incident}`}>${t("field.case")}</a>
        </div>`}
  </li>`;
}

/** All tasks that are not over. */
export function Tasks() {
  const { tasks = [], more_tasks: more = false } = day.value?.day ?? {};
  return html`<section id="tasks" aria-label=${t("field.tasks")}>
    ${tasks.length === 0 && html`<p class="waiting empty">${t("field.no_tasks")}</p>`}
    ${more && html`<p class="field-say">${t("field.more_tasks")}</p>`}
    <ul>${tasks.map((task) => html`<${Card} key=${task.id} task=${task} />`)}</ul>
  </section>`;
}
