"""Official warnings as findings: evidence in each area that they name, until they expire, are replaced or cancelled."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct, structs

from domain.findings import BrokenLimit, Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.inputs import Bulletin, BulletinStatus
from domain.levels import Feed

DETECTOR, DETECTOR_VERSION = "bulletin", 1
VERSION = 1
REMEMBERED = timedelta(days=31)
"""How long it is known that an unseen warning has ended: the cancellation may come before what it cancels."""


def bulletin_findings(bulletin: Bulletin) -> list[Finding]:
    """Make one finding for each area; its `limit` carries the bulletin's level, and as basis its headline."""
    if bulletin.category is None or bulletin.level is None:
        return []  # a cancellation that says nothing of its own
    return [
        Finding(
            id=finding_id(DETECTOR, DETECTOR_VERSION, f"{bulletin.id}/{area}", bulletin.effective_at),
            detector=DETECTOR,
            detector_version=DETECTOR_VERSION,
            category=bulletin.category,
            subject_kind=SubjectKind.BULLETIN,
            subject=bulletin.own_id,
            area=area,
            feed=Feed.BULLETINS,
            state=FindingState.CONFIRMED,
            observed_at=bulletin.effective_at,
            received_at=bulletin.received_at,
            period_start=bulletin.effective_at,
            period_end=bulletin.expires_at,
            limit=BrokenLimit(level=bulletin.level, value=float(bulletin.level), basis=bulletin.headline),
            inputs=(bulletin.id,),
            restricted=bulletin.restricted,
        )
        for area in bulletin.areas
    ]


class Board(Struct):
    """What one source has posted and not taken down, and what it took down, with when that may be forgotten."""

    version: int = VERSION
    in_force: dict[str, Bulletin] = {}
    ended: dict[str, datetime] = {}

    def take(self, bulletin: Bulletin) -> list[Finding]:
        """Post a warning, take down what it supersedes; the same again, or an ended one come late, changes nothing."""
        self._forget(bulletin.received_at)
        if bulletin.exercise:
            return []
        findings = [
            finding
            for name in bulletin.supersedes
            for known in self._known_as(name, bulletin)
            for finding in self._take_down(known, bulletin)
        ]
        until = bulletin.received_at + REMEMBERED
        for name in set(bulletin.supersedes) - {bulletin.own_id, bulletin.part_of}:
            self.ended[name] = max(until, self.ended.get(name, until))
        if (
            bulletin.status is BulletinStatus.CANCELLED
            or {bulletin.own_id, bulletin.part_of} & self.ended.keys()
        ):
            return findings
        posted = bulletin_findings(bulletin)
        before = self.in_force.get(bulletin.own_id)
        if before is not None:  # the same id with other areas or times: what it says no longer must not stand
            kept = {finding.id for finding in posted}
            findings += [gone for gone in _cleared(before, bulletin) if gone.id not in kept]
        self.in_force[bulletin.own_id] = bulletin
        return findings + posted

    def _known_as(self, name: str, by: Bulletin) -> list[Bulletin]:
        """Find what a name means: a warning by its own id, or the parts of a message.

        A message may name itself, to replace what it said before: then the parts that came with it are not meant.
        """
        return [
            known
            for known in self.in_force.values()
            if known.own_id != by.own_id
            and (known.own_id == name or (known.part_of == name and not _came_together(known, by)))
        ]

    def _take_down(self, known: Bulletin, by: Bulletin) -> Iterator[Finding]:
        del self.in_force[known.own_id]
        self.ended[known.own_id] = max(known.expires_at, by.received_at) + REMEMBERED
        yield from _cleared(known, by)

    def _forget(self, now: datetime) -> None:
        self.in_force = {
            name: known for name, known in self.in_force.items() if known.expires_at + REMEMBERED > now
        }
        self.ended = {name: until for name, until in self.ended.items() if until > now}


def _came_together(one: Bulletin, other: Bulletin) -> bool:
    """Say whether two warnings are parts of one sending of one message: their ids differ after the last dot only."""
    heads = [bulletin.own_id.rpartition(".")[0] for bulletin in (one, other)]
    return one.part_of == other.part_of and heads[0] == heads[1]


def _cleared(known: Bulletin, by: Bulletin) -> list[Finding]:
    """Clear what a warning said; never before it began, since of two words on a finding the later in event time counts."""
    return [
        structs.replace(
            finding,
            state=FindingState.CLEARED,
            observed_at=max(finding.observed_at, by.effective_at),
            received_at=by.received_at,
            inputs=(by.id, known.id),
        )
        for finding in bulletin_findings(known)
    ]
