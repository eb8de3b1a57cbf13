"""What tokens for machines may do, decided without a database."""

import pytest

from responders.tokens import PREFIX, NewToken, Refusal, Scope, digest_of, faults_of, make_token, refusal_of


@pytest.mark.parametrize(
    ("scopes", "method", "path", "may"),
    [
        ({Scope.READ}, "GET", "/api/v1/incidents", True),
        ({Scope.READ}, "HEAD", "/api/v1/incidents", True),
        ({Scope.READ}, "GET", "/api/v1/events", True),
        ({Scope.READ}, "GET", "/cap/feed.atom", False),
        ({Scope.READ}, "POST", "/api/v1/incidents", False),
        ({Scope.READ}, "GET", "/api/v1/push", False),
        ({Scope.READ}, "GET", "/api/v1/tokens", False),
        ({Scope.READ}, "GET", "/incidents/x", False),
        ({Scope.FEEDS}, "GET", "/cap/feed.atom", True),
        ({Scope.FEEDS}, "GET", "/api/v1/events", True),
        ({Scope.FEEDS}, "GET", "/api/v1/incidents", False),
        ({Scope.CASES}, "POST", "/api/v1/incidents/x/close", True),
        ({Scope.CASES}, "POST", "/api/v1/alerts/x/open", True),
        ({Scope.CASES}, "GET", "/api/v1/incidents", False),
        ({Scope.CASES}, "POST", "/api/v1/tasks/x/move", False),
        ({Scope.TASKS}, "POST", "/api/v1/tasks/x/move", True),
        ({Scope.REGISTRY}, "POST", "/api/v1/registry/change", True),
        (set(Scope), "POST", "/api/v1/tokens", False),
        (set(Scope), "DELETE", "/api/v1/push", False),
        (set(Scope), "POST", "/api/v1/something-new", False),
        (set(Scope), "POST", "/sign-out", False),
        (set(), "GET", "/api/v1/incidents", False),
    ],
)
def test_scopes(scopes: set[Scope], method: str, path: str, may: bool) -> None:
    """A scope opens what it names and nothing else; what no scope names is for people."""
    assert refusal_of(scopes, method, path) is (None if may else Refusal.SCOPE)


def test_a_token_is_long_random_and_known_by_its_digest() -> None:
    """Two are never alike, scanners can find one, and what is stored does not tell it."""
    (one, digest), (other, _) = make_token(), make_token()
    assert one != other and one.startswith(PREFIX) and len(one) > 50
    assert digest == digest_of(one) and one.removeprefix(PREFIX) not in digest


@pytest.mark.parametrize(
    ("area", "scopes", "fields"),
    [
        ("", (Scope.READ,), []),
        ("990101101", (Scope.READ,), []),
        ("9902", (Scope.READ,), ["area"]),
        ("99", (Scope.READ,), ["area"]),
        ("x", (), ["scopes", "area"]),
    ],
)
def test_faults_of_a_wish_are_told_at_once(area: str, scopes: tuple[Scope, ...], fields: list[str]) -> None:
    """A token reaches no further than its account, and says what it may do."""
    wanted = NewToken(name="市平台", login="county", scopes=scopes, area=area)
    assert [fault.field for fault in faults_of(wanted, "990101")] == fields
