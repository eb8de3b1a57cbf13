// What an alert rests on: findings in words and numbers, counts as bars, readings as curves.

import { read } from "./api.js";
import { Plot } from "./chart.js";
import { html, useEffect, useState } from "./lib.js";
import { now } from "./live.js";
import { language, number, probability, t, tOr, toMs, when } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Finding} Finding */

const HOUR = 3600;
const BEFORE_SECONDS = 6 * HOUR;
const AFTER_SECONDS = HOUR;
const REFRESH_MS = 20000;
const MOST_CURVES = 6;

/** @param {Finding} finding @param {Record<string, string>} names */
function subjectOf(finding, names) {
  if (names[finding.subject]) return names[finding.subject];
  return names[finding.area] ?? finding.subject;
}

/**
 * The series that moved one after another, or the words that rose.
 * @param {Finding} finding
 * @param {Record<string, string>} names
 */
const termsOf = (finding, names) =>
  finding.terms.map((term) => names[term] ?? term).join(finding.detector === "river" ? " → " : language === "zh" ? "、" : ", ");

/** @param {string} word */
const inSentence = (word) => (language === "en" ? word.toLowerCase() : word);

/** @param {Finding} finding */
function judgedBy(finding) {
  const words = [];
  if (finding.limit) {
    const side = finding.direction === "below" ? "below" : "above";
    const value = `${number(finding.limit.value)} ${finding.unit}`.trim();
    words.push(t(`evidence.limit_${side}`, { level: inSentence(t(`level.${finding.limit.level}`)), value }));
  }
  const guard = tOr(`detector.${finding.detector}`, "");
  if (guard) words.push(guard);
  if (finding.phrase) words.push(t("evidence.phrase", { phrase: finding.phrase }));
  if (finding.p_value !== null) words.push(t("evidence.chance", { p: probability(finding.p_value) }));
  if (finding.detector === "river") words.unshift(t("evidence.along_river"));
  return html`${words.map((word) => html`<span>${word}<br /></span>`)}
    ${finding.limit?.basis && html`<small>${finding.limit.basis}</small>`}`;
}

/** @param {Finding} finding */
function periodOf(finding) {
  const from = when(finding.period_start, now.value);
  const over = finding.state === "cleared";
  const text = finding.period_end
    ? `${from}–${when(finding.period_end, now.value)}`
    : t("evidence.since", { from });
  return html`${text}<small>${t(over ? "evidence.over" : "evidence.still")}</small>`;
}

/** @param {number | null} value @param {string} unit */
const amount = (value, unit) => (value === null ? "—" : html`<span><b>${number(value)}</b> <small>${unit}</small></span>`);

/** @param {{evidence: Finding[], names: Record<string, string>}} props */
export function EvidenceTable({ evidence, names }) {
  if (!evidence.length) return html`<p class="quiet">${t("evidence.none")}</p>`;
  return html`<div class="scroll">
    <table class="facts stack">
      <thead>
        <tr>
          <th scope="col">${t("evidence.what")}</th>
          <th scope="col" class="number">${t("evidence.observed")}</th>
          <th scope="col" class="number">${t("evidence.expected")}</th>
          <th scope="col">${t("evidence.against")}</th>
          <th scope="col">${t("evidence.period")}</th>
        </tr>
      </thead>
      <tbody>
        ${evidence.map(
          (finding) => html`<tr key=${finding.id} class=${finding.state === "cleared" ? "over" : ""}>
            <td class="first">
              ${subjectOf(finding, names)}
              <small
                >${t(`category.${finding.category}`)} · ${t(`evidence.from_${finding.feed}`)}${finding.observed !== null &&
                finding.expected !== null &&
                ` · ${t(`evidence.${finding.direction === "below" ? "below" : "above"}`)}`}</small
              >
              ${finding.terms.length > 0 && html`<small class="terms">${termsOf(finding, names)}</small>`}
            </td>
            <td class="number" data-label=${t("evidence.observed")}>${amount(finding.observed, finding.unit)}</td>
            <td class="number" data-label=${t("evidence.expected")}>${amount(finding.expected, finding.unit)}</td>
            <td data-label=${t("evidence.against")}><span>${judgedBy(finding)}</span></td>
            <td data-label=${t("evidence.period")}><span>${periodOf(finding)}</span></td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{evidence: Finding[], names: Record<string, string>}} props */
