"""Packets are read with tolerance and notes, refused with every fault at once, and written strictly."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from domain.errors import InvalidInput
from streams.hj212.encode import MAX_CP, encode_packet, segment_of
from streams.hj212.frames import MAX_SEGMENT, Frame, Framer
from streams.hj212.packet import Packet, parse_segment, sender_of
from streams.hj212.parts import Assembler
from streams.hj212.sm4 import open_frame

MN = "010000A8900016F000169DC0"
RIGHT = (
    f"QN=20260102030405678;ST=32;CN=2011;PW=123456;MN={MN};Flag=5;CP=&&DataTime=20260102030400;w01018-Rtd=1&&"
)


def parse(text: str) -> Packet:
    """Read a segment of text."""
    return parse_segment(text.encode())


def faults_of(text: str) -> set[str]:
    """Read a segment that cannot be read, and tell what is said of it."""
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    return {str(fault) for fault in caught.value.faults}


def read(data: list[bytes], key: bytes | None = None) -> list[Packet]:
    """Read frames as packets."""
    items = Framer().feed(b"".join(data))
    assert all(isinstance(item, Frame) for item in items)
    opened = [open_frame(item, key) for item in items if isinstance(item, Frame)]
    return [parse_segment(frame.segment, frame.notes) for frame in opened]


def test_every_field_is_read() -> None:
    """A packet with all that the standard knows."""
    packet = parse(
        f"QN=20260102030405678;ST=21;CN=2061;PW=123456;MN={MN};Flag=7;PNUM=3;PNO=2;RF=1;CP=&&a-Avg=1,a-Flag=N;b-Avg=2&&"
    )
    assert packet == Packet(
        qn="20260102030405678",
        st="21",
        cn="2061",
        pw="123456",
        mn=MN,
        flag=7,
        pnum=3,
        pno=2,
        rf=True,
        cp="a-Avg=1,a-Flag=N;b-Avg=2",
    )
    assert packet.is_part
    assert packet.groups() == [{"a-Avg": "1", "a-Flag": "N"}, {"b-Avg": "2"}]
    assert packet.values() == {"a-Avg": "1", "a-Flag": "N", "b-Avg": "2"}


@pytest.mark.parametrize(
    ("flag", "version", "wants_answer"),
    [
        ("", 2005, False),
        ("Flag=0;", 2005, False),
        ("Flag=1;", 2005, True),
        ("Flag=4;", 2017, False),
        ("Flag=5;", 2017, True),
        ("Flag=8;", 2025, False),
        ("Flag=9;", 2025, True),
        ("Flag=13;", 2025, True),
    ],
)
def test_the_flag_tells_the_version(flag: str, version: int, wants_answer: bool) -> None:
    """Its high bits; the lowest asks for an answer. A version to come is read like the newest."""
    packet = parse(RIGHT.replace("Flag=5;", flag))
    assert (packet.version, packet.wants_answer) == (version, wants_answer)
    assert packet.notes == (("version",) if flag == "Flag=13;" else ())


def test_packets_of_2005_need_neither_qn_nor_flag() -> None:
    """That edition uploads without them, and asks with a bit for parts that it does not have."""
    packet = parse("ST=32;CN=2011;PW=123456;MN=88888880000001;CP=&&DataTime=20260102030400;011-Rtd=1&&")
    assert (packet.qn, packet.flag, packet.version, packet.notes) == ("", None, 2005, ())
    assert parse(RIGHT.replace("Flag=5", "Flag=3")).notes == ()


@pytest.mark.parametrize(
    ("old", "new", "notes"),
    [
        (MN, "JLYP01_AIR01.0001", ("mn",)),
        ("Rtd=1&&", "Rtd=1;&&", ("semicolon",)),
        ("400;w", "400;;w", ("empty-item",)),
        ("400;w", "400123;w", ("milliseconds",)),
        ("QN=20260102030405678;", "", ("qn",)),
        ("QN=20260102030405678;", "QN=2026010203;", ("qn",)),
        ("MN=", "mn=", ("case",)),
        ("CP=&&", "cp=&&", ("case",)),
        ("Flag=5;CP", "Flag=7;CP", ("unsplit",)),
        ("Flag=5;", "Flag=7;PNO=1;PNUM=2;", ("order",)),
        ("ST=32;CN=2011;", "CN=2011;ST=32;", ("order",)),
        ("Flag=5;", "Flag=5;CmdFlag=0;", ("extra",)),
        ("Flag=5;", " Flag=5 ; ", ()),
        ("CP=&&DataTime", "CP=&& DataTime", ()),
    ],
)
def test_what_is_odd_is_noted(old: str, new: str, notes: tuple[str, ...]) -> None:
    """The packet is read all the same."""
    packet = parse(RIGHT.replace(old, new))
    assert packet.notes == notes
    assert packet.values()["w01018-Rtd"] == "1"


def test_notes_of_the_frame_come_first() -> None:
    """What was odd outside and inside are told together."""
    assert parse_segment(RIGHT.replace("&&D", "&&;D").encode(), ("length",)).notes == ("length", "empty-item")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_is_read_in_both_encodings(encoding: str) -> None:
    """A log of a data logger, as either edition writes it."""
    text = RIGHT.replace("w01018-Rtd=1", "i11001-Info=//现场维护//")
    assert parse_segment(text.encode(encoding)).values()["i11001-Info"] == "//现场维护//"


def test_all_faults_come_at_once() -> None:
    """Missing, twice, wrong and not closed."""
    assert faults_of("QN=1;QN=2;ST=;CN=20;MN=a b;Flag=999;PNO=4;CP=&&x") == {
        "QN: is there twice",
        "ST: must be two digits",
        "CN: must be four digits",
        "MN: must be 1 to 40 letters, digits, or any of _ . : -",
        "Flag: must be a number up to 255",
        "PNUM: must be 1 to 9999 where there is a PNO",
        "CP: must end in &&",
    }
    assert faults_of("") == {"ST: is missing", "CN: is missing", "MN: is missing", "CP: is missing"}
    assert faults_of(RIGHT.replace("Flag=5;", "Flag=7;PNUM=2;PNO=3;")) == {
        "PNO: must be 1 to PNUM, which is 2"
    }
    assert faults_of(RIGHT.replace("PW=123456", "PW=1&&2")) == {
        "PW: must be up to 40 characters, none of & ; ="
    }
    assert faults_of(f"MN={'x' * 41};ST=32;CN=2011;CP=&&&&") == {
        "MN: must be 1 to 40 letters, digits, or any of _ . : -"
    }


def test_bytes_that_are_no_text_are_told() -> None:
    """Nothing is guessed of them."""
    with pytest.raises(InvalidInput, match="is text in none of"):
        parse_segment(b"\xff\xff" + RIGHT.encode())


def test_a_password_does_not_show() -> None:
    """A packet can be logged."""
    assert "123456" not in repr(parse(RIGHT))


def test_the_sender_of_an_encrypted_segment_is_found() -> None:
    """Its key is looked up by it."""
    assert sender_of(RIGHT.encode()[:80] + b"CP=&&\xff\xfe&&") == MN
    assert sender_of(b"MN=1;CP=&&&&") == "1"
    assert sender_of(b"QN=1;CP=&&&&") == ""


def test_the_official_example_is_written_as_printed() -> None:
    """Annex A of 2017 and annex A.1 of 2025."""
    packet = Packet(
        qn="20160801085857223", st="32", cn="1062", pw="100000", mn=MN, flag=5, cp="RtdInterval=30"
    )
    (frame,) = encode_packet(packet)
    assert frame == (
        b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        b"CP=&&RtdInterval=30&&1C80\r\n"
    )
    packet = Packet(qn="20240601085857223", st="32", cn="1011", pw="123456", mn=MN, flag=9)
    assert encode_packet(packet) == [
        b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&2200\r\n"
    ]


def test_a_long_packet_is_cut_between_groups() -> None:
    """No frame is longer than allowed, each says which it is, and together they are the packet."""
    groups = [f"w{number:05d}-Rtd={number / 7:.3f},w{number:05d}-Flag=N" for number in range(90)]
    packet = structs.replace(parse(RIGHT), cp=f"DataTime=20260102030400;{';'.join(groups)}")
    for key in (None, b"k" * 16):
        sent = encode_packet(structs.replace(packet, flag=9) if key else packet, key)
        parts = read(sent, key)
        assert [(part.pnum, part.pno) for part in parts] == [(4, number) for number in range(1, 5)]
        assert all(part.flag == (11 if key else 7) and part.notes == () for part in parts)
        assert all(len(part.cp) <= MAX_CP and len(segment_of(part)) <= MAX_SEGMENT for part in parts)
        assembler = Assembler()
        whole = [assembler.add(part, 0.0) for part in parts]
        assert whole[:-1] == [None] * 3
        assert whole[-1] is not None
        assert whole[-1].cp == packet.cp


def test_what_the_standard_does_not_allow_is_not_written() -> None:
    """All faults at once."""
    packet = Packet(qn="1", st="x", cn="1", pw="a;b", mn="a b", flag=256, pno=1, cp="a&&b")
    with pytest.raises(InvalidInput) as caught:
        encode_packet(packet)
    assert [fault.field for fault in caught.value.faults] == [
        "QN",
        "ST",
        "CN",
        "PW",
        "MN",
        "Flag",
        "PNO",
        "CP",
    ]


def test_what_cannot_be_cut_is_not_written() -> None:
    """A group longer than a frame, and a part that is too long."""
    packet = parse(RIGHT)
    with pytest.raises(InvalidInput, match="CP: has a group of 1003 bytes, at most"):
        encode_packet(structs.replace(packet, cp="a-b" + "1" * 1_000))
    with pytest.raises(InvalidInput, match="a part cannot be cut into parts"):
        encode_packet(structs.replace(packet, pnum=2, pno=1, cp="a-b=1;" * 200))


NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
CP = st.lists(
    st.builds("{}-Rtd={:.2f},{}-Flag=N".format, NAMES, st.floats(-1e6, 1e6), NAMES), min_size=1, max_size=60
).map(";".join)


@settings(deadline=None)
@given(
    st.builds(
        Packet,
        qn=st.from_regex(r"20[0-9]{15}", fullmatch=True),
        st=st.from_regex(r"[0-9]{2}", fullmatch=True),
        cn=st.from_regex(r"[0-9]{4}", fullmatch=True),
        pw=st.from_regex(r"[0-9A-Za-z]{6}", fullmatch=True),
        mn=st.from_regex(r"[0-9A-F]{24}", fullmatch=True),
        flag=st.sampled_from([0, 1, 4, 5, 8, 9]),
        rf=st.booleans(),
        cp=CP,
    )
)
def test_what_is_written_is_read_again(packet: Packet) -> None:
    """In one frame or several, and in any order of these."""
    parts = read(encode_packet(packet))
    assembler = Assembler()
    (whole,) = filter(None, (assembler.add(part, 0.0) for part in reversed(parts)))
    flag = packet.flag if len(parts) == 1 else (packet.flag or 0) | 2
    assert whole == structs.replace(packet, flag=flag)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20), st.integers(0, len(RIGHT)), st.integers(0, 30))
def test_no_text_breaks_the_reader(text: str, place: int, lost: int) -> None:
    """A segment with anything put in or taken out is a packet, or has faults in words."""
    spoilt = RIGHT[:place] + text + RIGHT[place + lost :]
    try:
        packet = parse_segment(spoilt.encode("utf-8", "surrogatepass"))
    except InvalidInput as error:
        assert error.faults
    else:
        assert packet.cn.isdigit()
        packet.groups()
