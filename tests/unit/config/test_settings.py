"""Wrong settings are told all at once, and secrets stay secret."""

from pathlib import Path

import pytest

from config.settings import Secret, load_settings, variables
from domain.errors import InvalidConfiguration


def told(environment: dict[str, str], file: Path | None = None) -> str:
    """Load settings that are wrong, and read what is told of them."""
    with pytest.raises(InvalidConfiguration) as caught:
        load_settings(environment, file)
    return str(caught.value)


def test_defaults_stand_without_any_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty environment in an empty folder gives the documented defaults."""
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).gateway.port == 8080


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A variable overlays the same field of the file."""
    file = tmp_path / "fenghuo.toml"
    file.write_text("[gateway]\nport = 1\nhost = '0.0.0.0'\n")
    settings = load_settings({"FENGHUO_GATEWAY_PORT": "2"}, file)
    assert (settings.gateway.port, settings.gateway.host) == (2, "0.0.0.0")


def test_all_faults_are_told_together() -> None:
    """An unknown variable, a wrong type and a value out of range come in one sentence."""
    text = told({"FENGHUO_NOPE": "1", "FENGHUO_GATEWAY_PORT": "x", "FENGHUO_STREAM_CHECKPOINT_SECONDS": "-1"})
    assert "FENGHUO_NOPE" in text
    assert "gateway.port" in text
    assert "stream.checkpoint_seconds" in text


def test_a_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    """Secrets come from the environment only, and the refusal does not repeat them."""
    file = tmp_path / "fenghuo.toml"
    file.write_text("personal_key = 'hunter2'\n[database]\ndsn = 'postgres://u:hunter2@h/d'\n")
    text = told({}, file)
    assert "FENGHUO_PERSONAL_KEY" in text
    assert "FENGHUO_DATABASE_DSN" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("content", ["[gateway", "gateway = 3", "[gateway]\nprot = 1\n", "\x00"])
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    """What is no TOML or no settings is told as such."""
    file = tmp_path / "fenghuo.toml"
    file.write_text(content)
    assert told({}, file)


def test_a_missing_named_file_is_told(tmp_path: Path) -> None:
    """A file that was named must be there."""
    assert "cannot be read" in told({"FENGHUO_CONFIG": str(tmp_path / "none.toml")})


def test_secrets_do_not_show() -> None:
    """Neither repr nor str of the settings shows a secret."""
    settings = load_settings(
        {"FENGHUO_PERSONAL_KEY": "hunter2", "FENGHUO_DATABASE_DSN": "postgres://u:hunter2@h/d"}
    )
    assert "hunter2" not in repr(settings) + str(settings)
    assert settings.database.dsn == Secret("postgres://u:hunter2@h/d")


def test_each_variable_names_one_field() -> None:
    """No two fields share a variable."""
    assert len(set(variables().values())) == len(variables())


def test_folders_are_read_from_the_environment() -> None:
    """A path in the environment becomes a path in the settings."""
    settings = load_settings(
        {"FENGHUO_RESPOND_FILE_PATH": "/var/lib/fenghuo/pages", "FENGHUO_DATA_DIR": "/etc/fenghuo"}
    )
    assert settings.respond.file_path == Path("/var/lib/fenghuo/pages")
    assert settings.data_dir == Path("/etc/fenghuo")


def test_lists_stand_between_commas_in_the_environment() -> None:
    """Several feeds fit into one variable."""
    settings = load_settings({"FENGHUO_CAP_FEEDS": "https://a.example/feed,weather https://b.example/feed"})
    assert settings.cap.feeds == ("https://a.example/feed", "weather https://b.example/feed")


def test_a_short_token_for_machines_is_refused() -> None:
    """A token that could be guessed ends the start, and is not repeated."""
    text = told({"FENGHUO_CONSOLE_CAP_TOKEN": "hunter2"})
    assert "cap_token must have at least 24 characters" in text
    assert "hunter2" not in text


def test_what_is_on_trial_is_a_list_of_names_and_thresholds() -> None:
    """Between commas in the environment; a name with spaces, or a rarity that is no number, is told with the field."""
    settings = load_settings({"FENGHUO_FUSION_SHADOW": "scan,innovation<7.5"})
    assert settings.fusion.shadow == ("scan", "innovation<7.5")
    for wrong in ("a b", "scan<", "scan<x", "<7"):
        with pytest.raises(InvalidConfiguration, match=r"fusion\.shadow"):
            load_settings({"FENGHUO_FUSION_SHADOW": wrong})


def test_budgets_and_chances_have_bounds() -> None:
    """No budget of nothing, no chance above one."""
    for name, wrong in (("BUDGET_PER_WEEK", "0"), ("CHANCE_FLOOR", "1.5"), ("LEAST_VERDICTS", "0")):
        with pytest.raises(InvalidConfiguration, match=f"fusion.{name.lower()}"):
            load_settings({f"FENGHUO_FUSION_{name}": wrong})
