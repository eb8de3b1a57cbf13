"""Settings: a TOML file overlaid by the environment, checked as a whole before anything starts.

Every field may be set as `FENGHUO_<SECTION>_<FIELD>`; secrets come from the environment only and never show in a repr.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, structs

from domain.decode import convert
from domain.errors import Fault, InvalidConfiguration, InvalidInput

Port = Annotated[int, Meta(ge=0, le=65535)]  # 0: any free port
PositiveInt = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
MIN_TOKEN = 24
"""Characters of a token that programs show: whoever guesses is not slowed down."""


class Secret(Struct, frozen=True):
    """A value that must not be shown."""

    value: str = ""

    def __repr__(self) -> str:
        return "Secret(…)" if self.value else "Secret(unset)"

    def __bool__(self) -> bool:
        return bool(self.value)


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the settings that one stage reads."""


class BrokerSettings(Section, frozen=True, kw_only=True):
    """How to reach Kafka, and what new topics are made with."""

    bootstrap: str = "127.0.0.1:9092"
    partitions: PositiveInt = 8
    replication: PositiveInt = 1
    session_timeout_seconds: Positive = 10.0
    rebalance_timeout_seconds: Positive = 60.0
    max_message_bytes: PositiveInt = 1_000_000


class DatabaseSettings(Section, frozen=True, kw_only=True):
    """How to reach PostgreSQL; the name may hold a password, so it is a secret."""

    dsn: Secret = Secret()
    pool_size: PositiveInt = 8


class GatewaySettings(Section, frozen=True, kw_only=True):
    """Where feeds come in and what they may cost."""

    host: str = "127.0.0.1"
    port: Port = 8080
    max_body_bytes: PositiveInt = 8 * 1024 * 1024
    pack_readings: PositiveInt = 2_000
    linger_milliseconds: Annotated[float, Meta(ge=0)] = 5.0
    body_timeout_seconds: Positive = 30.0
    send_timeout_seconds: Positive = 10.0
    future_note_seconds: Positive = 300.0
    future_refuse_seconds: Positive = 86_400.0


class DeviceSettings(Section, frozen=True, kw_only=True):
    """Where devices connect over TCP, and what they may cost; no port means that nobody listens for that protocol."""

    host: str = "127.0.0.1"
    hj212_port: Port | None = None
    sl651_port: Port | None = None
    max_connections: PositiveInt = 10_000
    idle_seconds: Positive = 1_800.0
    frame_seconds: Positive = 30.0
    linger_milliseconds: Annotated[float, Meta(ge=0)] = 50.0
    unregistered: PositiveInt = 2_000


class MqttSettings(Section, frozen=True, kw_only=True):
    """The MQTT broker that sensors publish to; an empty URL switches it off, an empty share group the sharing."""

    url: str = ""
    username: str = ""
    password: Secret = Secret()
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    client_id_prefix: str = "fenghuo"
    share_group: str = "fenghuo"
    session_expiry_seconds: Annotated[int, Meta(ge=0, le=0xFFFF_FFFE)] = 86_400
    max_in_flight: Annotated[int, Meta(ge=1, le=65_535)] = 1_000
    max_payload_bytes: PositiveInt = 64 * 1024


class CapSettings(Section, frozen=True, kw_only=True):
    """Official warnings in CAP 1.2: feeds and a folder that are looked at, and whose signatures are trusted.

    `feeds` are addresses of Atom or RSS feeds or of single messages, each read in the name of `source`, or of another one
    named before it with a space. A feed may lead to its own host and to `hosts`, nowhere else.
    """

    source: str = "cap"
    feeds: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    folder: Path | None = None
    poll_seconds: Positive = 60.0
    timeout_seconds: Positive = 20.0
    trusted_folder: Path | None = None
    require_signature: bool = False


class StreamSettings(Section, frozen=True, kw_only=True):
    """How the detectors' worker runs; lateness bounds are in event time."""

    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9101
    checkpoint_seconds: Positive = 2.0
    readings_lateness_seconds: Positive = 600.0
    tickets_lateness_seconds: Positive = 86_400.0


class FusionSettings(Section, frozen=True, kw_only=True):
    """What alerts may cost officers, and which detectors are on trial; limits and critical phrases are never held back.

    Held back is what rests on statistics alone: above blue beyond `budget_per_week`, blue beyond `blue_per_week` (each by
    county and seven days), and blue or yellow with a chance below `chance_floor` once the county has given `least_verdicts`
    verdicts. `shadow` names detectors whose findings weigh nothing (`NAME`), or thresholds on trial (`NAME<6`: what the
    detector finds below rarity 6).
    """

    budget_per_week: PositiveInt = 5
    blue_per_week: PositiveInt = 10
    chance_floor: Annotated[float, Meta(ge=0, le=1)] = 0.1
    least_verdicts: PositiveInt = 20
    shadow: tuple[Annotated[str, Meta(pattern=r"^[^\s<,]{1,60}(<\d+(\.\d+)?)?$")], ...] = ()


