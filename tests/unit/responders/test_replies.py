"""What becomes of an answer: each standing by its reason, and the codes that a reply means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.incidents import IncidentState
from domain.levels import Grade, Level
from responders.replies import (
    ATTEMPTS_WITHIN,
    LINK_LIFE,
    MOST_ATTEMPTS,
    SENTENCES,
    Seen,
    Standing,
    attempt,
    choose,
    codes_in,
    ends_at,
    judge,
    outcome,
    sentence,
)

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
SEEN = Seen(
    page=UUID(int=1),
    incident=UUID(int=2),
    title="水环境污染 · 青溪镇",
    zh="",
    en="",
    level=Level.ORANGE,
    grade=Grade.II,
    drill=False,
    recipient="青溪镇值班室",
    created_at=NOW,
    state=IncidentState.DETECTED,
    acknowledged_at=None,
    acknowledged_by=None,
    answered=False,
)
LATE = NOW + LINK_LIFE
FIRST = replace(SEEN, acknowledged_at=NOW, acknowledged_by="示例县值班室")


@pytest.mark.parametrize(
    ("seen", "now", "until", "standing"),
    [
        (SEEN, NOW, None, Standing.OPEN),
        (SEEN, LATE - timedelta(seconds=1), None, Standing.OPEN),
        (SEEN, LATE, None, Standing.EXPIRED),
        (SEEN, NOW + timedelta(hours=1), NOW + timedelta(minutes=30), Standing.EXPIRED),
        (FIRST, NOW, None, Standing.FIRST),
        (FIRST, LATE, None, Standing.FIRST),
        (replace(FIRST, answered=True), LATE, None, Standing.USED),
        (replace(SEEN, answered=True), NOW, None, Standing.USED),
        (replace(SEEN, state=IncidentState.CLOSED), NOW, None, Standing.ENDED),
        (replace(FIRST, state=IncidentState.MERGED), NOW, None, Standing.ENDED),
        (replace(SEEN, acknowledges=False), NOW, None, Standing.TO_SEE),
        (replace(FIRST, acknowledges=False), NOW, None, Standing.TO_SEE),
        (replace(FIRST, acknowledges=False), LATE, None, Standing.EXPIRED),
        (replace(FIRST, acknowledges=False, answered=True), NOW, None, Standing.USED),
    ],
)
def test_what_may_be_done_with_a_page(
    seen: Seen, now: datetime, until: datetime | None, standing: Standing
) -> None:
    """What was done before comes first; then the case's end, who was first, and the time."""
    assert judge(seen, now, until) is standing


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("123456", ("123456",)),
        (" 收到，123456。", ("123456",)),
        ("１２３４５６", ("123456",)),
        ("123456 654321 123456", ("123456", "654321")),
        ("1234567", ()),
        ("12345", ()),
        ("回复13800000000", ()),
        ("", ()),
    ],
)
def test_codes_in_a_reply(text: str, codes: tuple[str, ...]) -> None:
    """People write more than what is asked, in full-width digits too; a longer number holds no code."""
    assert codes_in(text) == codes


def test_a_reply_means_the_pages_of_its_codes() -> None:
    """Two pages of one code are both meant: who asks must then choose otherwise."""
    codes = {UUID(int=1): "111111", UUID(int=2): "222222", UUID(int=3): "111111"}
    assert choose("222222", codes, codes.__getitem__) == (UUID(int=2),)
    assert choose("111111 ok", codes, codes.__getitem__) == (UUID(int=1), UUID(int=3))
    assert choose("好的", codes, codes.__getitem__) == ()


def test_each_standing_is_told_in_both_languages() -> None:
    """Chinese first, and who was first by post and time."""
    for standing in Standing:
        zh, seam, en = SENTENCES[standing].partition("。 ")
        assert seam and zh and en.endswith((".", ")."))
    told = sentence(Standing.FIRST, FIRST, lambda at: "05-01 16:00")
    assert told.startswith("示例县值班室已于 05-01 16:00 确认接收。") and "{" not in told


def test_an_end_has_whole_seconds() -> None:
    """A link cannot hold more, and the page's own end must be the same."""
    assert ends_at(NOW + timedelta(microseconds=5)) == LATE


def test_a_number_that_guesses_has_to_wait() -> None:
    """The sixth reply in five minutes is refused and does not count; once the first is five minutes old one more passes."""
    times: tuple[datetime, ...] = ()
    for second in range(MOST_ATTEMPTS):
        may, times = attempt(times, NOW + timedelta(seconds=second))
        assert may
    for _ in range(3):
        may, times = attempt(times, NOW + timedelta(seconds=10))
        assert (may, len(times)) == (False, MOST_ATTEMPTS)
    assert attempt(times, NOW + ATTEMPTS_WITHIN - timedelta(seconds=1))[0] is False
    may, times = attempt(times, NOW + ATTEMPTS_WITHIN)
    assert (may, len(times)) == (True, MOST_ATTEMPTS)
    assert attempt(times, NOW + ATTEMPTS_WITHIN)[0] is False


@pytest.mark.parametrize(
    ("standings", "told"),
    [
        ((Standing.DONE,), Standing.DONE),
        ((Standing.FIRST, Standing.ENDED, Standing.DONE), Standing.DONE),
        ((Standing.USED, Standing.OPEN), Standing.OPEN),
        ((Standing.FIRST, Standing.ENDED), Standing.FIRST),
        ((Standing.OPEN, Standing.SEEN), Standing.SEEN),
    ],
)
def test_one_word_for_all_that_a_letter_told(standings: tuple[Standing, ...], told: Standing) -> None:
    """What was done comes before what may be done, and that before why the first may not."""
    assert outcome(standings) is told
