"""Frames are found in any bytes, however they are cut, and damaged ones hide none."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from streams.devices.framing import Garbage
from streams.hj212.crc import crc16
from streams.hj212.frames import MAX_FRAME, Frame, Framer, encode_frame, looks_encrypted, wrap

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("vectors.json").read_text(encoding="utf-8")
)
RIGHT = [vector["packet"].encode() for vector in VECTORS if vector["crc_ok"]]
GOOD = RIGHT[0]
OTHER = RIGHT[1]
NEAR_FRAMES = [
    *RIGHT,
    b"##",
    b"#",
    b"\r\n",
    b"##0101",
    b"##9999",
    b"##0000",
    b"&&1C80",
    b"&&1c80\r\n",
    b"\x00",
    b"CP=&&",
]


def slow_crc16(data: bytes) -> int:
    """Compute the check code as the standard's annex prints it."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0xA001
    return register


def feed(data: bytes, size: int | None = None) -> list[Frame | Garbage]:
    """Feed bytes in pieces of one size, or at once, and tell the end as well."""
    framer = Framer()
    found = [
        item
        for begin in range(0, len(data), size or len(data) or 1)
        for item in framer.feed(data[begin : begin + (size or len(data))])
    ]
    return [*found, *framer.finish()]


def frames(data: bytes) -> list[bytes]:
    """Find the segments of the frames in some bytes."""
    return [item.segment for item in feed(data) if isinstance(item, Frame)]


def segment(packet: bytes) -> bytes:
    """Take the segment out of a frame without line end."""
    return packet[6:-4]


@settings(deadline=None)  # the first call loads the compiled loop
@given(st.binary(max_size=600))
def test_the_compiled_code_is_that_of_the_annex(data: bytes) -> None:
    """Bit by bit and by table it is the same number."""
    assert crc16(data) == slow_crc16(data)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["source"] for vector in VECTORS])
def test_every_vector_is_what_it_is_known_to_be(vector: dict[str, Any]) -> None:
    """A right one is a frame; one with a wrong length or code is garbage of that reason, and the next one is found."""
    packet = vector["packet"].encode()
    assert f"{crc16(segment(packet)):04X}" == vector["crc_computed"]
    first, second = feed(packet + b"\r\n" + GOOD)
    assert second == Frame(segment(GOOD), (), 0x1C80)
    if vector["crc_ok"] and vector["length_ok"]:
        assert first == Frame(segment(packet), (), int(vector["crc_sent"], 16))
    else:
        assert isinstance(first, Garbage)
        assert first == Garbage(packet, "crc" if vector["length_ok"] else "length")


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n", b"\r\n\r\n", b"\n\r", b"\r"])
def test_line_ends_may_lack_or_be_many(between: bytes) -> None:
    """What stands between two frames says nothing, and is not told."""
    assert feed(between + GOOD + between + OTHER + between) == [
        Frame(segment(GOOD), (), 0x1C80),
        Frame(segment(OTHER), (), 0x2200),
    ]


def test_a_frame_waits_for_its_last_byte() -> None:
    """Half a frame is pending; its end completes it without a line end."""
    framer = Framer()
    assert framer.feed(GOOD[:-1]) == []
    assert framer.pending == len(GOOD) - 1
    assert framer.feed(GOOD[-1:]) == [Frame(segment(GOOD), (), 0x1C80)]
    assert framer.pending == 0


def test_noise_is_told_in_pieces() -> None:
    """Three thousand bytes of noise are three pieces of garbage, and nothing of them is lost."""
    noise = bytes(range(0x30, 0x60)) * 63
    found = feed(noise + GOOD)
    assert [item.reason for item in found[:-1] if isinstance(item, Garbage)] == ["noise"] * 3
    assert b"".join(item.data for item in found[:-1] if isinstance(item, Garbage)) == noise
    assert found[-1] == Frame(segment(GOOD), (), 0x1C80)


@pytest.mark.parametrize("lie", [b"9999", b"0102", b"0140", b"0000", b"0050"])
def test_a_frame_behind_a_lying_length_is_found(lie: bytes) -> None:
    """A head without the rest of its frame takes nothing of the next one, however long it says it is."""
    cut = b"##" + lie + segment(GOOD)[:60]
    assert feed(cut + GOOD) == [Garbage(cut, "length"), Frame(segment(GOOD), (), 0x1C80)]


def test_a_frame_behind_a_lying_length_need_not_wait() -> None:
    """The second head tells that the first one lied, long before 9,999 bytes have come."""
    framer = Framer()
    assert framer.feed(b"##9999" + segment(GOOD)[:60]) == []
    assert len(framer.feed(GOOD)) == 2


@pytest.mark.parametrize("said", [b"0000", b"0095", b"0100", b"0105", b"0999"])
@pytest.mark.parametrize("after", [b"\r\n", b"\n", GOOD])
def test_a_wrong_length_is_noted_when_all_else_is_right(said: bytes, after: bytes) -> None:
    """Where the check code and a line end or a head stand, the frame ends; its code must be right."""
    wrong = b"##" + said + GOOD[6:]
    found = feed(wrong + after)
    assert found[0] == Frame(segment(GOOD), ("length",), 0x1C80)
    assert feed(wrong[:-4] + b"1C81" + after)[0] == Garbage(wrong[:-4] + b"1C81", "length")


