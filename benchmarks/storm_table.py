"""The storm in tables: beside what Alertmanager's documentation says of grouping, and what was measured of one process."""

from collections.abc import Sequence

from benchmarks.results import Cell, Results, Table, results_of
from benchmarks.storm_figures import StormResult

ALERTMANAGER = {
    "alerts": "any",
    "incidents": "groups, by labels that its user chooses (group_by)",
    "red_page_p99_s": "30 (group_wait) for a new group, 300 (group_interval) for one that is told already",
    "other_page_p99_s": "the same: severity does not change when a group is told",
    "letters": "one for each group, one more each 300 s while alerts join it; then each 4 h (repeat_interval)",
    "lost": "not promised: what it has not told is in memory",
    "repeated": "at least once: several instances may each send",
}
"""Prometheus Alertmanager as its documentation of `route` and of high availability has it, not measured."""
MEANINGS = {
    "alerts": "alerts in ten seconds",
    "incidents": "incidents that they are grouped into",
    "pages": "pages of them",
    "red_page_p99_s": "red: first page, p99, s (goal 2)",
    "other_page_p99_s": "others: first page, p99, s (goal 10)",
    "red_outside_p99_s": "red: first message at the provider, p99, s",
    "other_outside_p99_s": "others: first message at the provider, p99, s (digests)",
    "outside_pages": "pages that the provider got",
    "letters": "messages that carried them",
    "lost": "lost",
    "repeated": "repeated",
}
_SHIPPED = """
From the alert on the topic, through the responder that is shipped and its PostgreSQL, to the provider's answer over HTTP. A
first page is the first that reaches anybody, over the console or the provider. Pages of grades III and IV over the provider
are gathered in a storm: one message to each person after 5 s, then each 5 minutes, so that nobody gets hundreds.
"""
_BUSY = """
Each alert a case: grouping set to the village, all alerts put on the topic in a second, no digests, so that intake and
provider are as busy as they can be, at the same time. Broker, PostgreSQL, provider and responder share the machine's cores;
the processor time tells what one process could do with a core of its own.
"""
_PEER = """
Alertmanager's column is what its documentation says of its defaults (group_wait 30 s, group_interval 5 m, repeat_interval
4 h); it was not run. It is no system of incidents: nobody is asked to acknowledge, nothing climbs.
"""
NOTES = tuple(" ".join(note.split()) for note in (_SHIPPED, _BUSY, _PEER))


def table_of(found: StormResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Write all figures of one run beside what Alertmanager's documentation says, for the terminal."""
    rows: list[tuple[str, ...]] = []
    for name in StormResult.__struct_fields__:
        value = getattr(found, name)
        text = "–" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
        text = str(value) if isinstance(value, bool) else text
        rows.append((name.replace("_", " "), text, ALERTMANAGER.get(name, "")))
    return ("what", "Fenghuo", "Alertmanager, as documented"), rows


def results_of_runs(runs: Sequence[StormResult], *, quick: bool) -> Results:
    """Put the three runs into tables: as shipped, each alert a case and each page a message, and cases open at rest."""
    shipped, apart, idle = runs
    night = Table(
        caption=f"{shipped.alerts:,} alerts over 200 townships, as shipped",
        columns=("what", "Fenghuo", "Alertmanager, as documented"),
        rows=tuple(
            (told, str(_cell(getattr(shipped, name))), ALERTMANAGER.get(name, "–"))
            for name, told in MEANINGS.items()
        ),
    )
    busy = Table(
        caption=f"{apart.alerts:,} alerts at once, each a case, each page a message",
        columns=("what", "figure"),
        rows=(
            ("incidents/s taken in (goal 500)", round(apart.incidents_per_second)),
            ("pages/s delivered, all channels (goal 2,000)", round(apart.pages_per_second)),
            ("messages that the provider got", apart.letters),
            (
                "responder: processor ms per incident with all its pages",
                _ms(apart.responder_cpu_seconds, apart),
            ),
            ("PostgreSQL: the same", _ms(apart.postgres_cpu_seconds, apart)),
            ("pages per incident", apart.pages / max(apart.incidents, 1)),
            ("lost", apart.lost),
            ("repeated", apart.repeated),
        ),
    )
    rest = Table(
        caption=f"{idle.timers:,} open cases with timers, nothing due (goal 10 % of a core)",
        columns=("what", "% of a core"),
        rows=(
            ("responder", _percent(idle.idle_responder_core_share)),
            ("PostgreSQL", _percent(idle.idle_postgres_core_share)),
        ),
    )
    return results_of("storm", "A stormy night", (night, busy, rest), notes=NOTES, quick=quick)


def _cell(value: float | None) -> Cell:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def _ms(seconds: float, run: StormResult) -> float:
    return round(seconds * 1_000 / max(run.incidents, 1), 3)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)
