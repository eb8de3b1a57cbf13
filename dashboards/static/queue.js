// The queue: rows by urgency, live, filtered, worked with the keyboard.

import { Problem, read } from "./api.js";
import { decideForm, openCaseForm } from "./case-forms.js";
import { FormDialog, openForm } from "./form.js";
import { HeldPanel, openHeld } from "./held.js";
import { HelpSheet, openHelp } from "./help.js";
import { batch, computed, html, render, signal } from "./lib.js";
import { follow, notice, ready, startOf } from "./live.js";
import { byUrgency, isEnded, isWaiting } from "./order.js";
import { FilterBar, loadBar } from "./queue-bar.js";
import { MapPanel, mapShown, toggleMap } from "./queue-map.js";
import { filterOf, isNarrow, matches, searchOf } from "./queue-filter.js";
import { Counts, Empty, Line, sentenceOf } from "./queue-rows.js";
import { acknowledge, undo } from "./undo.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */

const start = startOf();
const internal = new Set(start.internal);
/** Grid workers see cases and do not decide them; the store says so too. */
const mayAct = ["officer", "commander"].includes(start.viewer.role);

/** @param {Row[]} list @returns {Map<string, Row>} */
const byId = (list) => new Map(list.map((row) => [row.id, row]));

const rows = signal(byId(start.incidents));
/** Whether there are older cases than those listed. */
const more = signal(start.more);
const filter = signal({ ...filterOf(location.search), state: start.state });
const chosen = signal("");
const fresh = signal(new Set());
const busy = signal(new Set());

const shown = computed(() =>
  [...rows.value.values()]
    .filter((row) => matches(row, filter.value, start.viewer.display, [t(`category.${row.category}`)]))
    .sort(byUrgency),
);
const waiting = computed(() => shown.value.filter(isWaiting).length);
const categories = computed(() => [...new Set([...rows.value.values()].map((row) => row.category))]);

/** @param {Row} row */
function take(row) {
  const known = rows.value.get(row.id);
  if (known && known.version > row.version) return;
  rows.value = new Map(rows.value).set(row.id, row);
}

/** @param {Row} row */
function arrived(row) {
  if (!rows.value.has(row.id) && !isEnded(row)) {
    fresh.value = new Set(fresh.value).add(row.id);
    notice(t("queue.new_one", { level: t(`level.${row.level}`), title: sentenceOf(row) }));
    setTimeout(() => {
      fresh.value = new Set([...fresh.value].filter((id) => id !== row.id));
    }, 4000);
  }
  take(row);
}

/** Read the whole list anew: after a change of the states shown, or when the stream says that we missed too much. */
async function reload() {
  try {
    const found = await read(`/api/v1/incidents?state=${filter.value.state}&limit=${start.limit}`);
    rows.value = byId(found.incidents);
    more.value = found.more;
  } catch (fault) {
    notice(/** @type {Error} */ (fault).message, true);
  }
}

/** @param {import("./types.js").QueueFilter} wish */
function choose(wish) {
  const anew = wish.state !== filter.value.state;
  filter.value = wish;
  history.replaceState(null, "", `/${searchOf(wish)}`);
  if (anew) reload();
}

/** @param {Row} row */
async function takeNote(row) {
  if (!mayAct || busy.value.has(row.id) || row.acknowledged_at || isEnded(row)) return;
  busy.value = new Set(busy.value).add(row.id);
  const met = await acknowledge(row.id, take);
  busy.value = new Set([...busy.value].filter((id) => id !== row.id));
  if (!met) return;
  notice(t("act.failed", { why: met.message }), true);
  if (met instanceof Problem && met.status === 409) reload();
}

/** @param {Row} row */
const open = (row) => location.assign(`/incidents/${row.id}`);

