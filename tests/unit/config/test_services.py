"""services.toml and its secrets: every fault is told, by field, and none quotes a secret."""

from pathlib import Path

import pytest
from service_world import KEY

from config.data import SHIPPED, load_data
from config.services import Apprise, Gateway, WebPush, apprise_faults, check_service_secrets
from config.settings import Secret, ServiceSecrets, load_settings
from domain.errors import InvalidConfiguration

COMMENTED = (SHIPPED / "services.toml").read_text(encoding="utf-8")


def load(tmp_path: Path, text: str) -> object:
    """Read services.toml from a local folder."""
    (tmp_path / "services.toml").write_text(text, encoding="utf-8")
    return load_data(tmp_path)


def faults(tmp_path: Path, text: str) -> dict[str, str]:
    """Read a faulty services.toml; its faults by field."""
    with pytest.raises(InvalidConfiguration) as caught:
        load(tmp_path, text)
    return {fault.field: fault.reason for fault in caught.value.faults}


def test_the_shipped_examples_are_right(tmp_path: Path) -> None:
    """Whoever takes the # away has six services."""
    lines = [line.removeprefix("# ").removeprefix("#") for line in COMMENTED.splitlines()]
    text = "\n".join(lines[lines.index("[[service]]") :])
    data = load_data_of(tmp_path, text)
    assert list(data) == ["wecom", "sms", "mail", "push", "ntfy", "voice"]


def load_data_of(tmp_path: Path, text: str) -> dict[str, object]:
    """Read the services of a text."""
    (tmp_path / "services.toml").write_text(text, encoding="utf-8")
    return dict(load_data(tmp_path).services)


def test_every_fault_of_every_entry_is_told(tmp_path: Path) -> None:
    """By the fields of its own kind."""
    text = """
    [[service]]
    kind = "wecom-app"
    name = "a"
    agent = 0
    url = "ftp://x"
    per_member = 31

    [[service]]
    kind = "smtp"
    name = "b"
    sender = "a@b.cn>\\nBcc: x"
    security = "perhaps"
    colour = "red"
    """
    told = faults(tmp_path, text)
    assert told.keys() == {
        "service[0].corp",
        "service[0].agent",
        "service[0].url",
        "service[0].per_member",
        "service[1].host",
        "service[1].sender",
        "service[1].security",
        "service[1].colour",
    }


def test_names_and_templates(tmp_path: Path) -> None:
    """A name is one channel's; a template names what a page has, and holds its text."""
    text = """
    [[service]]
    kind = "gateway"
    name = "webhook"
    url = "http://x/y"
    template = "{how} {phone}"

    [[service]]
    kind = "gateway"
    name = "a-b"
    url = "http://x/y"

    [[service]]
    kind = "gateway"
    name = "a.b"
    url = "http://x/y"

    [[service]]
    kind = "aliyun-sms"
    name = "sms"
    sign = "县"
    template_code = "SMS_1"
    parameters = { code = "{code}", other = "{contact}" }
    """
    told = faults(tmp_path, text)
    assert told.keys() == {
        "service[0].name",
        "service[0].template",
        "service[1].name",
        "service[2].name",
        "service[3].parameters.other",
    }
    assert "FENGHUO_SERVICE_A_B" in told["service[1].name"]


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    """And which field it is."""
    told = faults(tmp_path, '[[service]]\nkind = "pigeon"\nname = "a"')
    assert list(told) == ["service[0].kind"]


SMS = Gateway(name="sms", url="http://x/y", replies=True)
PUSH = WebPush(name="push", subject="mailto:a@b.cn")
NTFY = Apprise(name="ntfy")
SERVICES = {"sms": SMS, "push": PUSH, "ntfy": NTFY}


def test_secrets_that_are_missing_useless_or_wrong() -> None:
    """Each by its variable, all at once, and none with its value."""
    secrets = {
        "FENGHUO_SERVICE_SMS": ServiceSecrets(callback=Secret("too-short"), key=Secret("not-for-this")),
        "FENGHUO_SERVICE_PUSH": ServiceSecrets(key=Secret("bm90IDMyIGJ5dGVz")),
        "FENGHUO_SERVICE_OLD": ServiceSecrets(token=Secret("left-over")),
    }
    told = [*check_service_secrets(SERVICES, secrets, Secret())]
    assert {fault.field for fault in told} == {
        "FENGHUO_SERVICE_SMS_CALLBACK",
        "FENGHUO_SERVICE_SMS_KEY",
        "FENGHUO_SERVICE_PUSH_KEY",
        "FENGHUO_SERVICE_NTFY_URL",
        "FENGHUO_SERVICE_OLD",
        "FENGHUO_CONTACT_KEY",
    }
    shown = " ".join(map(str, told))
    assert all(value not in shown for value in ("too-short", "not-for-this", "bm90", "left-over"))


def test_secrets_that_are_right() -> None:
    """Nothing is told, and without services nothing is asked for."""
    secrets = {
        "FENGHUO_SERVICE_SMS": ServiceSecrets(callback=Secret("c" * 24)),
        "FENGHUO_SERVICE_PUSH": ServiceSecrets(key=Secret(KEY.rstrip("="))),
        "FENGHUO_SERVICE_NTFY": ServiceSecrets(url=Secret("ntfys://ntfy.example/duty")),
    }
    assert [*check_service_secrets(SERVICES, secrets, Secret(KEY))] == []
    assert [*check_service_secrets({}, {}, Secret())] == []


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("wecombot://secret-key", "chats.toml"),
        ("dingtalk://secret-key", "chats.toml"),
        ("feishu://secret-key", "chats.toml"),
        ("lark://secret-key", "chats.toml"),
        ("mailto://secret-key", "smtp"),
        ("jsons://secret-key", "gateway"),
        ("syslog://secret-key", "must begin with"),
        ("secret-key", "must begin with"),
    ],
)
def test_apprise_is_for_what_tells_a_failure(url: str, advice: str) -> None:
    """Its bots take any HTTP 200 for success: ours are named instead, and the address is not quoted."""
    (fault,) = apprise_faults(url, "FENGHUO_SERVICE_NTFY_URL")
    assert advice in fault.reason and "secret-key" not in fault.reason


def test_apprise_itself_knows_every_kind_that_is_allowed() -> None:
    """And the four bots still are what they were, else the table would need another look."""
    import warnings

    with warnings.catch_warnings(action="ignore"):
        from apprise.manager_plugins import NotificationManager

        known = set(NotificationManager().schemas())
    from config.services import OURS, TELLS_FAILURE

    assert TELLS_FAILURE.keys() <= known
    assert OURS.keys() - {"vapid"} <= known | {"lark"}


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    """By the service's name and the field; never from the file, and never shown."""
    settings = load_settings(
        {
            "FENGHUO_SERVICE_COUNTY_SMS_SECRET": "abc",
            "FENGHUO_SERVICE_COUNTY_SMS_CALLBACK": "def",
            "FENGHUO_CONTACT_KEY": KEY,
        }
    )
    assert settings.services["FENGHUO_SERVICE_COUNTY_SMS"].secret.value == "abc"
    assert "abc" not in repr(settings) and KEY not in repr(settings)
    file = tmp_path / "f.toml"
    file.write_text('contact_key = "x"\n[services]\nx = 1\n', encoding="utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_settings({}, file)
    assert {fault.field for fault in caught.value.faults} == {"contact_key", "services"}
    with pytest.raises(InvalidConfiguration, match="is not a setting"):
        load_settings({"FENGHUO_SERVICE_SMS_COLOUR": "x"})
