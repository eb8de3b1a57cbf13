// Which news sound at a seat, and how: decided purely; played by Web Audio, without files.
import { isWaiting } from "./order.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {"silent" | "muted" | "sounds"} Alarm why a case sounds or does not */

const RED = 4;

/**
 * Decide whether a case sounds: new and unacknowledged, or graver than when it was last heard. Red breaks the mute.
 * @param {Row} row
 * @param {number | undefined} heard the level at which this seat heard it before
 * @param {boolean} muted
 * @returns {Alarm}
 */
export function alarmOf(row, heard, muted) {
  if (!isWaiting(row) || (heard !== undefined && row.level <= heard)) return "silent";
  return muted && row.level < RED ? "muted" : "sounds";
}

/** Notes by level, each [hertz, seconds]: more and higher the graver, so that they can be told apart. @type {[number, number][][]} */
const NOTES = [
  [],
  [[440, 0.18]],
  [[523, 0.16], [523, 0.16]],
  [[659, 0.16], [659, 0.16], [659, 0.2]],
  [[880, 0.18], [622, 0.18], [880, 0.18], [622, 0.18], [880, 0.18], [622, 0.3]],
];
const GAP_SECONDS = 0.07;

/** @type {AudioContext | undefined} */
let audio;

/** Whether the browser lets us sound: it asks for a click or a key on the page first. */
export const canSound = () => audio?.state === "running";

/** Ask the browser to let us sound; call it from a click or a key. */
export async function unlock() {
  audio ??= new AudioContext();
  await audio.resume();
}

/** Sound the notes of a level; nothing while the browser forbids it. @param {number} level */
export function sound(level) {
  if (!audio || audio.state !== "running") return;
  let at = audio.currentTime;
  for (const [hertz, seconds] of NOTES[level]) {
    const tone = new OscillatorNode(audio, { type: "triangle", frequency: hertz });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.35, at + 0.02);
    volume.gain.linearRampToValueAtTime(0, at + seconds);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + GAP_SECONDS;
  }
}
