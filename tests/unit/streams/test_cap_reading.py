"""CAP from bytes: what is read, what is read with a note, and what is refused with its line and column."""

import gzip
import time
from datetime import timedelta

import pytest
from cap_world import NOW, WEST, info, message, place, polygon

from domain.cap import MessageType, Scope, Severity, Status
from domain.errors import InvalidInput
from streams.cap.document import MAX_BYTES, MAX_DEPTH
from streams.cap.reading import MAX_POINTS, read_cap

PLAIN = message()


def told(data: bytes) -> list[str]:
    """Read what must be refused, and list what is said of it."""
    with pytest.raises(InvalidInput) as caught:
        read_cap(data)
    return [str(fault) for fault in caught.value.faults]


def at(data: bytes, needle: str) -> str:
    """Tell where a piece of text stands, counted in characters from 1."""
    before = data.decode().partition(needle)[0]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def test_a_message_is_read_whole() -> None:
    """Every element that we use comes out as it went in."""
    codes = "<eventCode><valueName>12379</valueName><value>11B03</value></eventCode>"
    where = (
        f"<area><areaDesc>河西镇</areaDesc><polygon>{polygon(120, 30)}</polygon><circle>30.05,120.05 2.5</circle>"
        "<geocode><valueName>GB/T 10114</valueName><value>990166101</value></geocode></area>"
    )
    reading = read_cap(
        message(info(where, codes=codes), kind="Update", references=[("A-1", NOW - timedelta(hours=1))])
    )
    alert = reading.alert
    assert reading.notes == ()
    assert (alert.status, alert.type, alert.scope, alert.sent) == (
        Status.ACTUAL,
        MessageType.UPDATE,
        Scope.PUBLIC,
        NOW,
    )
    assert [str(one) for one in alert.references] == ["weather@county.example,A-1,2026-07-01T11:00:00+08:00"]
    (one,) = alert.infos
    assert (one.event, one.severity, one.language, one.event_codes) == (
        "暴雨",
        Severity.SEVERE,
        "zh-CN",
        (("12379", "11B03"),),
    )
    assert one.expires == NOW + timedelta(hours=6)
    (area,) = one.areas
    assert area.polygons == (((30.0, 120.0), (30.0, 120.1), (30.1, 120.1), (30.1, 120.0), (30.0, 120.0)),)
    assert area.circles == (((30.05, 120.05), 2.5),)
    assert area.geocodes == (("GB/T 10114", "990166101"),)


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (b"2026-07-01T12:00:00+08:00</sent>", b"2026-07-01T04:00:00Z</sent>", "sent: line 5, column 3"),
        (b"2026-07-01T12:00:00+08:00</sent>", b"2026-07-01 12:00:00.250+08:00</sent>", "sent: line 5"),
        (b"<expires>2026-07-01T18:00:00+08:00</expires>", b"<expires/>", "info[0].expires: line 9"),
        (b" 30.005,120.005</polygon>", b"</polygon>", "is not closed"),
    ],
)
def test_wrong_but_clear_forms_are_read_with_a_note(old: bytes, new: bytes, note: str) -> None:
    """A Z, fractions, an empty optional time and an open polygon are common, and leave no doubt."""
    assert old in PLAIN
    reading = read_cap(PLAIN.replace(old, new))
    assert reading.alert.sent == NOW
    assert note in " ".join(reading.notes)


def test_chinese_encodings_are_read() -> None:
    """GB 18030 and its older names say the same as UTF-8."""
    for name in ("GB18030", "gbk", "GB2312"):
        data = PLAIN.decode().replace("UTF-8", name).encode("gb18030")
        assert read_cap(data).alert == read_cap(PLAIN).alert


def test_all_faults_come_at_once_each_with_line_and_column() -> None:
    """Order, words, times, places and missing elements are told together."""
    data = PLAIN
    for old, new in (
        (b"  <sender>weather@county.example</sender>\n", b""),
        (b"2026-07-01T12:00:00+08:00</sent>", b"gestern</sent>"),
        (b"Severe", b"Schlimm"),
        (b"30.005,120.005 30.005,120.095", b"120.5,30 x"),
        (b"<certainty>Likely</certainty>", b""),
    ):
        assert old in data
        data = data.replace(old, new, 1)
    faults = told(data)
    text = "\n".join(faults)
    assert "document: line 2, column 1: lacks sender" in text
    assert "sent: line 4, column 3: is no time" in text
    assert f"info[0].severity: {at(data, '<severity>')}: is 'Schlimm', not one of Extreme" in text
    assert f"info[0]: {at(data, '<info>')}: lacks certainty" in text
    assert f"polygon: {at(data, '<polygon>')}: point 1 is '120.5,30': latitude comes first" in text
    assert all("line " in fault and "column " in fault for fault in faults)


