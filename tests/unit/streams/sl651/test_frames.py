"""Frames of SL 651: published ones are read, whatever comes is survived, and what is written is read again."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from streams.devices.framing import Garbage
from streams.sl651.checksum import checksum
from streams.sl651.frames import (
    ENDS,
    FILL,
    HEAD,
    MOST_TEXT,
    SOH,
    TAIL,
    End,
    Frame,
    Framer,
    Start,
    encode_frame,
)

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("vectors.json").read_text(encoding="utf-8")
)
WHOLE = [one for one in VECTORS if one["crc_ok"]]
HEX = "0123456789ABCDEF"
LONGEST = HEAD + MOST_TEXT + TAIL


def feed(data: bytes, *cuts: int) -> tuple[list[Frame | Garbage], Framer]:
    """Feed bytes to a new framer, cut at places."""
    framer = Framer()
    found: list[Frame | Garbage] = []
    for begin, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        found += framer.feed(data[begin:end])
    return found, framer


def frames_in(found: list[Frame | Garbage]) -> list[Frame]:
    """Leave garbage out."""
    return [one for one in found if isinstance(one, Frame)]


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Draw any frame of the standard's functions that may be written."""
    up, start = draw(st.booleans()), draw(st.sampled_from(Start))
    total = draw(st.integers(1, 0xFFF)) if start is Start.SYN else 0
    return Frame(
        up=up,
        centre=draw(st.integers(0, 0xFF)),
        station=draw(st.text(HEX, min_size=10, max_size=10)),
        password=draw(st.text(HEX, min_size=4, max_size=4)),
        function=draw(st.integers(0x2F, 0x51)),
        text=draw(st.binary(max_size=60)),
        start=start,
        end=draw(st.sampled_from(sorted(ENDS[up]))),
        total=total,
        sequence=draw(st.integers(1, total)) if total else 0,
    )


def test_the_checksum_is_that_of_modbus() -> None:
    """The nine digits give 4B37, and no bytes the initial value."""
    assert (checksum(b"123456789"), checksum(b"")) == (0x4B37, 0xFFFF)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: f"{one['func']}-{one['len']}")
def test_published_frames_are_read_as_their_fields_say(vector: dict[str, Any]) -> None:
    """A right one is a frame of its function, a cut one waits, one with a wrong checksum is garbage that says so."""
    data = bytes.fromhex(vector["hex"])
    found, framer = feed(data)
    if vector["crc_ok"]:
        (frame,) = found
        assert isinstance(frame, Frame)
        assert f"{frame.function:02X}" == vector["func"]
        assert frame.up
        assert frame.raw == data[: len(frame.raw)]
        assert framer.pending == 0
    elif HEAD + int.from_bytes(data[11:13], "big") + TAIL > len(data):
        assert (found, framer.pending) == ([], len(data))
    else:
        assert found == [Garbage(data, "crc")]


def test_the_fields_of_a_frame() -> None:
    """Each field of a published frame stands where the standard puts it; downwards the station comes first."""
    (up,) = frames_in(feed(bytes.fromhex(VECTORS[3]["hex"]))[0])
    assert (up.centre, up.station, up.password, up.function) == (1, "0012345678", "1234", 0x30)
    assert (up.start, up.end, up.total, up.sequence) == (Start.STX, End.ETX, 0, 0)
    assert up.text[:8].hex() == "0003591011154947"
    (down,) = frames_in(feed(bytes.fromhex("7E7E00123456780112343080080200035910111549471B75D4"))[0])
    assert (down.up, down.centre, down.station, down.end) == (False, 1, "0012345678", End.ESC)


def test_packets_of_a_picture_are_numbered() -> None:
    """The thirteen packets of a published picture say their total and number, and only the last one ends."""
    packets = [
        frame for one in WHOLE for frame in frames_in(feed(bytes.fromhex(one["hex"]))[0]) if frame.total
    ]
    assert {packet.total for packet in packets} == {13}
    assert {packet.end for packet in packets if packet.sequence < 13} == {End.ETB}
    assert [packet.end for packet in packets if packet.sequence == 13] == [End.ETX]
    (first,) = (packet for packet in packets if packet.sequence == 1)
    assert first.text[:2] == bytes([0, 5])


@settings(deadline=None)  # the first example may compile
@given(st.lists(frames(), min_size=1, max_size=4), st.data())
def test_what_is_written_is_read_again_however_it_is_cut(written: list[Frame], data: st.DataObject) -> None:
    """Frames with fill between them come out the same, one by one, wherever the stream is cut."""
    fill = st.sampled_from([b"", b"\r\n", b"\x00", b"\x7e"])
    stream = b"".join(encode_frame(frame) + data.draw(fill) for frame in written)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    found, framer = feed(stream, *cuts)
    assert found == written
    assert framer.pending == 0


