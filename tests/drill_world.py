"""A drill for tests: a short scenario, intake that hears what the outbox publishes, and posts that take part."""

from typing import Protocol
from uuid import UUID, uuid4

from responder_world import COUNTY, World

from config.drills import Action, Drill, DrillStep, Expectation
from domain.codec import decode, headers_for
from domain.levels import Level
from domain.topics import ALERTS
from responders.cases import Rules
from responders.store import Store
from responders.store.workers import Pending

LEAK = Drill(
    slug="short-leak",
    zh="短时泄漏",
    en="A short leak",
    goal_zh="检验接收和到场",
    goal_en="Examines acknowledging and arriving",
    step=(
        DrillStep(
            minute=0,
            alert="leak",
            category="water-pollution",
            level=Level.BLUE,
            place="A",
            zh="{A}河流断面异常",
            en="Something in the river of {A}",
        ),
        DrillStep(minute=1, place="A", silent=10, zh="{A}值班室不应答", en="The desk of {A} is silent"),
        DrillStep(minute=20, alert="leak", level=Level.ORANGE, place="A", zh="{A}超标", en="Worse in {A}"),
        DrillStep(minute=60, alert="leak", over=True, place="A", zh="{A}达标", en="Over in {A}"),
    ),
    expect=(
        Expectation(alert="leak", action=Action.ACKNOWLEDGED, within=15),
        Expectation(alert="leak", action=Action.ON_SITE, within=45),
        Expectation(alert="leak", action=Action.DONE, within=50),
    ),
)


class Hearing(Protocol):
    """A world with a store, and the rules by which alerts become cases."""

    @property
    def store(self) -> Store:
        """The store."""

    @property
    def rules(self) -> Rules:
        """The rules."""


async def hear(world: Hearing) -> int:
    """Publish what the outbox holds for the topic of alerts and take it in, as the broker and intake would; how many."""
    heard = 0

    async def send(pending: list[Pending]) -> None:
        nonlocal heard
        for one in pending:
            if one.topic == ALERTS.name and one.value is not None:
                await world.store.record_alert(decode(ALERTS, one.value, headers_for(ALERTS)), world.rules)
                heard += 1

    while await world.store.workers.publish_pending(100, send):
        pass
    return heard


async def start(world: World, scenario: Drill = LEAK, drill: UUID | None = None) -> UUID:
    """Begin a drill now and let its first steps come."""
    played = await world.store.drills.start(drill or uuid4(), scenario, COUNTY, {})
    await go(world)
    return played.id


async def go(world: World, **by: float) -> None:
    """Let time pass, and what it brings come in."""
    await world.advance(**by)
    await hear(world)
