"""What officers keep at their seats, as types: saved views of the queue; and the cases that are shown beside a case."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.incidents import IncidentState, Verdict
from domain.inputs import AwareTime, Slug
from domain.levels import Grade, Level

Name = Annotated[str, Meta(max_length=40, pattern=r"^\S(.*\S)?$")]
"""Without blanks at its ends; not empty."""
LevelNumber = Annotated[int, Meta(ge=1, le=4)]
Township = Annotated[str, Meta(pattern=r"^(\d{9})?$")]


class Shown(StrEnum):
    """Which states a queue shows."""

    OPEN = "open"
    ALL = "all"


class Drills(StrEnum):
    """Whether a queue shows exercises (演练)."""

    WITH = "with"
    ONLY = "only"
    WITHOUT = "without"


class QueueFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a queue shows; what is empty does not restrict. `mine` are the cases that one holds, `text` is searched for."""

    state: Shown = Shown.OPEN
    levels: Annotated[tuple[LevelNumber, ...], Meta(max_length=4)] = ()
    category: Slug | None = None
    township: Township = ""
    mine: bool = False
    drill: Drills = Drills.WITH
    text: Annotated[str, Meta(max_length=100)] = ""


class SavedView(Struct, frozen=True, kw_only=True):
    """A filter of the queue under a name, of one account."""

    name: str
    filter: QueueFilter
    saved_at: AwareTime


class Colleague(Struct, frozen=True, kw_only=True):
    """An account that may stand in for another one."""

    id: UUID
    display: str


class Nearness(StrEnum):
    """Why a case is shown as near by; the first that holds is told."""

    SAME = "same"  # the same township
    ADJOINING = "adjoining"
    RIVER = "river"


class NearCase(Struct, frozen=True, kw_only=True):
    """A case that was opened around the same time near by."""

    id: UUID
    category: str
    place: str
    place_name: str
    level: Level
    state: IncidentState
    title: str
    zh: str
    en: str
    opened_at: AwareTime
    nearness: Nearness


class Likeness(StrEnum):
    """Why an ended case is shown as similar."""

    PLACE = "place"  # the same category in the same township
    WORDS = "words"  # the same category, and words of its evidence in common


class LikeCase(Struct, frozen=True, kw_only=True):
    """An ended case like this one, with what became of it; `words` are those that both have, `note` the last one made."""

    id: UUID
    place: str
    place_name: str
    level: Level
    grade: Grade
    state: IncidentState
    title: str
    zh: str
    en: str
    opened_at: AwareTime
    ended_at: AwareTime
    verdict: Verdict | None
    note: str
    likeness: Likeness
    words: tuple[str, ...] = ()


class Related(Struct, frozen=True, kw_only=True):
    """Cases beside a case: near it at the same time, and like it in the past; `more_*` say that lists go on."""

    near: tuple[NearCase, ...]
    more_near: bool
    like: tuple[LikeCase, ...]
    more_like: bool
