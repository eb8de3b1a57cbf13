"""Services that reach one person at a time, each a channel of its name: WeCom app, SMS, e-mail, Web Push, apprise, gateways.

What is secret comes from the environment as FENGHUO_SERVICE_<NAME>_<FIELD>. Every service takes the address of a gateway on
the intranet in place of the provider's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from config.chats import TAKEN
from config.sealing import key_bytes
from config.settings import MIN_TOKEN, Secret, ServiceSecrets
from config.templates import ANSWERED, template_faults
from domain.errors import Fault, InvalidConfiguration
from domain.inputs import Slug

TEMPLATE = "{mark}【{level}预警 {grade}级】{title}：{text}{how}"
SUBJECT = "{mark}【{level}预警 {grade}级】{title}"
Address = Annotated[str, Meta(pattern=r"^https?://[^\s?#]+$")]
Template = Annotated[str, Meta(min_length=1, max_length=1_000)]
Seconds = Annotated[float, Meta(gt=0, le=30)]
"""Shorter than the lease of a page, so that a slow sender is not taken for a dead one."""
PUSH_HOSTS = ("fcm.googleapis.com", "push.services.mozilla.com", "web.push.apple.com", "notify.windows.com")


class ContactKind(StrEnum):
    """What a channel needs to reach a person."""

    PHONE = "phone"
    ACCOUNT = "account"
    EMAIL = "email"
    PUSH = "push"


class _Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all services have: a name for policies and accounts, and how long an answer may take."""

    contact: ClassVar[ContactKind | None] = None
    required: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()

    name: Slug
    timeout_seconds: Seconds = 10.0
    template: Template = TEMPLATE


class WecomApp(_Service, frozen=True, kw_only=True, tag="wecom-app"):
    """An application of WeCom (企业微信自建应用), which writes to members; secret: SECRET (corpsecret).

    WeCom drops in silence what a member gets beyond 30 messages a minute.
    """

    contact = ContactKind.ACCOUNT
    required = ("secret",)

    url: Address = "https://qyapi.weixin.qq.com"
    corp: Annotated[str, Meta(min_length=1, max_length=64)]
    agent: Annotated[int, Meta(ge=1)]
    per_member: Annotated[int, Meta(ge=1, le=30)] = 30


class AliyunSms(_Service, frozen=True, kw_only=True, tag="aliyun-sms"):
    """Aliyun SMS (阿里云短信服务): a template of theirs filled in; secrets: KEY, SECRET (AccessKey), CALLBACK for replies.

    `parameters` are the variables of the template, each a template of ours, cut to `parameter_characters`. `host` is what is
    signed and stated, also when `url` is that of a gateway, which passes it on.
    """

    contact = ContactKind.PHONE
    required = ("key", "secret")
    optional = ("callback",)

    url: Address = "https://dysmsapi.aliyuncs.com"
    host: Annotated[str, Meta(pattern=r"^[^\s/@]{1,255}$")] = "dysmsapi.aliyuncs.com"
    sign: Annotated[str, Meta(min_length=1, max_length=40)]
    template_code: Annotated[str, Meta(pattern=r"^SMS_\w{1,40}$")]
    parameters: Annotated[dict[str, Template], Meta(min_length=1)]
    parameter_characters: Annotated[int, Meta(ge=1, le=500)] = 35
    per_minute: Annotated[int, Meta(ge=1, le=60_000)] = 3_000
    replies: bool = False


class Smtp(_Service, frozen=True, kw_only=True, tag="smtp"):
    """E-mail over a mail server; secrets, where it asks for them: USER and PASSWORD."""

    contact = ContactKind.EMAIL
    optional = ("user", "password")

    host: Annotated[str, Meta(pattern=r"^[^\s/@]{1,255}$")]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: Path | None = None
    sender: Annotated[str, Meta(pattern=r"^[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}$")]
    subject: Template = SUBJECT
    template: Template = "{mark}【{level}预警 {grade}级】{title}\n\n{text}\n\n{how}\n\n{english}\n"


