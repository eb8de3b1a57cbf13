// A report: what it is, how bad, words, and off; the place is the worker's own cell unless he says otherwise.

import { BadPhoto, shrink } from "./field-photo.js";
import { day, said, submit } from "./field-state.js";
import { forget, keep, kept } from "./field-store.js";
import { newKey } from "./api.js";
import { html, signal, useEffect, useRef } from "./lib.js";
import { language, t } from "./words.js";

/** @typedef {{category: string, area: string, level: number, text: string, photo?: ArrayBuffer}} Draft */

const MOST_LETTERS = 2000;
/** A tap so soon after the one that sent is the same tap of an impatient thumb. */
const SAME_TAP_MS = 700;
const EMPTY = { category: "", area: "", level: 1, text: "" };

/** What is being written: kept at each letter, so that nothing is lost when the page comes anew. @type {{value: Draft}} */
export const draft = signal(/** @type {Draft} */ (EMPTY));
const fault = signal("");
const shrinking = signal(false);
let sentAt = -SAME_TAP_MS;

/** Bring back what was being written, and the place of the last report. */
export async function restore() {
  const last = await kept("place");
  draft.value = { ...EMPTY, area: last ?? "", ...(await kept("draft")) };
}

/** @param {Partial<Draft>} change */
export function write(change) {
  draft.value = { ...draft.value, ...change };
  fault.value = "";
  keep("draft", draft.value).catch(() => (fault.value = t("field.storage")));
}

/** The place that a report is from: the one chosen, else the only or the first one. */
function placeOf() {
  const areas = day.value?.day.areas ?? [];
  return areas.some((area) => area.code === draft.value.area) ? draft.value.area : (areas[0]?.code ?? "");
}

/** @param {HTMLInputElement} input */
async function take(input) {
  const file = input.files?.[0];
  input.value = "";
  if (!file) return;
  shrinking.value = true;
  try {
    write({ photo: (await shrink(file)).bytes });
  } catch (bad) {
    const large = bad instanceof BadPhoto && bad.why === "large";
    fault.value = large ? t("field.photo_large", { mb: bad.megabytes }) : t("field.photo_kind");
  } finally {
    shrinking.value = false;
  }
}

/** @param {Event} event */
async function send(event) {
  event.preventDefault();
  const { category, level, text, photo } = draft.value;
  if (!category && !text && performance.now() - sentAt < SAME_TAP_MS) return;
  const area = placeOf();
  const missing = !category ? "field.need_what" : !area ? "field.need_where" : !text.trim() ? "field.need_words" : "";
  if (missing) {
    fault.value = t(missing);
    return;
  }
  const id = newKey();
  const stored = await submit(
    {
      kind: "report",
      path: "/api/v1/field/reports",
      body: { id, category, area, level, text },
      about: `${t(`category.${category}`)} · ${text.slice(0, 40)}`,
      ...(photo && { photo, photoPath: `/field/photos/${id}` }),
    },
    id,
  );
  if (!stored) return;
  sentAt = performance.now();
  said.value ||= t("field.sent");
  draft.value = { ...EMPTY, area };
  await forget("draft");
  await keep("place", area);
  scrollTo({ top: 0 });
}

/** The photo as it will be sent, drawn from its own bytes. @param {{bytes: ArrayBuffer}} props */
function Picture({ bytes }) {
  const place = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    createImageBitmap(new Blob([bytes], { type: "image/jpeg" })).then((picture) => {
      const canvas = /** @type {HTMLCanvasElement | null} */ (place.current);
      if (!canvas) return;
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.getContext("2d")?.drawImage(picture, 0, 0);
    });
  }, [bytes]);
  return html`<canvas ref=${place} role="img" aria-label=${t("field.photo_alt")}></canvas>`;
}

function Photo() {
  const { photo } = draft.value;
  return html`<div class="field-photo" role="group" aria-label=${t("field.photo")}>
    ${photo && html`<${Picture} bytes=${photo} />`}
    <div class="field-row">
      <label>
        <input type="file" accept="image/*" capture="environment" onChange=${(/** @type {any} */ e) => take(e.target)} />
        <span class="button">${shrinking.value ? t("field.photo_busy") : t(photo ? "field.photo_again" : "field.photo")}</span>
      </label>
      ${photo && html`<button type="button" onClick=${() => write({ photo: undefined })}>${t("field.photo_drop")}</button>`}
    </div>
  </div>`;
}

/** The form. */
export function ReportForm() {
  const areas = day.value?.day.areas ?? [];
  const nameOf = (/** @type {import("./field-state.js").Area} */ area) => (language === "en" && area.name_en) || area.name;
  const { category, level, text } = draft.value;
  return html`<form class="field-form" id="report" onSubmit=${send} noValidate>
    <fieldset>
      <legend>${t("field.what")}</legend>
      <div class="field-tiles">
        ${(day.value?.categories ?? []).map(
          (slug) => html`<button type="button" data-category=${slug} aria-pressed=${slug === category} onClick=${() => write({ category: slug })}>${t(`category.${slug}`)}</button>`,
        )}
      </div>
    </fieldset>
    <fieldset>
      <legend>${t("field.how_bad")}</legend>
      <div class="field-tiles">
        ${[1, 2, 3, 4].map(
          (value) => html`<button type="button" data-level=${value} aria-pressed=${value === level} onClick=${() => write({ level: value })}>${t(`field.level_${value}`)}</button>`,
        )}
      </div>
      ${level === 4 && html`<p class="field-say">${t("field.call")}</p>`}
    </fieldset>
    <label><span>${t("field.where")}</span>
      <select name="area" value=${placeOf()} onChange=${(/** @type {any} */ e) => write({ area: e.target.value })}>
        ${areas.map((area) => html`<option value=${area.code}>${nameOf(area)}</option>`)}
      </select>
    </label>
    <label><span>${t("field.words")}</span>
      <textarea name="text" maxlength=${MOST_LETTERS} placeholder=${t("field.words_hint")} value=${text} onInput=${(/** @type {any} */ e) => write({ text: e.target.value })}></textarea>
    </label>
    <${Photo} />
    ${fault.value && html`<p class="field-fault" role="alert">${fault.value}</p>`}
    <button class="primary send">${t("field.send")}</button>
  </form>`;
}
