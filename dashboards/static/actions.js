// What an officer can do with an incident, and what has been done: acknowledge, take over, decide, move, close, and more.

import { COMMANDS } from "./case-forms.js";
import { useDraft } from "./drafts.js";
import { openForm } from "./form.js";
import { html } from "./lib.js";
import { now } from "./live.js";
import { isEnded } from "./order.js";
import { clockTime, t, timeLeft, toMs } from "./words.js";
import "./types.js";

/** Moves that have a form of their own. */
const ELSEWHERE = new Set(["closed", "false_alarm", "merged"]);

/**
 * @typedef {(action: string, what: string, body?: object) => Promise<boolean>} Send
 * @typedef {{view: import("./types.js").View, busy: string, conflict: string, mayAct: boolean, me: string, send: Send,
 *   acknowledge: () => void, sight: import("./case-forms.js").Sight}} Props
 */

/** @param {{row: import("./types.js").Row}} props */
function Deadline({ row }) {
  if (!row.next_at) return null;
  const left = toMs(row.next_at) - now.value;
  return html`<p class="deadline">
    <span>${t("queue.next")} <small class="quiet">${t("queue.climbed", { n: row.step + 1 })}</small></span>
    <span class="count ${left < 300000 ? "soon" : ""}">${left > 0 ? timeLeft(left) : t("queue.due_now")}</span>
  </p>`;
}

/** @param {{id: string, value: string, set: (text: string) => void}} props */
function Note({ id, value, set }) {
  return html`<label for=${id}
    >${t("act.note")} <small class="quiet">${t("act.note_hint")}</small>
    <textarea id=${id} maxlength="2000" value=${value} onInput=${(/** @type {any} */ event) => set(event.target.value)} />
  </label>`;
}

/** @param {Props} props */
function Decide({ view, busy, send }) {
  const [{ verdict, note }, set, forget] = useDraft(`${view.row.id}#decide`, { verdict: view.verdict ?? "", note: "" });
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (await send("disposition", t("act.decide"), { verdict, note })) forget();
  }
  return html`<details class="form" id="decide" open=${!view.verdict || Boolean(note)}>
    <summary>${view.verdict ? t("act.decided", { verdict: t(`verdict.${view.verdict}`) }) : t("act.decide")}</summary>
    <form onSubmit=${submit}>
      <span class="choices" role="radiogroup" aria-label=${t("act.decide")}>
        ${["true", "false", "duplicate", "drill"].map(
          (each) => html`<label
            ><input type="radio" name="verdict" value=${each} checked=${verdict === each} onChange=${() => set({ verdict: each })} />${t(
              `verdict.${each}`,
            )}</label
          >`,
        )}
      </span>
      <${Note} id="decide-note" value=${note} set=${(/** @type {string} */ text) => set({ note: text })} />
      <button disabled=${!verdict || busy}>${t("act.save")}</button>
    </form>
  </details>`;
}

/** @param {Props} props */
function Close({ view, busy, send }) {
  const [{ note }, set, forget] = useDraft(`${view.row.id}#close`, { note: "" });
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (await send("close", t("act.close"), { note, version: view.row.version })) forget();
  }
  return html`<details class="form" id="close" open=${Boolean(note)}>
    <summary>${t("act.close")}</summary>
    <form onSubmit=${submit}>
      <${Note} id="close-note" value=${note} set=${(/** @type {string} */ text) => set({ note: text })} />
      <button disabled=${busy}>${t("act.close_button")}</button>
    </form>
  </details>`;
}

/** The commands that have dialogs. @param {{sight: Props["sight"]}} props */
function More({ sight }) {
  const offered = COMMANDS.filter((command) => command.when(sight));
  if (!offered.length) return null;
  return html`<details class="form" id="more">
    <summary>${t("casework.more")}</summary>
    <div class="two">
      ${offered.map(
        (command) => html`<button key=${command.name} data-command=${command.name} onClick=${() => openForm(command.form(sight, command.title))}>${command.title}</button>`,
      )}
    </div>
  </details>`;
}

/** @param {Props} props */
export function Actions(props) {
  const { view, busy, conflict, mayAct, me, send, acknowledge, sight } = props;
  const { row } = view;
  const ended = isEnded(row);
  const moves = mayAct ? view.moves : [];
  const onward = moves.filter((state) => !ELSEWHERE.has(state));
  return html`<section class="sheet block acts">
    <h2>${t("act.title")}</h2>
    <div class="act-now">
      <${Deadline} row=${row} />
      ${conflict && html`<p class="said conflict" role="alert">${conflict}</p>`}
      ${row.acknowledged_at
        ? html`<p class="said" id="acknowledged">
            ${t("act.acknowledged_by", { by: row.acknowledged_by ?? "", at: clockTime(row.acknowledged_at) })}
          </p>`
        : !ended &&
          mayAct &&
          html`<button class="primary wide" id="acknowledge" disabled=${busy} onClick=${acknowledge}>${t("act.acknowledge")}</button>`}
      ${ended && html`<p class="said" id="ended">${t("act.ended")}</p>`}
      ${!ended &&
      mayAct &&
      row.holder !== me &&
      html`<button class="wide" id="take-over" disabled=${busy} onClick=${() => send("take-over", t("act.take_over"))}>
        ${t("act.take_over")}
      </button>`}
      ${onward.length > 0 &&
      html`<div class="two" role="group" aria-label=${t("act.move")}>
        ${onward.map(
          (state) =>
            html`<button data-move=${state} disabled=${busy} onClick=${() =>
              send("move", t(`move.${state}`), { state, version: row.version })}>${t(`move.${state}`)}</button>`,
        )}
      </div>`}
      ${!ended && mayAct && html`<${Decide} ...${props} />`}
      ${moves.includes("closed") && html`<${Close} ...${props} />`}
      ${mayAct && html`<${More} sight=${sight} />`}
    </div>
  </section>`;
}
