"""When a channel that fails again and again is left alone for a while."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault


class BreakerRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After so many `failures` in a row a channel is left alone for `pause_seconds` (wall), then tried with one message.

    Each trial that fails doubles the pause, up to `longest_seconds`. `channel` "" is for all that have no rule of their own.
    """

    channel: str = ""
    failures: Annotated[int, Meta(ge=1, le=1_000)] = 5
    pause_seconds: Annotated[float, Meta(gt=0, le=3_600)] = 30.0
    longest_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 300.0

    def __post_init__(self) -> None:
        if self.longest_seconds < self.pause_seconds:
            raise ValueError("longest_seconds must not be shorter than pause_seconds")


def check_breakers(breakers: Sequence[BreakerRule]) -> Iterator[Fault]:
    """Find channels that are there twice, and that there is no rule for all others."""
    names = [rule.channel for rule in breakers]
    for number, rule in enumerate(breakers):
        if names.count(rule.channel) > 1:
            yield Fault(f"breaker[{number}].channel", f"{rule.channel or 'all others'} is there twice")
    if "" not in names:
        yield Fault("breaker", 'needs an entry with channel = "", for all other channels')


def rule_for(breakers: Mapping[str, BreakerRule], channel: str) -> BreakerRule:
    """Find the rule of a channel, else that of all others."""
    return breakers.get(channel) or breakers.get("") or BreakerRule()
