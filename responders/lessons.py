"""What a review leaves behind: what went well, and points to mend, each with an owner and a date (建议与整改).

Notes are lines of the case's record, which is append-only, and so are they; owners are posts.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault
from domain.inputs import AwareTime
from responders.views import Entry

NOTE = "review_note"
"""The kind of a line that holds a note."""


class NoteKind(StrEnum):
    """What a note of a review is."""

    GOOD = "good"
    POINT = "point"
    SETTLED = "settled"


WORDS = {NoteKind.GOOD: "经验", NoteKind.POINT: "整改", NoteKind.SETTLED: "整改完成"}


class NewNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note: what went well; a point to mend with its owner, a post of an area, and a date; or that one is mended."""

    kind: NoteKind
    text: Annotated[str, Meta(max_length=1000)]
    area: Annotated[str, Meta(max_length=15)] = ""
    post: Annotated[str, Meta(max_length=60)] = ""
    due: date | None = None
    settles: int | None = None


class Point(Struct, frozen=True, kw_only=True):
    """A note of a review as it is shown; `id` is its line of the record, `settled_at` when it was said to be mended."""

    id: int
    kind: NoteKind
    text: str
    by: str
    at: AwareTime
    owner: str = ""
    due: date | None = None
    settled_at: AwareTime | None = None


def points_of(timeline: Iterable[Entry]) -> tuple[Point, ...]:
    """Read the notes of a review out of the record."""
    notes = [one for one in timeline if one.kind == NOTE]
    settled = {
        one.detail.get("settles"): one.at for one in notes if one.detail.get("kind") == NoteKind.SETTLED
    }
    return tuple(
        Point(
            id=one.id,
            kind=NoteKind(str(one.detail["kind"])),
            text=str(one.detail["text"]),
            by=one.actor,
            at=one.at,
            owner=str(one.detail.get("owner", "")),
            due=date.fromisoformat(str(one.detail["due"])) if one.detail.get("due") else None,
            settled_at=settled.get(one.id),
        )
        for one in notes
    )


def objections(note: NewNote, points: Iterable[Point], today: date) -> list[Fault]:
    """Find what is wrong with a note, all at once."""
    faults = []
    if not note.text.strip():
        faults.append(Fault("text", "请填写内容。 Please say it in words."))
    if note.kind is NoteKind.POINT:
        if not note.area:
            faults.append(Fault("area", "整改须指明责任单位。 A point needs an owner."))
        if note.due is None:
            faults.append(Fault("due", "整改须有期限。 A point needs a date."))
        elif note.due < today:
            faults.append(Fault("due", "期限已过。 The date is over."))
    elif note.area or note.post or note.due:
        faults.append(Fault("area", "只有整改才有责任单位和期限。 Only a point has an owner and a date."))
    if note.kind is NoteKind.SETTLED:
        open_points = {one.id for one in points if one.kind is NoteKind.POINT and one.settled_at is None}
        if note.settles not in open_points:
            faults.append(Fault("settles", "没有这条未完成的整改。 There is no such open point."))
    elif note.settles is not None:
        faults.append(Fault("settles", "只用于整改完成。 This is for a point that is mended."))
    return faults
