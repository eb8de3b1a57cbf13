"""Data files are checked as a whole, and each category × area has exactly one owner."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from config.cap_events import CapEvents
from config.data import FILES, SHIPPED, check_data, load_data
from domain.errors import InvalidConfiguration


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """Copy the shipped files into a folder that a test may spoil."""
    shutil.copytree(SHIPPED, tmp_path / "data")
    return tmp_path / "data"


def edit(path: Path, change: Callable[[str], str]) -> None:
    """Change the text of a file."""
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def told(local: Path) -> str:
    """Load files that are wrong, and read what is told of them."""
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(local)
    return str(caught.value)


def test_the_shipped_files_are_right() -> None:
    """What we ship passes its own check, in any area."""
    data = load_data()
    assert not list(check_data(data, areas=("990101001", "11", "650000")))
    assert data.owner("flood", "990101001").category == "flood"


def test_a_local_file_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    """Only the dictionary is local here; the rest is shipped."""
    (tmp_path / "dictionary.toml").write_text(
        '[[term]]\ncategory = "flood"\nwords = ["涨水"]\n', encoding="utf-8"
    )
    data = load_data(tmp_path)
    assert [term.words for term in data.terms] == [("涨水",)]
    assert data.categories


def test_a_gap_in_the_duties_is_told(local: Path) -> None:
    """A category that nobody answers for outside one county is named."""
    edit(
        local / "duties.toml",
        lambda text: text.replace('category = "flood"', 'category = "flood"\narea = "990101"'),
    )
    assert "flood has no owner outside 990101" in told(local)


def test_an_overlap_in_the_duties_is_told(local: Path) -> None:
    """Two duties of one category for the same area are an overlap; a longer prefix is not."""
    extra = '\n[[duty]]\ncategory = "flood"\narea = "{}"\npost = "other"\nlevel = "county"\n'
    edit(local / "duties.toml", lambda text: text + extra.format("990101"))
    assert load_data(local).owner("flood", "990101001").post == "other"
    assert load_data(local).owner("flood", "990102001").post == "flood-duty"
    edit(local / "duties.toml", lambda text: text + extra.format("990101"))
    assert "flood in area 990101 is there twice" in told(local)


def test_faults_of_several_files_come_together(local: Path) -> None:
    """An unknown key, an unknown category and a missing policy are told in one go."""
    edit(local / "categories.toml", lambda text: text.replace('zh = "水环境污染"', 'zhh = "水环境污染"'))
    edit(local / "policies.toml", lambda text: text.replace("wait_minutes = 15", "wait_minutes = -1"))
    text = told(local)
    assert "category[0].zhh" in text
    assert "category[0].zh" in text
    assert "wait_minutes" in text


def test_a_fault_of_form_hides_no_other(local: Path) -> None:
    """A wrong number, a file that is no TOML and a wrong desk rule are told at once; what they upset is not guessed at."""
    policies = (local / "policies.toml").read_text("utf-8")
    (local / "policies.toml").write_text(
        policies.replace("wait_minutes = 15", "wait_minutes = -1", 1), "utf-8"
    )
    (local / "drills.toml").write_text("not TOML", "utf-8")
    duties = (local / "duties.toml").read_text("utf-8").split("[[duty]]")
    (local / "duties.toml").write_text("[[duty]]".join(duties[:-1]), "utf-8")
    (local / "desks.toml").write_text("[[desk]]\nsign_minutes = 0\n", "utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(local)
    told = [fault.field for fault in caught.value.faults]
    assert "policy[0].steps[0].wait_minutes" in told
    assert any(field.endswith("drills.toml") for field in told)
    assert any(field.startswith("desk[0]") for field in told)
    assert "duty" not in told, "who answers for what is proved with the policies, once these can be read"


def test_a_fault_of_form_leaves_other_files_to_be_judged(local: Path) -> None:
    """A drill that cannot be read, and a duty too few: both are told."""
    (local / "drills.toml").write_text("[[drill]]\nslug = 1\n", "utf-8")
    duties = (local / "duties.toml").read_text("utf-8").split("[[duty]]")
    (local / "duties.toml").write_text("[[duty]]".join(duties[:-1]), "utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(local)
    told = {fault.field for fault in caught.value.faults}
    assert "duty" in told
    assert any(field.startswith("drill[0]") for field in told)


def test_names_between_files_must_meet(local: Path) -> None:
    """A term of a category that there is not, and a grade without a policy."""
    edit(local / "dictionary.toml", lambda text: text + '\n[[term]]\ncategory = "ufo"\nwords = ["飞碟"]\n')
    edit(local / "policies.toml", lambda text: text.replace("grades = [1]", "grades = [2]"))
    text = told(local)
    assert "'ufo'" in text
    assert "of grade 1 has 0 policies" in text
    assert "of grade 2 has 2 policies" in text


def test_social_security_is_never_public(local: Path) -> None:
    """A public category of the class social-security is refused."""
    edit(local / "categories.toml", lambda text: text.replace("public = false", "public = true"))
    assert "public must be false for social-security" in told(local)


@pytest.mark.parametrize("name", sorted(FILES.values()))
def test_an_unreadable_file_is_one_sentence(local: Path, name: str) -> None:
    """Broken TOML names the file."""
    (local / name).write_text("[[", encoding="utf-8")
    assert name in told(local)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The data folder must exist when it is named."""
    assert "is not a folder" in told(tmp_path / "none")


def test_a_warnings_name_or_code_that_stands_twice_is_told(local: Path) -> None:
    """Which category a warning means must not hang on the order of the file, and must be one that there is."""
    extra = '\n[[cap_event]]\nnames = ["{}"]\ncodes = ["{}"]\ncategory = "{}"\nprovenance = "test"\n'
    edit(local / "cap_events.toml", lambda text: text + extra.format("暴雨", "11b03", "ufo"))
    text = told(local)
    assert "暴雨 is there twice" in text
    assert "11b03 is there twice" in text
    assert "cap_event: names the category 'ufo'" in text


@pytest.mark.parametrize(
    ("event", "codes", "category"),
    [
        ("暴雨橙色预警", (), "flood"),
        ("雷雨大风", (), "severe-weather"),
        ("霾", (), "air-pollution"),
        ("Severe Hail", (), "severe-weather"),
        ("Shanghai holiday", (), None),
        ("UFO", ("11B03",), "flood"),
        ("高温", ("11b07",), "air-pollution"),
        ("UFO", ("99Z99",), None),
    ],
)
def test_a_warning_finds_its_category(event: str, codes: tuple[str, ...], category: str | None) -> None:
    """A known code decides, else the longest name in the words; Latin names are whole words."""
    found = CapEvents(load_data().cap_events).find(event, codes)
    assert (found and found.category) == category
