// The map of the queue behind a toggle: loaded when somebody first asks for it; a township that is chosen filters the queue.

import { html, signal, useEffect, useRef } from "./lib.js";
import { notice } from "./live.js";
import { t } from "./words.js";
import "./types.js";

/** @typedef {import("./types.js").Row} Row */

const KEY = "queue-map";
const open = signal(localStorage.getItem(KEY) === "open");

/** Whether the map is shown. */
export const mapShown = () => open.value;

/** Show the map, or put it away; the seat remembers which. */
export function toggleMap() {
  open.value = !open.value;
  localStorage.setItem(KEY, open.value ? "open" : "");
}

/** @param {{rows: Row[], choose: (township: string) => void}} props `rows` are all that are listed, filtered or not */
export function MapPanel(props) {
  return open.value && html`<${Panel} ...${props} />`;
}

/** @param {{rows: Row[], choose: (township: string) => void}} props */
function Panel({ rows, choose }) {
  const node = useRef(null);
  const map = useRef(/** @type {any} */ (null));
  const newest = useRef(rows);
  newest.current = rows;
  useEffect(() => {
    let gone = false;
    import("./map.js").then(
      ({ mountMap }) => {
        if (gone) return;
        map.current = mountMap(/** @type {any} */ (node.current), { choose });
        map.current.show(newest.current);
      },
      () => notice(t("queue.map_failed"), true),
    );
    return () => {
      gone = true;
      map.current?.remove();
    };
  }, []);
  useEffect(() => map.current?.show(rows), [rows]);
  return html`<div class="sheet queue-map" id="map" ref=${node}></div>`;
}