class RespondSettings(Section, frozen=True, kw_only=True):
    """Intake, dispatch and channels."""

    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9102
    poll_seconds: Positive = 0.2
    file_path: Path = Path(".fenghuo/pages.jsonl")
    webhook_url: str = ""
    webhook_timeout_seconds: Positive = 5.0
    deadman_url: str = ""
    deadman_seconds: Positive = 15.0
    silent_after_seconds: Positive = 30.0


class ChatSecrets(Section, frozen=True, kw_only=True):
    """What a bot needs to post to a group chat; `secret` signs, where the service asks for that."""

    token: Secret = Secret()
    secret: Secret = Secret()


class ServiceSecrets(Section, frozen=True, kw_only=True):
    """What a service of services.toml needs: which, its kind tells. `callback` is what it shows when it calls us."""

    key: Secret = Secret()
    secret: Secret = Secret()
    user: Secret = Secret()
    password: Secret = Secret()
    url: Secret = Secret()
    token: Secret = Secret()
    callback: Secret = Secret()


class ConsoleSettings(Section, frozen=True, kw_only=True):
    """The web console."""

    host: str = "127.0.0.1"
    port: Port = 8000
    session_hours: Positive = 12.0
    secure_cookie: bool = False
    public_url: str = ""
    cap_sender: Annotated[str, Meta(pattern=r"^[^\s,<&]{1,80}$")] = "fenghuo"
    """Who we are in our CAP messages: unique among those who read them, such as the county's domain name."""
    cap_token: Secret = Secret()
    """With it machines read our public CAP messages; without one they have no access."""

    def __post_init__(self) -> None:
        if self.cap_token and len(self.cap_token.value) < MIN_TOKEN:
            raise ValueError(f"cap_token must have at least {MIN_TOKEN} characters")


class SignInSettings(Section, frozen=True, kw_only=True):
    """Who must show a second factor, how long sessions last, and the county's own sign-in (OpenID Connect).

    Duty officers share a seat that is watched around the clock: their sessions last `seat_hours` and may stand untouched.
    Those of commanders and administrators end after `console.session_hours`, or `idle_minutes` without a sign of life.
    """

    second_factor: tuple[Literal["grid", "officer", "commander", "admin"], ...] = ()
    """Roles that must set up an authenticator or a passkey; all others may. Name commander and admin in production."""
    seat_hours: Positive = 26.0
    phone_days: Positive = 30.0
    display_days: Positive = 90.0
    idle_minutes: Annotated[float, Meta(ge=15)] = 60.0
    """At least 15: an open page gives a sign of life every ten minutes by itself."""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_secret: Secret = Secret()
    """The client's secret, where the provider gives one; without it the client is a public one, held safe by PKCE."""
    oidc_login_claim: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_:/.-]{1,80}$")] = "preferred_username"
    """The claim of the token that holds the login of an account here; accounts are never made by signing in."""
    oidc_name: Annotated[str, Meta(max_length=40)] = ""
    """What the button says, such as 县统一身份认证."""
    reveals_per_day: PositiveInt = 20
    """How often a person may open personal data in a day before the metric alarms."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of one process; each stage takes its own section."""

    broker: BrokerSettings = BrokerSettings()
    database: DatabaseSettings = DatabaseSettings()
    gateway: GatewaySettings = GatewaySettings()
    devices: DeviceSettings = DeviceSettings()
    mqtt: MqttSettings = MqttSettings()
    cap: CapSettings = CapSettings()
    stream: StreamSettings = StreamSettings()
    fusion: FusionSettings = FusionSettings()
    respond: RespondSettings = RespondSettings()
    console: ConsoleSettings = ConsoleSettings()
    sign_in: SignInSettings = SignInSettings()
    chats: dict[str, ChatSecrets] = {}
    """By `FENGHUO_CHAT_NAME`: the secrets of the chats in chats.toml, from the environment."""
    services: dict[str, ServiceSecrets] = {}
    """By `FENGHUO_SERVICE_NAME`: the secrets of the services in services.toml, from the environment."""
    contact_key: Secret = Secret()
    """32 bytes in base64: seals how persons are reached, and signs the links by which they acknowledge."""
    personal_key: Secret = Secret()
    """32 bytes in base64: the key under which gateways seal personal fields."""
    data_dir: Path | None = None
    """Local data files (categories, duties, policies …) that replace shipped ones of the same name."""
    log_level: str = "info"