@settings(deadline=None)  # the first example may compile
@given(
    st.lists(st.one_of(st.binary(max_size=40), frames().map(encode_frame), st.just(SOH)), max_size=8),
    st.data(),
)
def test_where_a_stream_is_cut_does_not_matter(pieces: list[bytes], data: st.DataObject) -> None:
    """Whatever comes, the same frames and the same bytes of garbage are found, fill aside, and nothing is lost."""
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    one, other = feed(stream)[0], feed(stream, *cuts)[0]
    assert frames_in(one) == frames_in(other)
    for fill in FILL:
        stream = stream.replace(bytes([fill]), b"")
    refused = [
        b"".join(bytes(x for x in part.data if x not in FILL) for part in found if isinstance(part, Garbage))
        for found in (one, other)
    ]
    assert refused[0] == refused[1]


@settings(deadline=None)  # the first example may compile
@given(frames(), st.binary(max_size=30), st.data())
def test_a_frame_inside_a_wrong_one_is_found(frame: Frame, noise: bytes, data: st.DataObject) -> None:
    """Half a frame whose end was lost swallows the next one at most until its own length is reached."""
    whole = encode_frame(frame)
    half = encode_frame(Frame(True, 1, "0012345678", "1234", 0x32, b"\x01" * 20))
    cut = data.draw(st.integers(HEAD, len(half) - 1))
    found, _ = feed(half[:cut] + whole + b"\x00" * len(half))
    assert frames_in(found) == [frame]
    assert any(isinstance(one, Garbage) and one.reason in ("crc", "end") for one in found)


@settings(deadline=None)  # the first example may compile
@given(st.lists(st.binary(max_size=300), max_size=30))
def test_any_bytes_are_survived_in_bounded_memory(chunks: list[bytes]) -> None:
    """Nothing is held but one unfinished frame, which is as long as 12 bits can say."""
    framer = Framer()
    for chunk in chunks:
        framer.feed(chunk)
        assert len(framer._buffer) < LONGEST


def test_hostile_bytes_take_linear_time() -> None:
    """Beginnings within beginnings, each of the greatest length: twice as many take about twice as long."""

    def seconds(count: int) -> float:
        head = SOH + bytes([3]) * 9 + bytes([0x0F, 0xFF, 0x02])  # every byte a likely end character
        stream = head * count
        begin = time.process_time()
        framer = Framer()
        for place in range(0, len(stream), 4_096):
            framer.feed(stream[place : place + 4_096])
        return time.process_time() - begin

    seconds(100)
    short, long = min(seconds(2_000) for _ in range(3)), min(seconds(8_000) for _ in range(3))
    assert long < 10 * short


def test_a_frame_is_not_waited_for_longer_than_it_says() -> None:
    """As soon as the announced length is there, and no more than that, a frame comes out."""
    frame = Frame(True, 1, "0012345678", "1234", 0x32, b"x" * 100)
    data = encode_frame(frame)
    framer = Framer()
    for byte in data[:-1]:
        assert framer.feed(bytes([byte])) == []
    assert framer.pending == len(data) - 1
    assert framer.feed(data[-1:]) == [frame]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"station": "12345"}, {"station"}),
        ({"station": "00123456 8", "password": "12"}, {"station", "password"}),
        ({"centre": 256, "function": -1}, {"centre", "function"}),
        ({"end": End.ENQ}, {"end"}),
        ({"up": False}, {"end"}),
        ({"text": bytes(4096)}, {"text"}),
        ({"text": bytes(4093), "start": Start.SYN, "total": 1, "sequence": 1}, {"text"}),
        ({"start": Start.SYN}, {"sequence"}),
        ({"start": Start.SYN, "total": 2, "sequence": 3}, {"sequence"}),
        ({"start": Start.SYN, "total": 4096, "sequence": 1}, {"sequence"}),
        ({"total": 2, "sequence": 1}, {"sequence"}),
    ],
)
def test_what_does_not_fit_is_not_written(changes: dict[str, Any], fields: set[str]) -> None:
    """The encoder is strict, and names every field at once."""
    values = {
        "up": True,
        "centre": 1,
        "station": "0012345678",
        "password": "1234",
        "function": 0x32,
        "text": b"",
    }
    with pytest.raises(InvalidInput) as caught:
        encode_frame(Frame(**{**values, **changes}))
    assert {fault.field for fault in caught.value.faults} == fields


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"hello, is this the web?", "noise"),
        (SOH + bytes(11) + b"\x05" + bytes(3), "head"),
        (SOH + bytes(9) + b"\x40\x08\x02" + bytes(11), "head"),
        (SOH + bytes(9) + b"\x00\x02\x16" + bytes(5), "length"),
        (SOH + bytes(9) + b"\x00\x02\x02" + b"ab" + b"\x01\x00\x00", "end"),
        (SOH + bytes(9) + b"\x00\x02\x02" + b"ab" + b"\x03\x00\x00", "crc"),
    ],
)
def test_garbage_says_why(data: bytes, reason: str) -> None:
    """Each kind of garbage has its own reason."""
    found, framer = feed(data)
    assert isinstance(found[0], Garbage)
    assert found[0].reason == reason
    assert framer.pending == 0
