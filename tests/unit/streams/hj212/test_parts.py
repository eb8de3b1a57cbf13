"""Parts of packets are joined in any order, and what stays incomplete is given up by name."""

from itertools import permutations

from msgspec import structs

from streams.hj212.packet import Packet
from streams.hj212.parts import Assembler, Incomplete

FIRST = Packet(
    qn="20260102030405678", st="32", cn="2051", mn="A1", flag=7, pnum=3, pno=1, cp="DataTime=1", notes=("mn",)
)
SECOND = structs.replace(FIRST, pno=2, cp="a-Avg=1", notes=())
THIRD = structs.replace(FIRST, pno=3, cp="b-Avg=2")
WHOLE = structs.replace(FIRST, pnum=None, pno=None, cp="DataTime=1;a-Avg=1;b-Avg=2")


def other(number: int) -> Packet:
    """Make the second part of another packet."""
    return structs.replace(SECOND, qn=f"2026010203040{number:04d}")


def test_a_packet_in_one_frame_needs_no_company() -> None:
    """Without PNUM, or with a PNUM of one."""
    assembler = Assembler()
    alone = structs.replace(FIRST, pnum=None, pno=None)
    assert assembler.add(alone, 0.0) is alone
    only = structs.replace(FIRST, pnum=1)
    assert assembler.add(only, 0.0) is only
    assert assembler.finish() == []


def test_parts_are_joined_in_any_order() -> None:
    """Also when one comes twice before the last one."""
    for order in permutations([FIRST, SECOND, THIRD]):
        assembler = Assembler()
        assert [assembler.add(part, 0.0) for part in order[:2]] == [None, None]
        assert assembler.add(order[0], 0.0) is None
        assert assembler.add(order[2], 0.0) == WHOLE
        assert assembler.finish() == []


def test_a_part_that_comes_again_gives_the_packet_again() -> None:
    """Its answer may have been lost; after a while it begins a new packet."""
    assembler = Assembler()
    for part in (FIRST, SECOND, THIRD):
        whole = assembler.add(part, 0.0)
    assert assembler.add(SECOND, 30.0) == whole == WHOLE
    assert assembler.add(SECOND, 61.0) is None


def test_what_stays_incomplete_is_given_up_once() -> None:
    """With the parts that are there and those that are not."""
    assembler = Assembler()
    assembler.add(THIRD, 0.0)
    assembler.add(FIRST, 50.0)
    assert assembler.give_up(60.0) == []
    assert assembler.give_up(60.5) == [
        Incomplete("A1", "2051", FIRST.qn, (1, 3), 3, "parts-missing", "DataTime=1;b-Avg=2")
    ]
    assert assembler.give_up(99.0) == []
    assembler.add(SECOND, 100.0)
    assert [one.have for one in assembler.finish()] == [(2,)]
    assert assembler.finish() == []


def test_a_part_that_counts_otherwise_begins_anew() -> None:
    """Three parts, or two: they are not of one packet."""
    assembler = Assembler()
    assembler.add(FIRST, 0.0)
    assert assembler.add(structs.replace(SECOND, pnum=2), 0.0) is None
    assert [(one.reason, one.of) for one in assembler.give_up(0.0)] == [("parts-disagree", 3)]


def test_the_oldest_gives_way_to_the_newest() -> None:
    """Bounded in number and in characters."""
    assembler = Assembler(most_joins=2)
    for number in range(4):
        assembler.add(other(number), 0.0)
    assert [one.qn[-4:] for one in assembler.give_up(0.0)] == ["0000", "0001"]
    assembler = Assembler(most_characters=2_000)
    for number in range(4):
        assembler.add(structs.replace(other(number), cp="x" * 900), 0.0)
    given_up = assembler.give_up(0.0)
    assert [(one.qn[-4:], one.reason) for one in given_up] == [
        ("0000", "parts-crowded"),
        ("0001", "parts-crowded"),
    ]
    for number in range(40):  # what was complete is kept for a moment, but not without bound
        for part in (FIRST, SECOND, THIRD):
            assembler.add(structs.replace(part, qn=str(number), cp="x" * 500), 0.0)
    assert sum(len(packet.cp) for _, packet in assembler._whole.values()) <= 2_000


def test_without_qn_a_first_part_begins_a_new_packet() -> None:
    """The 2005 edition writes no QN: parts of two minutes must not be joined."""
    first, second = (structs.replace(part, qn="", pnum=2) for part in (FIRST, SECOND))
    assembler = Assembler()
    assert assembler.add(second, 0.0) is None  # its first part was lost
    assert assembler.add(structs.replace(first, cp="DataTime=2"), 10.0) is None
    assert [one.reason for one in assembler.give_up(10.0)] == ["parts-missing"]
    joined = assembler.add(structs.replace(second, cp="a-Avg=5"), 10.0)
    assert joined is not None
    assert joined.cp == "DataTime=2;a-Avg=5"
    assert assembler.add(structs.replace(first, cp="DataTime=3"), 20.0) is None  # not an old packet again
