"""How many independent streams findings are, and which of them are weak."""

import pytest
from alert_world import COUNTY, bulletin, limit, phrase, statistical
from msgspec import structs

from detectors.fusion.levels import is_weak, streams_of
from domain.findings import Finding, SubjectKind
from domain.levels import Feed


def cell(area: str, feed: Feed = Feed.TICKETS, **changes: object) -> Finding:
    """Make a count of a cell."""
    finding = structs.replace(
        statistical(1, detector="counts"), subject_kind=SubjectKind.CELL, subject=area, area=area, feed=feed
    )
    return structs.replace(finding, **changes)


def zone(*places: str, feed: Feed = Feed.TICKETS, terms: tuple[str, ...] = ()) -> Finding:
    """Make a finding of a zone."""
    return cell(COUNTY, feed, subject_kind=SubjectKind.ZONE, subject="zone-1", places=places, terms=terms)


TOWNSHIP = f"{COUNTY}001"
VILLAGES = (f"{TOWNSHIP}001", f"{TOWNSHIP}002")


@pytest.mark.parametrize(
    ("findings", "streams"),
    [
        ([], 0),
        ([statistical(1), statistical(2)], 2),
        ([cell(TOWNSHIP), cell(VILLAGES[0])], 1),
        ([cell(VILLAGES[0]), cell(VILLAGES[1])], 2),
        ([zone(*VILLAGES)], 1),
        ([zone(*VILLAGES), cell(VILLAGES[0])], 1),
        ([zone(*VILLAGES), cell(TOWNSHIP)], 1),
        ([zone(*VILLAGES), cell(f"{TOWNSHIP}003")], 2),
        ([zone(*VILLAGES), cell(VILLAGES[0], Feed.REPORTS)], 2),
        ([zone(feed=Feed.READINGS, terms=("series-1",)), statistical(1)], 1),
        ([zone(feed=Feed.READINGS, terms=("series-1",)), statistical(2)], 2),
        ([cell(TOWNSHIP, places=VILLAGES, terms=("发热",)), cell(TOWNSHIP)], 1),
        ([cell(TOWNSHIP, places=VILLAGES, terms=("发热",)), statistical(1)], 2),
    ],
)
def test_what_was_pooled_is_no_stream_beside_what_it_was_pooled_from(
    findings: list[Finding], streams: int
) -> None:
    """Cells, zones and rivers: who says again what others say does not count again, in whatever order."""
    assert streams_of(findings) == streams
    assert streams_of(findings[::-1]) == streams


def test_limits_phrases_and_bulletins_are_never_weak() -> None:
    """Whatever a detector marks: they raise by themselves."""
    for finding in (limit(1), phrase(1), bulletin(1)):
        assert not is_weak(structs.replace(finding, weak=True))
    assert is_weak(structs.replace(statistical(1), weak=True))
