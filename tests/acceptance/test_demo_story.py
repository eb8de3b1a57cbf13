"""A short day of the demo county, from the gateway to people, counted."""

from datetime import datetime
from pathlib import Path

from fenghuo.demo.county import County, Plan
from fenghuo.demo.run import Demo, run_demo
from fenghuo.platform import Platform


class SilentScreen:
    """A screen that nobody looks at."""

    def step(self, text: str) -> None:
        """Show nothing."""

    def open_doors(self, platform: Platform, password: str, county: County, connection: Path) -> None:
        """Show nothing."""

    def county_time(self, at: datetime, since: datetime, until: datetime) -> None:
        """Show nothing."""

    def first_alert(self, seconds: float) -> None:
        """Show nothing."""


async def test_a_short_day_is_found_answered_and_accounted_for(
    fresh_broker: str, database: str, tmp_path: Path
) -> None:
    """Both events of the first hours are found, nothing is lost, nobody is paged twice, and people have answered."""
    demo = Demo(
        plan=Plan(share=0.1, history_days=2.0, hours=5.0),
        factor=600.0,
        headless=True,
        until_end=True,
        broker=fresh_broker,
        database=database,
        folder=tmp_path / "demo",
    )
    report = await run_demo(demo, SilentScreen())
    assert report is not None
    found = {one.slug: one for one in report.injected}
    assert {"wage-dispute", "chemical-leak"} <= found.keys()
    assert all(found[slug].found_at is not None for slug in ("wage-dispute", "chemical-leak"))
    assert report.inputs.accepted > 50_000
    assert (report.inputs.lost, report.inputs.rejected) == (0, 0)
    assert report.pages.total > 0
    assert report.pages.repeated == 0
    assert report.escalations > 0
    assert sum(report.escalations_by_level.values()) > 0
    assert report.refusals >= 1
    assert report.arbitrations.decided >= 1
    assert report.hand_overs.total >= 2
    assert report.tasks.by_state.keys() & {"on_site", "done", "verified", "closed", "rated"}, (
        "nobody went out"
    )
    assert report.reports.in_time > 0, "officers report upwards as the law asks"
    assert report.burden is not None and report.burden.messages.most > 0
    assert report.incidents.by_state.keys() - {"detected"}, "nobody has answered"
    assert not any(report.restarts.values())
