"""Small rules of the console: origins, addresses, attempts, passwords, problems, contrast, assets."""

import re
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from dashboards import assets
from dashboards.attempts import PER_ADDRESS, PER_LOGIN, WINDOW_SECONDS, Attempts
from dashboards.passwords import Passwords
from dashboards.problems import in_language, problem_of
from dashboards.security import DIRECTIVES, is_own_origin
from dashboards.sessions import cookie_name, local_path
from dashboards.texts import Language
from domain.errors import (
    BrokerUnavailable,
    Conflict,
    DatabaseUnavailable,
    Fault,
    InvalidInput,
    NotAllowed,
    NotFound,
)

STYLE = (Path(assets.__file__).parent / "static" / "console.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("origin", "host", "public_url", "own"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "", True),
        ("https://console.county", "console.county", "", True),
        ("http://evil.example", "127.0.0.1:8000", "", False),
        ("http://127.0.0.1:9000", "127.0.0.1:8000", "", False),
        ("null", "127.0.0.1:8000", "", False),
        ("", "127.0.0.1:8000", "", False),
        ("http://", "", "", False),
        ("file://127.0.0.1:8000", "127.0.0.1:8000", "", False),
        ("https://console.county", "inner:8000", "https://console.county", True),
        ("http://console.county", "inner:8000", "https://console.county", False),
        ("http://inner:8000", "inner:8000", "https://console.county", False),
    ],
)
def test_own_origin(origin: str, host: str, public_url: str, own: bool) -> None:
    """Only our own pages may send commands."""
    assert is_own_origin(origin, host, public_url) is own


@pytest.mark.parametrize(
    ("wish", "goal"),
    [
        ("/", "/"),
        ("/incidents/1?x=2", "/incidents/1?x=2"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("incidents", "/"),
        ("/a\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_local_path(wish: str, goal: str) -> None:
    """Signing in leads to our own pages only."""
    assert local_path(wish) == goal


def test_cookie_is_bound_to_the_host_under_https() -> None:
    """Under HTTPS the name makes browsers refuse cookies that other hosts set."""
    assert cookie_name(secure=True).startswith("__Host-")
    assert not cookie_name(secure=False).startswith("__Host-")


class FakeSeconds:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_attempts_are_limited_per_login_and_address() -> None:
    """After the limit one waits for the oldest attempt to grow old; others are not touched."""
    clock = FakeSeconds()
    attempts = Attempts(clock)
    assert [attempts.begin("a", "x") for _ in range(PER_LOGIN)] == [0.0] * PER_LOGIN
    assert attempts.begin("a", "x") == WINDOW_SECONDS
    assert attempts.begin("a", "y") == 0
    assert attempts.begin("b", "x") == 0
    clock.now += WINDOW_SECONDS
    assert attempts.begin("a", "x") == 0


def test_attempts_are_limited_per_address() -> None:
    """Trying many logins from one address ends too."""
    attempts = Attempts(FakeSeconds())
    assert all(attempts.begin(str(n), "x") == 0 for n in range(PER_ADDRESS))
    assert attempts.begin("fresh", "x") > 0


def test_signing_in_forgives() -> None:
    """Whoever gets in starts anew."""
    attempts = Attempts(FakeSeconds())
    for _ in range(PER_LOGIN - 1):
        attempts.begin("a", "x")
    attempts.forgive("a", "x")
    assert [attempts.begin("a", "x") for _ in range(PER_LOGIN)] == [0.0] * PER_LOGIN


class CountingHasher(PasswordHasher):
    """Remembers which hashes were tried."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.tried: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002  argon2's own name
        """Note and check."""
        self.tried.append(hash)
        return super().verify(hash, password)  # type: ignore[return-value]


async def test_an_unknown_login_costs_the_same_work() -> None:
    """Without an account a stand-in hash of the same parameters is tried, and never fits."""
    hasher = CountingHasher()
    passwords = Passwords(hasher)
    known = hasher.hash("right")
    assert await passwords.verify(known, "right")
    assert not await passwords.verify(known, "wrong")
    assert not await passwords.verify(None, "right")
    assert not await passwords.verify("", "right")
    assert not await passwords.verify("no hash at all", "right")
    assert len(hasher.tried) == 5


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput([Fault("a", "is missing"), Fault("b", "is odd")]), 400, "invalid"),
        (NotFound(), 404, "not_found"),
        (NotAllowed(), 403, "not_allowed"),
        (Conflict(), 409, "conflict"),
        (DatabaseUnavailable(), 503, "unavailable"),
        (BrokerUnavailable(), 503, "unavailable"),
        (ZeroDivisionError(), 500, "internal"),
    ],
)
def test_problem_of(error: Exception, status: int, code: str) -> None:
    """Each error of the house has its status; a surprise is ours and tells nothing of the inside."""
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "division" not in problem.detail


def test_all_faults_are_told() -> None:
    """A problem document lists each fault by field."""
    problem = problem_of(InvalidInput([Fault("a", "is missing"), Fault("b", "is odd")]))
    assert problem.extra == {
        "faults": [{"field": "a", "reason": "is missing"}, {"field": "b", "reason": "is odd"}]
    }


def test_sentences_of_the_store_are_told_in_one_language() -> None:
    """The store speaks Chinese, then English; a page shows one."""
    told = "您已是承办人。 You hold it already."
    assert in_language(told, Language.ZH) == "您已是承办人。"
    assert in_language(told, Language.EN) == "You hold it already."
    assert in_language("plain", Language.EN) == "plain"


def test_content_policy_allows_nothing_inline_or_foreign() -> None:
    """Scripts, styles and images come from us alone."""
    assert DIRECTIVES[0] == "default-src 'none'"
    assert not any(word in " ".join(DIRECTIVES) for word in ("unsafe", "http", "data:", "*", "blob"))
    pages = "".join(
        path.read_text(encoding="utf-8") for path in (Path(assets.__file__).parent / "templates").iterdir()
    )
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", pages)


def test_imports_of_libraries_become_relative() -> None:
    """Bare names are rewritten to the files beside them, and only in imports."""
    code = 'import{h}from"preact";import x from "./own.js";// taken from "nowhere special"'
    assert assets.relative_imports(code).startswith('import{h}from"./preact.js";import x from "./own.js"')
    with pytest.raises(KeyError):
        assets.relative_imports('import{a}from"left-pad"')


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours as WCAG 2 does."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palette(*, dark: bool) -> dict[str, str]:
    """Read the colours of the style sheet; the dark ones replace the light ones of the same name."""
    light_part, _, rest = STYLE.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light_part))
    if dark:
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", rest.partition("\n}\n")[0]))
    return found


PAIRS = [
    *(
        (ink, ground)
        for ink in ("ink", "ink-2", "ink-3")
        for ground in ("ground", "sheet", "sheet-2", "select")
    ),
    ("ink", "mark"),
    ("accent-ink", "accent"),
    ("good", "sheet"),
    *((f"{level}-ink", level) for level in ("red", "orange", "yellow", "blue")),
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_contrast_is_aa(ink: str, ground: str, dark: bool) -> None:
    """Each text is legible on its ground: WCAG 2 AA asks for 4.5."""
    colours = palette(dark=dark)
    assert contrast(colours[ink], colours[ground]) >= 4.5
