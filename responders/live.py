"""Who may be told what of a change: decided from the change, the case as it is now, and what somebody may see. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from responders.views import Change, IncidentRow


@dataclass(frozen=True, slots=True)
class News:
    """A change with the areas that deal with its case beside the one of its place; `row` is the case as it is now."""

    change: Change
    parties: tuple[str, ...] = ()
    row: IncidentRow | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: an area, and whether cases; all who share it are told the same."""

    area: str
    cases: bool


@dataclass(frozen=True, slots=True)
class Watcher:
    """An account as it is now."""

    id: UUID
    sight: Sight


class Telling(StrEnum):
    """How somebody is told of a change."""

    NOT_MINE = "not_mine"
    SHOWN = "shown"
    GONE = "gone"  # it concerned his area, where the case no longer is


def telling_of(news: News, sight: Sight) -> Telling:
    """Say how somebody is told: heartbeats concern everybody, the rest whoever sees cases and has a part in it."""
    if news.change.kind == "heartbeat":
        return Telling.SHOWN
    joined = any(area.startswith(sight.area) for area in news.parties)
    if not sight.cases or not (joined or news.change.area.startswith(sight.area)):
        return Telling.NOT_MINE
    if news.change.kind != "incident":
        return Telling.SHOWN
    within = news.row is not None and (joined or news.row.place.startswith(sight.area))
    return Telling.SHOWN if within else Telling.GONE


def newest_of(news: Sequence[News]) -> list[News]:
    """Keep the last change of each thing, in order: a page shows how things stand, not each step."""
    newest = {(one.change.kind, one.change.ref): one for one in news}
    return sorted(newest.values(), key=lambda one: one.change.id)
