"""`fenghuo check` warns of what is no fault yet, without failing for it."""

from datetime import timedelta
from pathlib import Path

import msgspec
from typer.testing import CliRunner

from domain.clock import REAL_TIME
from fenghuo.cli import create_cli
from responders.hours import BEIJING, NOTICE_DUE, unknown_years


def test_unknown_days_off_are_a_warning_and_no_fault(tmp_path: Path) -> None:
    """Each year whose notice is missing is named, with notices as data none is; the status is 0 either way."""
    today = REAL_TIME.now().astimezone(BEIJING).date()
    years = {today.year, (today + NOTICE_DUE + timedelta(days=1)).year}

    def check(folder: Path) -> list[str]:
        env = {"FENGHUO_DATA_DIR": str(folder)}
        told = CliRunner().invoke(create_cli(), ["check", "--json"], env=env, catch_exceptions=False)
        assert told.exit_code == 0
        return [one["reason"][:4] for one in msgspec.json.decode(told.stdout)["warnings"]]

    assert check(tmp_path) == [str(year) for year in unknown_years((), today)]
    notices = "".join(f'[[notice]]\nyear = {year}\nsource = "a notice"\n' for year in years)
    (tmp_path / "holidays.toml").write_text(notices)
    assert check(tmp_path) == []
