"""The same order pushed again and again: counted once, and no critical phrase is missed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs

from config.data import load_data
from detectors.words.terms import Terms
from detectors.words.text import Classifier
from domain.codec import decode, encode, headers_for
from domain.findings import Finding
from domain.hotline import Status
from domain.identity import input_id
from domain.inputs import Ticket
from domain.levels import Feed
from domain.topics import FINDINGS, TICKETS
from streams.agents_texts import TextsDesk
from streams.desk import Incoming

DATA = load_data()
START = datetime(2026, 3, 2, tzinfo=UTC)
DESK_AREA = "990101101001"


def order(number: int, hour: float, text: str = "路灯不亮", **changes: Any) -> Ticket:
    """Make the push of an order."""
    at = START + timedelta(hours=hour)
    return structs.replace(
        Ticket(
            id=input_id(Feed.TICKETS, "hotline", f"GD{number}"),
            source="hotline",
            order_number=f"GD{number}",
            observed_at=at,
            received_at=at,
            area=DESK_AREA,
            text=text,
        ),
        **changes,
    )


def take(desk: TextsDesk, *tickets: Ticket) -> list[Finding]:
    """Let the desk work off tickets, and read its findings."""
    found = []
    for ticket in tickets:
        message = Incoming(
            topic=TICKETS.name,
            partition=0,
            offset=0,
            value=encode(ticket),
            headers=dict(headers_for(TICKETS)),
            sent_at=0,
            acknowledge=lambda: None,
        )
        found += [decode(FINDINGS, one.value, one.headers) for one in desk.take(message)]
    return found


def warm_desk() -> TextsDesk:
    """Make a desk that knows three quiet days of the village."""
    desk = TextsDesk(Classifier(DATA.terms), Terms(DATA.stops, DATA.terms), DATA.categories, {}, 86_400.0)
    take(desk, *(order(number, hour=number * 6) for number in range(12)))
    return desk


def test_updates_of_one_order_are_no_burst() -> None:
    """Twenty pushes of one order, with new states and even other times, say nothing; twenty orders do."""
    again = [
        order(99, hour=80, status=Status.HANDLING, observed_at=START + timedelta(hours=80, minutes=minute))
        for minute in range(20)
    ]
    assert take(warm_desk(), *again) == []
    assert take(warm_desk(), order(99, hour=71.9), *again) == []  # the first push was on the day before
    many = take(warm_desk(), *(order(100 + number, hour=80) for number in range(20)))
    assert {finding.category for finding in many} == {"municipal-service"}


def test_a_phrase_that_a_later_push_brings_is_found() -> None:
    """The words of an update are read although it is not counted."""
    desk = warm_desk()
    assert take(desk, order(99, hour=80)) == []
    (finding,) = take(desk, order(99, hour=80, text="路灯不亮，现场有几十人聚集"))
    assert (finding.category, finding.phrase) == ("mass-gathering", "聚集")


def test_a_title_is_read_with_the_text() -> None:
    """What only the title says is neither overlooked as a phrase nor as a category."""
    (finding,) = take(warm_desk(), order(99, hour=80, text="详见附件", title="几十人聚集"))
    assert (finding.category, finding.phrase) == ("mass-gathering", "聚集")
