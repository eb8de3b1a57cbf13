"""Peer: Quix Streams with the same detector, one instance per series in memory; its own state store would be slower.

Run by `fenghuo bench throughput`: `python -m benchmarks.peer_quix BOOTSTRAP TOPIC READINGS`.
"""

import json
import sys
import tempfile
import time
from datetime import datetime
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found,unused-ignore]  # only where it is installed

from benchmarks.peer_detector import Scorer


def main(bootstrap: str, topic: str, readings: int) -> None:
    """Work off so many readings and print the rate."""
    scorer = Scorer()
    state = {"done": 0, "began": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=bootstrap,
            consumer_group="bench-quix",
            auto_offset_reset="earliest",
            auto_create_topics=False,
            loglevel="ERROR",
            state_dir=folder,
        )
        frame = app.dataframe(app.topic(topic, value_deserializer="json"))

        def take(reading: dict[str, Any]) -> dict[str, Any]:
            if not state["began"]:
                state["began"] = time.perf_counter()
            at = datetime.fromisoformat(reading["observed_at"]).timestamp()
            scorer.take(reading["series"], at, reading["value"])
            state["done"] += 1
            if state["done"] >= readings:
                app.stop()
            return reading

        frame.apply(lambda batch: batch, expand=True).apply(take)
        app.run()
    rate = state["done"] / (time.perf_counter() - state["began"])
    print(json.dumps({"readings_per_second": round(rate), "alarms": scorer.alarms}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