SECRETS = {
    "FENGHUO_CONSOLE_CAP_TOKEN": ("console", "cap_token"),
    "FENGHUO_CONTACT_KEY": ("contact_key",),
    "FENGHUO_DATABASE_DSN": ("database", "dsn"),
    "FENGHUO_MQTT_PASSWORD": ("mqtt", "password"),
    "FENGHUO_PERSONAL_KEY": ("personal_key",),
    "FENGHUO_SIGN_IN_OIDC_SECRET": ("sign_in", "oidc_secret"),
}
LISTS = frozenset({("cap", "feeds"), ("cap", "hosts"), ("fusion", "shadow"), ("sign_in", "second_factor")})
"""Settings that hold several values: in the environment they stand between commas."""
SERVICE = re.compile(r"(FENGHUO_SERVICE_[A-Z0-9_]+)_(KEY|SECRET|USER|PASSWORD|URL|TOKEN|CALLBACK)")
CHAT = re.compile(r"(FENGHUO_CHAT_[A-Z0-9_]+)_(TOKEN|SECRET)")
TOP_LEVEL = ("data_dir", "log_level")
CONFIG_VARIABLE = "FENGHUO_CONFIG"
OF_COMMANDS = (
    CONFIG_VARIABLE,
    "FENGHUO_CAP_TOKEN",
    "FENGHUO_DEMO_PASSWORD",
    "FENGHUO_REPLAY_TOKEN",
    "FENGHUO_IMPORT_TOKEN",
)
"""Variables that the command line reads by itself; tests have their own, FENGHUO_TEST_…."""


def sections() -> dict[str, type[Section]]:
    """Name the sections with their types."""
    return {
        field.name: field.type
        for field in structs.fields(Settings)
        if isinstance(field.type, type) and issubclass(field.type, Section)
    }


def variables() -> dict[str, tuple[str, ...]]:
    """Name every environment variable that is read, with the path of the field it sets."""
    plain = {
        f"FENGHUO_{section}_{field.name}".upper(): (section, field.name)
        for section, kind in sections().items()
        for field in structs.fields(kind)
        if field.type is not Secret
    }
    return plain | {f"FENGHUO_{name}".upper(): (name,) for name in TOP_LEVEL} | SECRETS


def load_settings(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Read the file (argument, else FENGHUO_CONFIG, else ./fenghuo.toml if there is one) and the environment.

    InvalidConfiguration names every fault: unknown names, wrong types, secrets in the file.
    """
    environment = os.environ if environment is None else environment
    values, faults = _read_file(environment, file)
    known = variables()
    for name, text in environment.items():
        if not name.startswith("FENGHUO_") or name in OF_COMMANDS or name.startswith("FENGHUO_TEST_"):
            continue
        if chat := CHAT.fullmatch(name):
            _put(values, ("chats", chat[1], chat[2].lower()), {"value": text})
        elif service := SERVICE.fullmatch(name):
            _put(values, ("services", service[1], service[2].lower()), {"value": text})
        elif name not in known:
            faults.append(Fault(name, "is not a setting"))
        elif name in SECRETS:
            _put(values, SECRETS[name], {"value": text})
        else:
            _put(values, known[name], text.split(",") if known[name] in LISTS else text)
    try:
        settings = convert(Settings, values, lenient=True)
    except InvalidInput as error:
        raise InvalidConfiguration([*faults, *error.faults]) from error
    if faults:
        raise InvalidConfiguration(faults)
    return settings


def _read_file(environment: Mapping[str, str], file: Path | None) -> tuple[dict[str, Any], list[Fault]]:
    named = file or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    path = named or Path("fenghuo.toml")
    if named is None and not path.exists():
        return {}, []
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfiguration([Fault(str(path), f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration([Fault(str(path), f"is not TOML: {error}")]) from error
    faults = []
    for name, variable in (("chats", "FENGHUO_CHAT_…_TOKEN"), ("services", "FENGHUO_SERVICE_…_SECRET")):
        if name in values:
            faults.append(Fault(name, f"are secrets: set {variable} in the environment instead"))
            del values[name]
    for variable, where in SECRETS.items():
        section = _section(values, where)
        if where[-1] in section:
            faults.append(Fault(".".join(where), f"is a secret: set {variable} in the environment instead"))
            del section[where[-1]]
    return values, faults


def _put(values: dict[str, Any], where: tuple[str, ...], value: Any) -> None:
    _section(values, where)[where[-1]] = value


def _section(values: dict[str, Any], where: tuple[str, ...]) -> dict[str, Any]:
    """Find the table that holds a field; where a file put something else there, an empty one that leads nowhere."""
    if len(where) == 1:
        return values
    section = values
    for name in where[:-1]:
        inner = section.setdefault(name, {})
        if not isinstance(inner, dict):
            return {}
        section = inner
    return section


__all__ = ["Secret", "Settings", "load_settings", "sections", "variables"]
