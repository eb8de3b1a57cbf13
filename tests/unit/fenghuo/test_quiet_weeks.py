"""Weeks of the demo county's ordinary calls, and its script, through the desk of texts alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import pytest

from config.data import load_data
from detectors.words.terms import Terms
from detectors.words.text import Classifier
from domain.codec import decode, encode, headers_for
from domain.findings import Finding, FindingState
from domain.identity import input_id
from domain.inputs import Report, ReportIn, Ticket, TicketIn
from domain.levels import Feed
from domain.topics import FINDINGS, REPORTS, TICKETS
from fenghuo.demo.calls import Call, build_calls
from fenghuo.demo.county import START, Plan, choose_happenings
from fenghuo.demo.places import build_places
from fenghuo.demo.truth import Happening
from streams.agents_texts import TextsDesk
from streams.desk import Incoming

DATA, PLACES = load_data(), build_places()
CLASSIFIER, TERMS = Classifier(DATA.terms), Terms(DATA.stops, DATA.terms)
WEEKS = 4


def message_of(call: Call, offset: int) -> Incoming | None:
    """Make the message that the gateway would make of a call; None for a bulletin."""
    match call.item:
        case TicketIn() as item:
            own = input_id(Feed.TICKETS, "hotline", item.order_number)
            record: Ticket | Report = Ticket(
                id=own,
                source="hotline",
                order_number=item.order_number,
                observed_at=item.observed_at,
                received_at=call.at,
                area=item.area or "",
                text=item.text,
                category=item.category,
            )
            topic = TICKETS
        case ReportIn() as item:
            record = Report(
                id=item.id,
                source="grid",
                client_id=item.id,
                observed_at=item.observed_at,
                received_at=call.at,
                area=item.area,
                text=item.text,
                category=item.category,
            )
            topic = REPORTS
        case _:
            return None
    return Incoming(topic.name, 0, offset, encode(record), dict(headers_for(topic)), 0, lambda: None)


def play(
    history_from: datetime, until: datetime, happenings: Sequence[Happening], seed: int
) -> list[Finding]:
    """Let one desk hear all calls of the county, and list what it confirms."""
    areas = {area.code: area for area in PLACES.areas}
    desk = TextsDesk(CLASSIFIER, TERMS, DATA.categories, areas, 86_400.0)
    calls = build_calls(PLACES, happenings, history_from=history_from, start=START, until=until, seed=seed)
    messages = (message_of(call, offset) for offset, call in enumerate(calls))
    out = [one for message in messages if message for one in desk.take(message)]
    findings = [decode(FINDINGS, one.value, one.headers) for one in out]
    return [finding for finding in findings if finding.state is FindingState.CONFIRMED]


@cache
def scripted() -> list[Finding]:
    """Play the whole script after two days of history."""
    plan = Plan(hours=24.0)
    return play(plan.history_from, plan.until, choose_happenings(plan), plan.seed)


def test_ordinary_weeks_are_nearly_silent() -> None:
    """In four weeks of some three hundred calls a day at most one finding a week may raise an alert, and none is grave."""
    found = play(START - timedelta(weeks=WEEKS), START, (), seed=5)
    strong = {finding.id: finding for finding in found if not finding.weak}
    assert len(strong) <= WEEKS
    assert all((finding.p_value or 0.0) > 1e-6 and finding.phrase is None for finding in strong.values())
    weak = {finding.id for finding in found if finding.weak}
    assert len(weak) <= WEEKS


@pytest.mark.parametrize(
    ("category", "place", "terms"),
    [
        ("wage-dispute", "990101106006", {"讨薪", "工地", "项目部", "拖欠工资", "拖欠工钱", "工人", "欠薪"}),
        ("infectious-disease", "990101104", {"发烧", "发热", "孩子", "咳嗽", "卫生院", "学生"}),
        ("flood", "990101104", {"积水", "内涝", "暴雨", "山洪", "水位"}),
    ],
)
def test_events_of_the_script_are_told_with_their_words(category: str, place: str, terms: set[str]) -> None:
    """A count that is found names words of its matter."""
    found = [
        finding
        for finding in scripted()
        if finding.category == category and finding.subject.startswith(place) and finding.p_value is not None
    ]
    assert found
    latest = max(found, key=lambda finding: finding.observed or 0.0)
    assert set(latest.terms) & terms


def test_nothing_but_the_script_is_found_on_its_day() -> None:
    """After two days of history no other category than those of the script's calls is found anywhere."""
    plan = Plan(hours=24.0)
    scripts = choose_happenings(plan)
    places = {(category, area[:9]) for one in scripts for category in one.categories for area in one.areas}
    stray = {
        (finding.category, finding.subject, finding.detector)
        for finding in scripted()
        if not finding.weak and (finding.category, finding.subject[:9]) not in places
    }
    assert not stray
