// Acknowledging with ten seconds in which it can be taken back: it counts at once, and taking it back is on record.

import { Problem, act } from "./api.js";
import { html, render, signal } from "./lib.js";
import { notice } from "./live.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */

const UNDO_MS = 10000;

/** @type {{value: {id: string, until: number, left: number, take: (row: Row) => void} | null}} */
const offer = signal(null);
/** @type {ReturnType<typeof setInterval> | undefined} */
let counting;

function withdraw() {
  clearInterval(counting);
  offer.value = null;
}

/** @param {string} id @param {(row: Row) => void} take */
function offerUndo(id, take) {
  clearInterval(counting);
  const until = performance.now() + UNDO_MS;
  const count = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    if (left <= 0) withdraw();
    else offer.value = { id, until, left, take };
  };
  count();
  counting = setInterval(count, 250);
}

/** Take back the acknowledgement that is offered; nothing where none is. */
export async function undo() {
  const offered = offer.value;
  if (!offered) return;
  withdraw();
  try {
    offered.take((await act(offered.id, "acknowledge/undo")).incident);
    notice(t("undo.done"));
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    notice(t("act.failed", { why: fault.message }), true);
  }
}

/**
 * Acknowledge a case; who was first is told where somebody was.
 * @param {string} id
 * @param {(row: Row) => void} take gets the case as it stands after it, and after it was taken back
 * @returns {Promise<Problem | null>} what was met
 */
export async function acknowledge(id, take) {
  try {
    take((await act(id, "acknowledge")).incident);
    offerUndo(id, take);
    return null;
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    return fault;
  }
}

function Offer() {
  const offered = offer.value;
  if (!offered) return null;
  return html`<p class="notice undo">
    ${t("act.done", { what: t("act.acknowledge") })}
    <button id="undo" onClick=${undo}>${t("undo.button", { n: offered.left })} <kbd>u</kbd></button>
  </p>`;
}

render(html`<${Offer} />`, /** @type {HTMLElement} */ (document.getElementById("offers")));