class WebPush(_Service, frozen=True, kw_only=True, tag="web-push"):
    """Notifications to browsers (RFC 8030, 8291, 8292); secret: KEY, the VAPID private key (32 bytes in base64url).

    `subject` says who answers for the sender. Subscriptions are taken for the push services in `hosts` and their subdomains
    alone, since a browser names the address. `url`, if set, is a relay on the intranet: it gets the push service's host and
    path after its own.
    """

    contact = ContactKind.PUSH
    required = ("key",)

    url: Annotated[str, Meta(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    subject: Annotated[str, Meta(pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://\S+)$")]
    hosts: Annotated[tuple[str, ...], Meta(min_length=1)] = PUSH_HOSTS
    ttl_seconds: Annotated[int, Meta(ge=0, le=2_419_200)] = 3_600
    template: Template = "{text}"


class Apprise(_Service, frozen=True, kw_only=True, tag="apprise"):
    """Whatever apprise knows, as far as its plugin tells a failure; secret: URL, the address in apprise's form."""

    required = ("url",)

    subject: Template = SUBJECT
    template: Template = "{text}\n请{recipient}在值班台确认接收。"
    per_minute: Annotated[int, Meta(ge=1, le=600)] = 30


class Gateway(_Service, frozen=True, kw_only=True, tag="gateway"):
    """A gateway of one's own by the webhook's contract (docs/reference/webhook.md): SMS, voice; secrets: TOKEN, CALLBACK.

    `text` of what it is sent is ready to be passed on, in at most so many SMS `segments` (70 characters, or several of 67).
    With `own_book` it knows by itself whose telephone a post's is, and is asked without a contact too.
    """

    contact = ContactKind.PHONE
    optional = ("token", "callback")

    url: Address
    segments: Annotated[int, Meta(ge=1, le=10)] = 3
    replies: bool = False
    own_book: bool = False


Service = WecomApp | AliyunSms | Smtp | WebPush | Apprise | Gateway

TELLS_FAILURE = {
    name: why
    for names, why in (
        (("ntfy", "ntfys"), "answers 4xx or 5xx for what it does not take"),
        (("gotify", "gotifys"), "answers 4xx or 5xx for what it does not take"),
        (("matrix", "matrixs"), "answers 4xx with errcode"),
        (("mmost", "mmosts"), "answers 4xx or 5xx for what it does not take"),
        (("rocket", "rockets"), "the plugin looks for success in the answer"),
        (("tgram",), "answers 4xx with ok false"),
        (("pover",), "answers 4xx with status 0"),
        (("bark", "barks"), "answers 4xx with a code"),
        (("signal", "signals"), "answers 4xx or 5xx for what it does not take"),
        (("twilio",), "answers 4xx with a code"),
        (("pagerduty",), "answers 202 alone for what it takes"),
    )
    for name in names
}
"""Kinds of apprise addresses whose plugin tells a failure, and by what."""
OURS = {
    "wecombot": "chats.toml, kind wecom",
    "dingtalk": "chats.toml, kind dingtalk",
    "feishu": "chats.toml, kind feishu",
    "lark": "chats.toml, kind feishu",
    "mailto": "services.toml, kind smtp",
    "mailtos": "services.toml, kind smtp",
    "json": "services.toml, kind gateway",
    "jsons": "services.toml, kind gateway",
    "vapid": "services.toml, kind web-push",
}
"""Kinds that we have ourselves: apprise's bots take any HTTP 200 for success (and sign wrongly), and so do its webhooks."""


def check_services(services: Sequence[Service], chats: Sequence[str]) -> Iterator[Fault]:
    """Find names that are taken, two services under one variable, and templates that name what a page has not."""
    names = [*TAKEN, *chats, *(service.name for service in services)]
    variables = [secrets_of(service.name) for service in services]
    for number, service in enumerate(services):
        place = f"service[{number}]"
        if names.count(service.name) > 1:
            yield Fault(f"{place}.name", f"{service.name} is the name of another channel")
        elif variables.count(variables[number]) > 1:
            yield Fault(
                f"{place}.name", f"{variables[number]}_… would be the secrets of another service as well"
            )
        match service:
            case AliyunSms():
                for name, template in service.parameters.items():
                    yield from template_faults(template, f"{place}.parameters.{name}", ANSWERED, must="")
            case Smtp() | Apprise():
                yield from template_faults(service.subject, f"{place}.subject", ANSWERED, must="")
                yield from template_faults(service.template, f"{place}.template", ANSWERED)
            case _:
                yield from template_faults(service.template, f"{place}.template", ANSWERED)


def secrets_of(name: str) -> str:
    """Name what begins a service's variables in the environment, before _SECRET and the like."""
    return f"FENGHUO_SERVICE_{name}".upper().replace("-", "_").replace(".", "_")


def check_service_secrets(
    services: Mapping[str, Service], secrets: Mapping[str, ServiceSecrets], contact_key: Secret
) -> Iterator[Fault]:
    """Find secrets that are missing, not usable, or for nothing; and a contact key that is missing or none."""
    wanted = {secrets_of(name): service for name, service in services.items()}
    for variable, service in wanted.items():
        yield from _faults_of(service, variable, secrets.get(variable, ServiceSecrets()))
    for variable in sorted(secrets.keys() - wanted.keys()):
        yield Fault(variable, "is the secret of a service that services.toml does not name")
    sealed = sorted(name for name, service in services.items() if service.contact is not None)
    if contact_key or sealed:
        try:
            key_bytes(
                contact_key,
                "FENGHUO_CONTACT_KEY",
                f"{', '.join(sealed)} need contacts, which are sealed under it",
            )
        except InvalidConfiguration as error:
            yield from error.faults


def _faults_of(service: Service, variable: str, given: ServiceSecrets) -> Iterator[Fault]:
    kind = str(type(service).__struct_config__.tag)
    for field in ServiceSecrets.__struct_fields__:
        present = bool(getattr(given, field))
        if field in service.required and not present:
            yield Fault(f"{variable}_{field.upper()}", f"is not set: {service.name} ({kind}) needs it")
        if present and field not in (*service.required, *service.optional):
            yield Fault(
                f"{variable}_{field.upper()}", f"is not for a service of kind {kind}, such as {service.name}"
            )
    if isinstance(service, Smtp) and bool(given.user) != bool(given.password):
        yield Fault(f"{variable}_{'PASSWORD' if given.user else 'USER'}", "is not set, but its fellow is")
    if given.callback and len(given.callback.value) < MIN_TOKEN:
        yield Fault(f"{variable}_CALLBACK", f"must have at least {MIN_TOKEN} characters")
    if isinstance(service, AliyunSms | Gateway) and service.replies and not given.callback:
        yield Fault(f"{variable}_CALLBACK", f"is not set: replies to {service.name} come with it")
    if isinstance(service, WebPush) and given.key:
        try:
            key_bytes(
                Secret(given.key.value.strip() + "=" * (-len(given.key.value.strip()) % 4)),
                f"{variable}_KEY",
                "",
            )
        except InvalidConfiguration as error:
            yield from error.faults
    if isinstance(service, Apprise) and given.url:
        yield from apprise_faults(given.url.value, f"{variable}_URL")


def apprise_faults(url: str, variable: str) -> Iterator[Fault]:
    """Find an apprise address of a kind that does not tell a failure; the address itself is a secret and is not told."""
    scheme = url.partition("://")[0].strip().lower() if "://" in url else ""
    if scheme in OURS:
        yield Fault(variable, f"{scheme}:// would take failures for success: use {OURS[scheme]}")
    elif scheme not in TELLS_FAILURE:
        yield Fault(variable, f"must begin with {', '.join(f'{name}://' for name in TELLS_FAILURE)}")
