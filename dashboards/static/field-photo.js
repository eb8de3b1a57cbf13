// A photo made small on the phone: drawn anew, so that nothing is left of what the camera wrote beside the picture.

export const MOST_INPUT_BYTES = 30 * 1024 * 1024;
const MOST_SIDE = 1600;
const MOST_BYTES = 400 * 1024;
const QUALITIES = [0.82, 0.7, 0.55, 0.4];
const SMALLER = 0.7;
const MOST_ROUNDS = 4;

/** Why a photo cannot be taken: "large" or "kind"; `megabytes` for the first. */
export class BadPhoto extends Error {
  /** @param {"large" | "kind"} why @param {number} [megabytes] */
  constructor(why, megabytes = 0) {
    super(why);
    this.why = why;
    this.megabytes = megabytes;
  }
}

/** @param {HTMLCanvasElement} canvas @param {number} quality @returns {Promise<Blob>} */
const jpegOf = (canvas, quality) =>
  new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new BadPhoto("kind"))), "image/jpeg", quality),
  );

/**
 * Shrink a photo to 1,600 pixels and 400 kB; a file that no phone's memory should decode is refused unread.
 * @param {File} file
 * @returns {Promise<{bytes: ArrayBuffer, canvas: HTMLCanvasElement}>}
 */
export async function shrink(file) {
  if (file.size > MOST_INPUT_BYTES) throw new BadPhoto("large", Math.round(file.size / 1048576));
  /** @type {ImageBitmap} */
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new BadPhoto("kind");
  }
  let scale = Math.min(1, MOST_SIDE / Math.max(picture.width, picture.height));
  for (let round = 0; ; round += 1) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext("2d");
    if (!pen) throw new BadPhoto("kind");
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    for (const quality of QUALITIES) {
      const blob = await jpegOf(canvas, quality);
      if (blob.size <= MOST_BYTES || (round === MOST_ROUNDS && quality === QUALITIES.at(-1))) {
        picture.close();
        return { bytes: await blob.arrayBuffer(), canvas };
      }
    }
    scale *= SMALLER;
  }
}
