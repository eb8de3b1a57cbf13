"""The tables of the storm say each figure that is asked for, and the provider counts what comes twice."""

from typing import Any
from uuid import UUID, uuid4

import msgspec

from benchmarks.results import markdown
from benchmarks.storm_figures import StormResult
from benchmarks.storm_provider import Provider
from benchmarks.storm_table import results_of_runs, table_of


def run(**changes: Any) -> StormResult:
    """Make a run with figures that can be told apart."""
    return msgspec.structs.replace(
        StormResult(
            alerts=10_000,
            incidents=3_000,
            pages=9_000,
            red_page_p99_s=1.25,
            other_page_p99_s=7.5,
            lost=0,
            repeated=0,
            letters=700,
            outside_pages=4_000,
            red_outside_p99_s=1.75,
            other_outside_p99_s=None,
            alerts_per_second=900.0,
            incidents_per_second=550.0,
            pages_per_second=2_100.0,
            responder_cpu_seconds=6.0,
            postgres_cpu_seconds=9.0,
            digests=True,
            apart=False,
            digest_minutes=5.0,
            timers=0,
        ),
        **changes,
    )


def test_the_tables_hold_every_figure_beside_alertmanagers_word() -> None:
    """What was not measured is a dash; processor time is told for an incident, shares in percent."""
    idle = run(timers=100_000, idle_responder_core_share=0.045, idle_postgres_core_share=0.02)
    results = results_of_runs([run(), run(apart=True, alerts=5_000), idle], quick=False)
    night, busy, rest = map(markdown, results.tables)
    assert "| red: first page, p99, s (goal 2) | 1.25 | 30 (group_wait)" in night
    assert "| others: first page, p99, s (goal 10) | 7.50 |" in night
    assert "| others: first message at the provider, p99, s (digests) | – |" in night
    assert "| incidents/s taken in (goal 500) | 550 |" in busy
    assert "| pages/s delivered, all channels (goal 2,000) | 2,100 |" in busy
    assert "| responder: processor ms per incident with all its pages | 2 |" in busy
    assert "| responder | 4.5 |" in rest and "100,000 open cases" in results.tables[2].caption
    assert (results.name, results.quick) == ("storm", False)


def test_the_terminal_shows_all_figures() -> None:
    """Each field of the JSON has its row."""
    _, rows = table_of(run())
    assert [row[0].replace(" ", "_") for row in rows] == list(StormResult.__struct_fields__)


def letter(first: UUID, *others: UUID) -> bytes:
    """Write a message as the webhook does."""
    return msgspec.json.encode({"page": first, "also": [{"page": other} for other in others]})


def test_the_provider_counts_a_page_that_comes_in_two_messages() -> None:
    """The same message again under its key is one message, as the contract asks of a provider."""
    provider, one, two = Provider(), uuid4(), uuid4()
    provider.take(b"first", letter(one, two))
    provider.take(b"first", letter(one, two))
    assert (provider.letters, provider.pages, provider.repeated) == (1, 2, 0)
    provider.take(b"second", letter(two))
    assert (provider.letters, provider.pages, provider.repeated) == (2, 3, 1)
