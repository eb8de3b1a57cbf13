"""Speed of HJ 212 from bytes to observations, on one core, without network or broker.

Run `python -m benchmarks.hj212_parse [--json]`: packets of an air station as they come, eleven pollutants each with a
real-time value and a flag; and of a factory's outlet by minutes, with four values each.
"""

import json
import statistics
import sys
import time

from streams.devices.framing import Garbage
from streams.hj212.encode import encode_packet
from streams.hj212.frames import Framer
from streams.hj212.packet import Packet, parse_segment
from streams.hj212.readings import observations

PACKETS, ROUNDS, AT_ONCE = 20_000, 9, 4_096
CODES = [
    "a21004",
    "a05024",
    "a21026",
    "a21005",
    "a34004",
    "a34002",
    "a01007",
    "a01008",
    "a01001",
    "a01002",
    "a01006",
]


def make_stream(cn: str, fields: list[str]) -> bytes:
    """Make the bytes of many devices' packets of one command, in the order in which they come."""
    packets = []
    for number in range(PACKETS):
        groups = ";".join(
            ",".join(f"{code}-{field}={number % 97 + place / 8:.3f}" for field in fields) + f",{code}-Flag=N"
            for place, code in enumerate(CODES[:11] if len(fields) == 1 else CODES[:6])
        )
        minute = f"202601020{number // 1_000 % 10}{number // 100 % 6}{number % 10}00"
        packet = Packet(
            qn=f"{minute}{number % 1_000:03d}",
            st="22",
            cn=cn,
            pw="123456",
            mn=f"010000A8900016F0{number % 1_000:08X}",
            flag=5,
            cp=f"DataTime={minute};{groups}",
        )
        packets.extend(encode_packet(packet))
    return b"".join(packets)


def read(stream: bytes) -> tuple[int, int]:
    """Read a stream in pieces as a socket delivers them; how many packets and observations there were."""
    framer = Framer()
    packets = found = 0
    for begin in range(0, len(stream), AT_ONCE):
        for frame in framer.feed(stream[begin : begin + AT_ONCE]):
            if not isinstance(frame, Garbage):
                packets += 1
                found += len(observations(parse_segment(frame.segment, frame.notes))[0])
    return packets, found


def measure() -> dict[str, float]:
    """Measure both kinds of packets; the first round is for warming up."""
    figures: dict[str, float] = {}
    for name, cn, fields in (
        ("real_time", "2011", ["Rtd"]),
        ("minute", "2051", ["Min", "Avg", "Max", "Cou"]),
    ):
        stream = make_stream(cn, fields)
        assert read(stream)[0] == PACKETS
        seconds = []
        found = 0
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            found = read(stream)[1]
            seconds.append(time.perf_counter() - begun)
        median = statistics.median(seconds)
        figures[f"{name}_bytes"] = round(len(stream) / PACKETS)
        figures[f"{name}_packets_per_second"] = round(PACKETS / median)
        figures[f"{name}_best"] = round(PACKETS / min(seconds))
        figures[f"{name}_observations_per_second"] = round(found / median)
    return figures


def main() -> None:
    """Print the figures; the rate is the median of several rounds."""
    figures = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:>32} {figure:>12,}")


if __name__ == "__main__":
    main()
