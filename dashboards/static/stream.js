// One stream of server-sent events with its own way back after a loss; used by a page itself or by the shared worker.

/** Longer without a word than this and the line is dead, whatever the browser believes: the server beats every 15 s. */
const SILENCE_MS = 35000;
const KINDS = ["clock", "incident", "page", "task", "roster", "drill", "gone", "heartbeat", "resync"];

/**
 * @typedef {{kind: string, data: any, id: number}} News
 *   kinds of our own: "open" and "lost" tell of the line; `id` is 0 where an event has none
 */

/**
 * Follow the events after a change, for ever.
 * @param {number} after
 * @param {(news: News) => void} deliver
 * @returns {{close: () => void, open: () => void}}
 */
export function openStream(after, deliver) {
  let last = after;
  let heardAt = Date.now();
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;

  function open() {
    clearTimeout(retry);
    source?.close();
    heardAt = Date.now();
    const mine = new EventSource(`/api/v1/events?after=${last}`);
    source = mine;
    mine.onopen = () => {
      heardAt = Date.now();
      deliver({ kind: "open", data: null, id: 0 });
    };
    mine.onerror = () => {
      deliver({ kind: "lost", data: null, id: 0 });
      // A refused stream (signed out, database away) is not tried again by the browser itself.
      if (mine.readyState === EventSource.CLOSED && mine === source) retry = setTimeout(open, 3000);
    };
    for (const kind of KINDS) {
      mine.addEventListener(kind, (event) => {
        heardAt = Date.now();
        const id = Number(event.lastEventId) || 0;
        if (kind !== "clock" && id) last = id;
        deliver({ kind, data: JSON.parse(event.data), id: kind === "clock" ? 0 : id });
      });
    }
  }

  const watch = setInterval(() => {
    if (source && Date.now() - heardAt > SILENCE_MS) {
      deliver({ kind: "lost", data: null, id: 0 });
      open();
    }
  }, 1000);
  open();
  return {
    open,
    close() {
      clearTimeout(retry);
      clearInterval(watch);
      source?.close();
      source = undefined;
    },
  };
}
