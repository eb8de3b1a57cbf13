"""Breakers: they open, wait, try, and close; one bad recipient does not open them."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.breakers import BreakerRule, check_breakers, rule_for
from domain.levels import Grade, Level
from responders.breaker import FAILS, PROVES, Breaker, Circuit, Guarded, admit, judge
from responders.cases import Cause, Message, Outcome, Result

RULE = BreakerRule(failures=3, pause_seconds=10, longest_seconds=35)
DOWN, TAKEN = Outcome(Result.RETRY, Cause.TIMEOUT), Outcome(Result.DELIVERED, Cause.ACCEPTED)
SHUT = Outcome(Result.REFUSED, Cause.CIRCUIT_OPEN)
MESSAGE = Message(
    page=uuid4(),
    incident=uuid4(),
    recipient="青溪镇值班室",
    step=0,
    loop=0,
    reason="opened",
    title="",
    zh="",
    en="",
    level=Level.BLUE,
    grade=Grade.IV,
    place="990101101",
    drill=False,
    created_at=datetime(2026, 5, 1, 8, tzinfo=UTC),
)


@dataclass
class Side:
    """The other side: answers what the test says, at the test's time."""

    name: str = "side"
    idempotent: bool = False
    outside: bool = True
    answer: Outcome = DOWN
    now: float = 0.0
    asked: int = 0
    gate: asyncio.Event | None = field(default=None)

    async def send(self, message: Message) -> Outcome:
        """Answer, once the gate is open."""
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        return self.answer


@pytest.fixture
def side() -> Side:
    """A side that is down."""
    return Side()


@pytest.fixture
def guarded(side: Side) -> Guarded:
    """The channel behind its breaker."""
    return Guarded(side, RULE, lambda: side.now)


async def send(guarded: Guarded, times: int = 1) -> list[Outcome]:
    """Send one after the other."""
    return [await guarded.send(MESSAGE) for _ in range(times)]


async def test_it_opens_waits_longer_each_time_and_closes(side: Side, guarded: Guarded) -> None:
    """Three failures open it; after ten seconds one message tries, then twenty, at most thirty-five; success closes it."""
    assert await send(guarded, 5) == [DOWN] * 3 + [SHUT] * 2
    assert (side.asked, guarded.is_open) == (3, True)
    for pause in (10, 20, 35, 35):
        side.now += pause - 0.1
        assert await send(guarded) == [SHUT]
        side.now += 0.1
        assert await send(guarded, 2) == [DOWN, SHUT]
    side.now, side.answer = side.now + 35, TAKEN
    assert await send(guarded, 3) == [TAKEN] * 3
    assert (guarded.is_open, guarded.is_proven) == (False, True)


async def test_one_message_at_a_time_is_on_trial(side: Side, guarded: Guarded) -> None:
    """The others fall over at once meanwhile: the group does not wait behind the trial."""
    await send(guarded, 3)
    side.now, side.gate = 10, asyncio.Event()
    trial = asyncio.create_task(guarded.send(MESSAGE))
    await asyncio.sleep(0)
    assert await send(guarded, 4) == [SHUT] * 4
    side.answer = TAKEN
    side.gate.set()
    assert await trial == TAKEN and not guarded.is_open


async def test_a_trial_that_is_cut_off_leaves_room_for_another(side: Side, guarded: Guarded) -> None:
    """A worker that stops in the middle does not leave the channel shut for ever."""
    await send(guarded, 3)
    side.now, side.gate = 10, asyncio.Event()
    trial = asyncio.create_task(guarded.send(MESSAGE))
    await asyncio.sleep(0)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    side.gate, side.answer = None, TAKEN
    assert await send(guarded) == [TAKEN]


@pytest.mark.parametrize("cause", sorted(PROVES - {Cause.ACCEPTED}))
async def test_a_bad_recipient_is_no_fault_of_the_channel(side: Side, guarded: Guarded, cause: Cause) -> None:
    """However many numbers are wrong, the others are still reached."""
    side.answer = Outcome(Result.REFUSED, cause)
    await send(guarded, 50)
    assert side.asked == 50 and not guarded.is_open


async def test_a_message_without_contact_proves_nothing(side: Side, guarded: Guarded) -> None:
    """It neither opens nor closes, and does not use the trial up."""
    await send(guarded, 3)
    side.now, side.answer = 10, Outcome(Result.REFUSED, Cause.NO_CONTACT)
    await send(guarded)
    assert guarded.is_open
    side.answer = TAKEN
    assert await send(guarded) == [TAKEN]


@given(st.lists(st.tuples(st.sampled_from(sorted(Cause)), st.floats(0, 100)), max_size=60))
def test_it_never_stays_shut_longer_than_it_may(story: list[tuple[Cause, float]]) -> None:
    """Whatever happened: closed only under the bound of failures, and open never past its longest pause."""
    breaker, now = Breaker(), 0.0
    for cause, pause in story:
        now += pause
        passes, breaker = admit(breaker, now)
        if passes:
            breaker = judge(breaker, Outcome(Result.RETRY, cause), now, RULE)
        if breaker.circuit is Circuit.CLOSED:
            assert breaker.failures < RULE.failures
        assert breaker.until <= now + RULE.longest_seconds
        assert not breaker.on_trial
    assert admit(breaker, now + RULE.longest_seconds)[0]


def test_each_cause_of_the_other_side_speaks_for_or_against_it() -> None:
    """What a service itself may say is sorted into one of the two; a cause is never in both."""
    said = {"accepted", "timeout", "unreachable", "rate_limited", "server_error", "bad_answer", "rejected"}
    said |= {"redirected", "storage", "unknown_recipient", "not_authorised", "out_of_service"}
    assert {cause.value for cause in FAILS | PROVES} == said
    assert not FAILS & PROVES


def test_rules_are_data() -> None:
    """One for all others, one of each channel, none twice; a longest pause that is shorter is no rule."""
    rules = (BreakerRule(), BreakerRule(channel="sms", failures=2))
    assert [*check_breakers(rules)] == []
    by_name = {rule.channel: rule for rule in rules}
    assert (rule_for(by_name, "sms").failures, rule_for(by_name, "voice").failures) == (2, 5)
    assert [fault.field for fault in check_breakers((rules[1], rules[1]))] == [
        "breaker[0].channel",
        "breaker[1].channel",
        "breaker",
    ]
    with pytest.raises(ValueError, match="longest_seconds"):
        BreakerRule(pause_seconds=400)
