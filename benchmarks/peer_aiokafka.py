"""Peer: plain aiokafka, msgspec and the same detector in River's form, one instance per series; no state is kept safe.

Run by `fenghuo bench throughput`: `python -m benchmarks.peer_aiokafka BOOTSTRAP TOPIC READINGS`.
"""

import asyncio
import json
import sys
import time

import msgspec
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]  # ships no types

from benchmarks.peer_detector import Scorer
from domain.inputs import Reading


async def main(bootstrap: str, topic: str, readings: int) -> None:
    """Work off so many readings and print the rate."""
    decoder = msgspec.json.Decoder(list[Reading])
    scorer = Scorer()
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    done, began = 0, 0.0
    try:
        while done < readings:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                began = began or time.perf_counter()
                for message in batch:
                    for reading in decoder.decode(message.value):
                        scorer.take(reading.series, reading.observed_at.timestamp(), reading.value)
                        done += 1
        rate = done / (time.perf_counter() - began)
    finally:
        await consumer.stop()
    print(json.dumps({"readings_per_second": round(rate), "alarms": scorer.alarms}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
