"""What came of a simulation: how much was sent and confirmed, and how long confirmations took."""

from collections.abc import Sequence

from msgspec import Struct
from rich.table import Table


class Outcome(Struct, frozen=True, kw_only=True):
    """Counts of messages and milliseconds of confirmations; `unanswered` ones, such as heartbeats, want no confirmation."""

    senders: int
    sent: int
    confirmed: int
    unconfirmed: int
    unanswered: int
    confirm_ms_p50: float | None
    confirm_ms_p99: float | None
    seconds: float


def quantile(values: Sequence[float], share: float) -> float | None:
    """Find the value below which a share of them lies; None where there are none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else None


def outcome_table(outcome: Outcome, title: str) -> Table:
    """Show it to a person."""
    table = Table(title=title, show_header=False)
    rows = [
        ("senders 发送端", f"{outcome.senders:,}"),
        ("sent 已发", f"{outcome.sent:,}"),
        ("confirmed 已确认", f"{outcome.confirmed:,}"),
        ("not confirmed 未确认", f"{outcome.unconfirmed:,}"),
        ("want no answer 无需应答", f"{outcome.unanswered:,}"),
        ("confirmation p50", _milliseconds(outcome.confirm_ms_p50)),
        ("confirmation p99", _milliseconds(outcome.confirm_ms_p99)),
        ("took 用时", f"{outcome.seconds:,.1f} s"),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _milliseconds(value: float | None) -> str:
    return "—" if value is None else f"{value:,.1f} ms"