BOMB = (
    b'<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>\n<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">&c;</alert>'
)
FILE_ENTITY = (
    b'<!DOCTYPE alert [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&secret;</identifier></alert>'
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB, "line 2, column 16: has a DTD"),
        (FILE_ENTITY, "line 1, column 17: has a DTD"),
        (b'<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/x.dtd"><alert/>', "has a DTD"),
        (
            PLAIN.replace(b"<event>", b"<event>&outside;"),
            f"{at(PLAIN, '暴雨</event>')}: is not XML: undefined entity",
        ),
        (b"<a>" * (MAX_DEPTH + 1), f"line 1, column {MAX_DEPTH * 3 + 1}: is nested deeper than {MAX_DEPTH}"),
        (b"<r>" + b"<a/>" * 60_000 + b"</r>", "has more than 50000 elements"),
        (b"x" * (MAX_BYTES + 1), f"has {MAX_BYTES + 1} bytes, at most {MAX_BYTES} are read"),
        (PLAIN[:400], "breaks off"),
        (PLAIN[: PLAIN.index("暴".encode()) + 1], "line 9"),
        (b"", "breaks off: no element found"),
        (gzip.compress(PLAIN), "line 1, column 1"),
        (b"\x00\xff\xfe", "line 1"),
        (PLAIN + b"<more/>", "line 11, column 1: is not XML: junk after document element"),
        (PLAIN.replace(b"cap:1.2", b"cap:1.1"), "line 2, column 1: is CAP 1.1: ask the sender for CAP 1.2"),
        (PLAIN.replace(b"urn:oasis:names:tc:emergency:cap:1.2", b"urn:else"), "has the namespace 'urn:else'"),
        (PLAIN.replace(b' xmlns="urn:oasis:names:tc:emergency:cap:1.2"', b""), "has the namespace '(none)'"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "is <feed>, expected <alert> of CAP 1.2"),
        (PLAIN.replace(b"</info>", b"<gossip/></info>"), "'gossip': This element is not expected"),
        (PLAIN.decode().replace("UTF-8", "gbk").encode(), "is not gbk"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_bad_input_is_told_by_its_place(data: bytes, reason: str) -> None:
    """Bombs, entities, truncated files, other versions: one clear sentence, at once, and nothing is fetched or expanded."""
    started = time.perf_counter()
    text = "\n".join(told(data))
    assert reason in text
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("<polygon>30,120 30,120.1</polygon>", "needs three different points"),
        ("<polygon></polygon>", "needs three different points"),
        ("<polygon>30,120 30 31,120</polygon>", "point 2 is '30', not lat,lon"),
        ("<polygon>30,120 nan,120 31,120</polygon>", "point 2 is 'nan,120', not lat,lon"),
        (f"<polygon>{'30,120 ' * (MAX_POINTS + 2)}</polygon>", f"at most {MAX_POINTS} are read"),
        ("<circle>30,120</circle>", "is not of the form lat,lon radius"),
        ("<circle>30,120 -1</circle>", "the radius must be 0 to"),
        ("<circle>30,200 1</circle>", "the centre is '30,200'"),
    ],
)
def test_shapes_that_are_none_are_told(shape: str, reason: str) -> None:
    """A place that cannot be drawn is refused with what is wrong about it."""
    data = message(info(f"<area><areaDesc>x</areaDesc>{shape}</area>"))
    (fault,) = told(data)
    assert reason in fault
    assert at(data, shape[:8]) in fault


def test_references_of_another_form_are_told() -> None:
    """What an Update names must be sender, identifier and time."""
    data = message(kind="Update", references=[("A", NOW)])
    wrong = data.replace(b",A,2026-07-01T12:00:00+08:00", b",A")
    assert told(wrong) == ["references: line 9, column 3: number 1 is not sender,identifier,sent"]


def test_comments_and_cdata_are_no_text_of_ours() -> None:
    """A comment inside a value is not part of it."""
    data = PLAIN.replace("<event>暴雨".encode(), "<event><!-- x --><![CDATA[暴雨]]>".encode())
    assert read_cap(data).alert.infos[0].event == "暴雨"
    assert read_cap(data).alert.infos[0].areas == read_cap(message(info(place(WEST)))).alert.infos[0].areas
