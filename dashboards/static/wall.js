// The display on the wall: the situation in large type, without controls. It runs for weeks: everything it holds is bounded, and
// it takes up a new release by itself, while nothing is red.

import { computed, effect, html, render } from "./lib.js";
import { ready, startOf } from "./live.js";
import { mountMap } from "./map.js";
import { followSituation } from "./situation.js";
import { Counts, Left, Level, Since, Storm } from "./situation-parts.js";
import { language, t } from "./words.js";
import "./types.js";

const start = startOf();
const { rows, shown, waiting, situation, storm, release, stale, late } = followSituation(start);

/** As many lines as are legible from five metres on one screen. */
const [MOST_CASES, MOST_OWED, MOST_BEHIND] = [4, 2, 3];
/** A new release is taken up so long after it was seen, so that a hall of displays does not ask in one second. */
const RELOAD_MS = 20000 + Math.random() * 20000;

function Cases() {
  const list = shown.value.slice(0, MOST_CASES);
  return html`<section id="worst">
    <h2>${t("command.worst")} <span>${t("command.of_all", { waiting: waiting.value.length, n: shown.value.length })}</span></h2>
    ${list.length === 0 && html`<p class="calm">${t("queue.empty")}</p>`}
    <ul>
      ${list.map(
        (row) => html`<li key=${row.id} data-incident=${row.id}>
          <${Level} level=${row.level} />
          <span class="what">${row.drill && html`<b class="drill">${t("queue.drill")}</b> `}${row.title}</span>
          ${row.acknowledged_at ? html`<span class="took">✓ ${t(`state.${row.state}`)}</span>` : html`<b class="waits">${t("command.waits")} <${Since} at=${row.opened_at} /></b>`}
        </li>`,
      )}
    </ul>
  </section>`;
}

function Owed() {
  const { owed, owed_total } = situation.value;
  if (!owed_total) return null;
  return html`<section id="clocks">
    <h2>${t("command.clocks")} <span>${t("command.owed", { n: owed_total })}</span></h2>
    <ul>
      ${owed.slice(0, MOST_OWED).map(
        ({ incident, title, drill, clock }) => html`<li key=${`${incident}-${clock.clock}-${clock.by}-${clock.to}-${clock.kind}-${clock.number}-${clock.form}`}>
          <${Left} at=${clock.due_at} missed=${clock.kept === "missed"} />
          <span class="what">${drill && html`<b class="drill">${t("queue.drill")}</b> `}${title} ${t(`report_kind.${clock.kind}`)}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

function Behind() {
  const behind = situation.value.below
    .filter((one) => one.late + one.climbed)
    .sort((a, b) => b.late + b.climbed - a.late - a.climbed || (a.area < b.area ? -1 : 1));
  if (!behind.length) return null;
  return html`<section id="below">
    <h2>${t("command.behind")} <span>${behind.length}</span></h2>
    <ul class="inline">
      ${behind.slice(0, MOST_BEHIND).map(
        (one) => html`<li key=${one.area}>
          <span class="what">${(language === "en" && one.name_en) || one.name}</span>
          ${one.late > 0 && html`<b>✕ ${t("map.late", { n: one.late })}</b>`} ${one.climbed > 0 && html`<b>△ ${t("command.climbed_n", { n: one.climbed })}</b>`}
        </li>`,
      )}
    </ul>
  </section>`;
}

function Board() {
  const { drills, joint_total, load } = situation.value;
  return html`${drills.length > 0 && html`<p class="drill-band">${t("command.drill_band")}</p>`}
    <${Counts} rows=${shown.value} />
    ${situation.value.storms.length > 0 && html`<${Storm} situation=${situation.value} storm=${storm.value} />`}
    <${Cases} />
    <${Owed} />
    <${Behind} />
    <p class="foot-line">
      <span>${t("command.joint")} ${joint_total}</span>
      <span data-verdict=${load.verdict}>${t("load.title")} ${t(`load.verdict_${load.verdict}`)} · ${t("load.per_ten", { mean: load.mean.toFixed(1) })}</span>
      ${stale.value && html`<b role="status">${t("command.stale")}</b>`}
      ${fresh.value && html`<span>${t("command.new_release")}</span>`}
    </p>`;
}

const fresh = computed(() => release.value !== start.release);
/** Nothing real is red: taking the picture away for a second harms nobody. */
const calm = computed(() => !shown.value.some((row) => row.level === 4 && !row.drill));

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const ground = document.createElement("div");
ground.id = "map";
const board = document.createElement("div");
board.id = "board";
app.replaceChildren(ground, board);
render(html`<${Board} />`, board);
const map = mountMap(ground, { list: false, still: true, type: Math.max(16, innerWidth / 52) });
effect(() => map.show(rows.value.values(), late.value));

/** @type {ReturnType<typeof setTimeout> | undefined} */
let leaving;
effect(() => {
  clearTimeout(leaving);
  if (fresh.value && calm.value) leaving = setTimeout(() => location.reload(), RELOAD_MS);
});
map.ready.then(ready);