function Head() {
  return html`<div class="board-head">
    <h1>${t("queue.title")}</h1>
    <${Counts} rows=${shown.value} />
    <span class="quiet" id="waiting">${t("queue.unacknowledged", { n: waiting.value })}</span>
    <span class="tools">
      ${mayAct && html`<button id="open-case" onClick=${() => openForm(openCaseForm(start.viewer.area))}>${t("new_case.title")}</button>`}
      ${mayAct && html`<button id="held" onClick=${openHeld}>${t("holding.title")}</button>`}
      <button id="map-toggle" aria-pressed=${mapShown()} onClick=${toggleMap}>${t("queue.map")}</button>
      <button id="help-button" aria-keyshortcuts="?" onClick=${openHelp}>${t("keys.title")} <kbd>?</kbd></button>
    </span>
    <span class="segments" role="group" aria-label=${t("queue.filter")}>
      ${["open", "all"].map(
        (state) =>
          html`<button aria-pressed=${filter.value.state === state} data-filter=${state} onClick=${() =>
            choose({ ...filter.value, state: /** @type {"open" | "all"} */ (state) })}>
            ${t(`queue.${state}`)}
          </button>`,
      )}
    </span>
  </div>`;
}

function Board() {
  const list = shown.value;
  return html`<section>
    <${Head} />
    <${FilterBar} filter=${filter.value} set=${choose} categories=${categories.value} />
    <${MapPanel}
      rows=${[...rows.value.values()]}
      choose=${(/** @type {string} */ area) => choose({ ...filter.value, township: area.length === 9 ? area : "" })}
    />
    <div class="sheet queue">
      ${list.length === 0
        ? html`<${Empty} narrow=${isNarrow(filter.value)} all=${filter.value.state === "all"} />`
        : html`<table>
            <thead>
              <tr>
                ${["level", "what", "place", "opened", "next", "acknowledged"].map(
                  (name) => html`<th scope="col">${t(`queue.${name}`)}</th>`,
                )}
              </tr>
            </thead>
            <tbody>
              ${list.map(
                (row) =>
                  html`<${Line}
                    key=${row.id}
                    row=${row}
                    fresh=${fresh.value.has(row.id)}
                    chosen=${row.id === chosen.value}
                    busy=${busy.value.has(row.id)}
                    internal=${internal.has(row.category)}
                    open=${open}
                    acknowledge=${mayAct ? takeNote : null}
                  />`,
              )}
            </tbody>
          </table>`}
    </div>
    ${more.value && html`<p class="more quiet">${t("queue.more", { n: rows.value.size })}</p>`}
    <${FormDialog} /><${HeldPanel} me=${start.viewer.display} />
    <${HelpSheet} keys=${KEYS} />
  </section>`;
}

/** @type {[string, string][]} */
const KEYS = [
  ["j k", t("keys.move")],
  ["Enter", t("keys.open")],
  ["a", t("keys.acknowledge")],
  ["u", t("keys.undo")],
  ["d", t("keys.decide")],
  ["/", t("keys.search")],
  ["?", t("keys.help")],
];

/** @param {number} by */
function moveChoice(by) {
  const list = shown.value;
  if (!list.length) return;
  const at = list.findIndex((row) => row.id === chosen.value);
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by));
  chosen.value = list[next].id;
  requestAnimationFrame(() =>
    document.querySelector('tr[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
  );
}

addEventListener("keydown", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog")) return;
  if (event.key === "Escape" && target.id === "search") return /** @type {HTMLElement} */ (target).blur();
  if (target.closest("input, textarea, select")) return;
  const row = rows.value.get(chosen.value);
  if (event.key === "j") moveChoice(1);
  else if (event.key === "k") moveChoice(-1);
  else if (event.key === "Enter" && row && !target.closest("a, button")) open(row);
  else if (event.key === "a" && row) takeNote(row);
  else if (event.key === "u") undo();
  else if (event.key === "d" && row && mayAct && !isEnded(row)) openForm(decideForm(row, take));
  else if (event.key === "/") document.getElementById("search")?.focus();
  else if (event.key === "?") openHelp();
  else return;
  event.preventDefault();
});

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
app.replaceChildren();
render(html`<${Board} />`, app);
const plain = document.title;
waiting.subscribe((/** @type {number} */ n) => {
  document.title = n ? `(${n}) ${plain}` : plain;
});
follow(start, {
  incident: (row) => batch(() => arrived(row)),
  gone: ({ ref }) => {
    rows.value = new Map([...rows.value].filter(([id]) => id !== ref));
  },
  resync: reload,
});
loadBar(start.viewer.area).catch((fault) => notice(fault.message, true));
ready();
