"""How well areas respond: 响应率, 解决率, 满意率, and the times to acknowledge, to arrive and to close. Never of persons."""

from msgspec import Struct


class Rate(Struct, frozen=True, kw_only=True):
    """A share: of `known` answers `yes` were favourable, of `asked` ones in all; who was not asked counts on no side."""

    yes: int
    known: int
    asked: int
    share: float | None

    @classmethod
    def of(cls, yes: int, known: int, asked: int) -> "Rate":
        """Make a rate; its share is None where nothing is known."""
        return cls(yes=yes, known=known, asked=asked, share=yes / known if known else None)


class Time(Struct, frozen=True, kw_only=True):
    """How long something took, in seconds of county time: the middle and the slowest tenth; None where it never was."""

    count: int
    middle: float | None
    slow: float | None


class AreaResponse(Struct, frozen=True, kw_only=True):
    """How an area responded in a span: 三率 of its 12345 orders and of our own call-backs together, and times.

    `acknowledge` and `close` run from a case's opening, `arrive` from a task's dispatch. `unacknowledged` cases are still
    waiting; `late_tasks` passed their time, of `tasks` that have ended or are late already.
    """

    area: str
    name: str
    orders: int
    responded: Rate
    resolved: Rate
    satisfied: Rate
    cases: int
    unacknowledged: int
    tasks: int
    late_tasks: int
    acknowledge: Time
    arrive: Time
    close: Time