export function Counts({ evidence, names }) {
  const counted = evidence.filter(
    (finding) => finding.subject_kind !== "series" && finding.feed !== "readings" && finding.observed !== null && finding.expected !== null,
  );
  if (!counted.length) return null;
  const most = Math.max(...counted.flatMap((f) => [Number(f.observed), Number(f.expected)]), 1);
  const width = (/** @type {number | null} */ n) => `${Math.max((Number(n) / most) * 82, 0.6)}%`;
  const after = (/** @type {number | null} */ n) => `${Math.max((Number(n) / most) * 82, 0.6) + 1}%`;
  return html`<section class="sheet block">
    <h2>${t("counts.title")}</h2>
    <div class="bars">
      ${counted.map(
        (finding) => html`<div class="bar" key=${finding.id}>
          <span>${subjectOf(finding, names)} <small class="quiet">${t(`evidence.from_${finding.feed}`)}</small></span>
          <svg role="img" aria-label="${t("counts.observed", { n: number(finding.observed) })}, ${t("counts.expected", { n: number(finding.expected) })}">
            <rect class="seen" x="0" y="1" height="14" rx="2" width=${width(finding.observed)} />
            <text x=${after(finding.observed)} y="12">${t("counts.observed", { n: number(finding.observed) })}</text>
            <rect class="hoped" x="0" y="19" height="14" rx="2" width=${width(finding.expected)} />
            <text x=${after(finding.expected)} y="30">${t("counts.expected", { n: number(finding.expected) })}</text>
          </svg>
        </div>`,
      )}
    </div>
  </section>`;
}

/**
 * The stretch to show: from well before the finding to well after it, or to the present.
 * @param {Finding[]} findings of one series
 */
function stretchOf(findings) {
  const nowSeconds = now.peek() / 1000;
  const starts = findings.map((f) => toMs(f.period_start) / 1000);
  const ends = findings.map((f) => (f.period_end ? toMs(f.period_end) / 1000 + AFTER_SECONDS : nowSeconds));
  const until = Math.min(Math.max(...ends), nowSeconds) + 60;
  return { since: Math.max(Math.min(...starts) - BEFORE_SECONDS, until - 13 * 24 * HOUR), until };
}

/** @param {{series: string, findings: Finding[], name: string}} props */
function SeriesCurve({ series, findings, name }) {
  const [curve, setCurve] = useState(/** @type {import("./types.js").Curve | null} */ (null));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    async function load() {
      const { since, until } = stretchOf(findings);
      const iso = (/** @type {number} */ seconds) => encodeURIComponent(new Date(seconds * 1000).toISOString());
      try {
        const path = `/api/v1/series/${encodeURIComponent(series)}/curve?since=${iso(since)}&until=${iso(until)}`;
        const found = await read(path);
        if (!gone) {
          setCurve(found);
          setFailed(false);
        }
      } catch {
        if (!gone) setFailed(true);
      }
    }
    load();
    const timer = setInterval(load, REFRESH_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [series, findings.map((f) => f.id + f.state).join()]);
  const periods = findings.map((f) => ({
    from: toMs(f.period_start) / 1000,
    until: f.period_end ? toMs(f.period_end) / 1000 : now.peek() / 1000,
  }));
  const last = curve ? curve.mean.findLastIndex((/** @type {number | null} */ value) => value !== null) : -1;
  return html`<figure class="curve" data-series=${series}>
    <figcaption>
      <b>${curve?.name || name}</b>
      ${curve &&
      last >= 0 &&
      html`<span class="quiet"
        >${t("curve.last", { value: number(curve.mean[last]), unit: curve.unit, at: when(curve.at[last] * 1000, now.peek()) })}</span
      >`}
    </figcaption>
    ${curve && curve.at.length
      ? html`<${Plot} curve=${curve} periods=${periods} />`
      : html`<p class="quiet">${t(failed ? "curve.failed" : curve ? "curve.none" : "app.loading")}</p>`}
  </figure>`;
}

/** @param {{evidence: Finding[], names: Record<string, string>}} props */
export function Curves({ evidence, names }) {
  /** @type {Map<string, Finding[]>} */
  const bySeries = new Map();
  for (const finding of evidence.filter((f) => f.subject_kind === "series")) {
    bySeries.set(finding.subject, [...(bySeries.get(finding.subject) ?? []), finding]);
  }
  if (!bySeries.size) return null;
  return html`<section class="sheet block">
    <h2>${t("curve.title")}</h2>
    ${[...bySeries]
      .slice(0, MOST_CURVES)
      .map(
        ([series, findings]) =>
          html`<${SeriesCurve} key=${series} series=${series} findings=${findings} name=${names[series] ?? series} />`,
      )}
  </section>`;
}