def test_two_wrong_codes_are_two_pieces_of_garbage() -> None:
    """Damaged frames are counted one by one."""
    damaged = GOOD.replace(b"RtdInterval=30", b"RtdInterval=31")
    assert feed(damaged + damaged + b"\r\n" + GOOD) == [
        Garbage(damaged, "crc"),
        Garbage(damaged, "crc"),
        Frame(segment(GOOD), (), 0x1C80),
    ]


def test_a_long_segment_is_taken_with_a_note() -> None:
    """More than the standard allows is read, and never written."""
    long = b"ST=32;CN=2011;MN=1;CP=&&DataTime=20260102030405;" + b"a-Rtd=1;" * 130 + b"&&"
    assert feed(wrap(long, crc16(long))) == [Frame(long, ("long",), crc16(long))]
    with pytest.raises(InvalidInput, match="segment: is 1090 bytes long, at most 1024 are allowed"):
        encode_frame(long)


def test_what_is_left_at_the_end_is_told() -> None:
    """A connection that ends inside a frame leaves garbage that says so."""
    assert feed(b"hello" + GOOD[:50]) == [Garbage(b"hello", "noise"), Garbage(GOOD[:50], "unfinished")]


def test_an_encrypted_frame_is_known_by_its_looks() -> None:
    """Of the 2025 edition alone, when the first block is no text; the code is left to whoever has the key."""
    head = b"QN=20240601085857223;ST=32;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&"
    sealed = head + bytes(range(0xE0, 0xF0)) + b"abc&&"
    assert looks_encrypted(sealed)
    assert looks_encrypted(head + b"{0xE4,0x3E}&&")
    assert not looks_encrypted(head + bytes(range(0xE0, 0xEF)) + b"&&")  # shorter than a block
    assert not looks_encrypted(head + b"DataTime=20240601085857;a-Rtd=1&&")
    assert not looks_encrypted(sealed.replace(b"Flag=9", b"Flag=5"))
    assert feed(wrap(sealed, 0x1234) + GOOD) == [
        Frame(sealed, ("encrypted",), 0x1234),
        Frame(segment(GOOD), (), 0x1C80),
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(NEAR_FRAMES), st.binary(max_size=40)), max_size=12),
    st.lists(st.integers(1, 300), min_size=1, max_size=8),
)
def test_how_bytes_are_cut_makes_no_difference(pieces: list[bytes], sizes: list[int]) -> None:
    """The same frames and the same garbage, and every byte is told once but for line ends."""
    data = b"".join(pieces)
    framer, begin, found = Framer(), 0, []
    while begin < len(data):
        size = sizes[begin % len(sizes)]
        found += framer.feed(data[begin : begin + size])
        assert framer.pending <= MAX_FRAME
        begin += size
    found += framer.finish()
    assert found == feed(data)
    told = b"".join(
        item.data
        if isinstance(item, Garbage)
        else b"##%04d" % len(item.segment) + item.segment + b"%04X" % item.crc
        for item in found
    )
    assert len(told.replace(b"\r", b"").replace(b"\n", b"")) == len(
        data.replace(b"\r", b"").replace(b"\n", b"")
    )


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(RIGHT), st.data())
def test_a_damaged_frame_never_hides_the_next(packet: bytes, data: st.DataObject) -> None:
    """Whatever becomes of one frame's bytes, unless they become a head, the next frame is found."""
    place = data.draw(st.integers(0, len(packet) - 1))
    what = data.draw(st.sampled_from(["lose", "change", "repeat"]))
    match what:
        case "lose":
            damaged = packet[:place] + packet[place + data.draw(st.integers(1, 60)) :]
        case "change":
            damaged = (
                packet[:place] + bytes([packet[place] ^ data.draw(st.integers(1, 255))]) + packet[place + 1 :]
            )
        case _:
            damaged = packet[:place] + packet[max(0, place - 30) : place] + packet[place:]
    assert frames(damaged + b"\r\n" + GOOD + b"\r\n")[-1] == segment(GOOD)


@pytest.mark.parametrize(
    "junk", [b"#", b"##0", b"##9999", b"##0002&&0000", b"##0994QN=&&0000", b"&&0000", b"x", b"\r\n"]
)
def test_hostile_bytes_cost_time_in_proportion(junk: bytes) -> None:
    """Eight times the bytes cost about eight times the time, cut in two ways; and no more is kept than a frame."""

    def seconds(data: bytes, size: int) -> float:
        best = 9.0
        for _ in range(3):
            framer = Framer()
            begun = time.process_time()
            for begin in range(0, len(data), size):
                framer.feed(data[begin : begin + size])
                assert framer.pending <= MAX_FRAME
            best = min(best, time.process_time() - begun)
        return best

    few, many = junk * (40_000 // len(junk)), junk * (320_000 // len(junk))
    for size in (len(many), 1_460):
        assert seconds(many, size) < 8 * 4 * max(seconds(few, size), 0.001)
