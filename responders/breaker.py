"""A circuit breaker for each channel: one that fails again and again is left alone, so that pages fall over without waiting.

The states and moves are pure functions; `Guarded` carries them out around a channel. Source of the method: M. T. Nygard,
Release It!, 2nd ed., 5.2 "Circuit Breaker". Times are seconds of a steady clock. Each process has its own breakers: a
process that does not reach a service says nothing of another one that does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from config.breakers import BreakerRule
from responders.cases import Cause, Message, Outcome, Result
from responders.metrics import CIRCUIT_OPEN, CIRCUITS_OPENED

if TYPE_CHECKING:  # the channels import this module
    from responders.channels.addressed import Sender

FAILS = frozenset(
    {
        Cause.TIMEOUT,
        Cause.UNREACHABLE,
        Cause.SERVER_ERROR,
        Cause.BAD_ANSWER,
        Cause.REDIRECTED,
        Cause.STORAGE,
        Cause.NOT_AUTHORISED,
        Cause.OUT_OF_SERVICE,
    }
)
"""What speaks against the channel, whoever the message was for."""
PROVES = frozenset({Cause.ACCEPTED, Cause.REJECTED, Cause.UNKNOWN_RECIPIENT, Cause.RATE_LIMITED})
"""What only a service at work says: one bad recipient must not shut out a group. Anything else proves nothing."""


class Circuit(StrEnum):
    """Whether messages pass: closed they do, open none does, half-open one at a time on trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a breaker stands; `proven` once the channel has said something since the process began."""

    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    pause_seconds: float = 0.0
    until: float = 0.0
    on_trial: bool = False
    proven: bool = False


def admit(breaker: Breaker, now: float) -> tuple[bool, Breaker]:
    """Say whether a message may pass now; after the pause one passes on trial, and no other meanwhile."""
    match breaker.circuit:
        case Circuit.CLOSED:
            return True, breaker
        case Circuit.OPEN if now >= breaker.until:
            return True, replace(breaker, circuit=Circuit.HALF_OPEN, on_trial=True)
        case Circuit.HALF_OPEN if not breaker.on_trial:
            return True, replace(breaker, on_trial=True)
        case _:
            return False, breaker


def judge(breaker: Breaker, outcome: Outcome | None, now: float, rule: BreakerRule) -> Breaker:
    """Take in what became of a message that passed; None when nobody knows, since its sending was cut off."""
    cause = None if outcome is None else outcome.cause
    if cause in PROVES:
        if (
            breaker.circuit is Circuit.OPEN
        ):  # sent before it opened: a late success does not shut the trial out
            return breaker
        return Breaker(proven=True)
    if cause not in FAILS:
        return replace(breaker, on_trial=False)
    failures = breaker.failures + 1
    match breaker.circuit:
        case Circuit.HALF_OPEN:
            pause = min(breaker.pause_seconds * 2, rule.longest_seconds)
            return Breaker(Circuit.OPEN, failures, pause, now + pause)
        case Circuit.CLOSED if failures >= rule.failures:
            return Breaker(Circuit.OPEN, failures, rule.pause_seconds, now + rule.pause_seconds)
        case _:
            return replace(breaker, failures=failures)


class Guarded:
    """A channel behind its breaker."""

    def __init__(
        self, inner: "Sender", rule: BreakerRule, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the channel, its rule, and a steady clock in seconds."""
        self.name, self.idempotent, self.outside = inner.name, inner.idempotent, inner.outside
        self.told: bool | None = None
        """Whether its being open was told as a fault; None while nobody knows what an earlier process told."""
        self._inner = inner
        self._rule = rule
        self._steady = steady
        self._breaker = Breaker()
        CIRCUIT_OPEN.labels(self.name).set(0)

    @property
    def is_open(self) -> bool:
        """Say whether the channel is left alone, or on trial."""
        return self._breaker.circuit is not Circuit.CLOSED

    @property
    def is_proven(self) -> bool:
        """Say whether the channel is known to work."""
        return self._breaker.proven and not self.is_open

    async def send(self, message: Message) -> Outcome:
        """Send a message, or refuse it at once so that its recipient's next channel is used."""
        passes, self._breaker = admit(self._breaker, self._steady())
        if not passes:
            return Outcome(Result.REFUSED, Cause.CIRCUIT_OPEN)
        outcome = None
        try:
            outcome = await self._inner.send(message)
            return outcome
        finally:
            self._move(judge(self._breaker, outcome, self._steady(), self._rule))

    def _move(self, after: Breaker) -> None:
        if after.circuit is Circuit.OPEN and self._breaker.circuit is Circuit.CLOSED:
            CIRCUITS_OPENED.labels(self.name).inc()
        self._breaker = after
        CIRCUIT_OPEN.labels(self.name).set(self.is_open)
