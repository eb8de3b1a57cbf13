"""Group chats of WeCom, DingTalk and Feishu to which a bot posts pages: how to reach them, how often, in what words."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from config.settings import ChatSecrets
from config.templates import template_faults
from domain.errors import Fault
from domain.inputs import Slug

TAKEN = ("console", "file", "webhook")
"""Channels that there are without a chat."""
TEMPLATE = "{mark}【{level}预警 {grade}级】{title}\n{text}\n请{recipient}在值班台确认接收。"


class ChatKind(StrEnum):
    """Whose bot it is."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


class Chat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group chat, a channel of its name for policies and accounts.

    `url` is the service's own address or that of a gateway on the intranet, without the bot's token: that and the secret for
    signing come from the environment. A bot posts `per_minute` messages at most; WeCom and DingTalk bear 20.
    """

    name: Slug
    kind: ChatKind
    url: Annotated[str, Meta(pattern=r"^https?://[^\s?#]+$")]
    per_minute: Annotated[int, Meta(ge=1, le=600)] = 20
    template: Annotated[str, Meta(min_length=1, max_length=1_000)] = TEMPLATE


def check_chats(chats: Sequence[Chat]) -> Iterator[Fault]:
    """Find names that are taken, and templates that name what a page has not."""
    names = [*TAKEN, *(chat.name for chat in chats)]
    for number, chat in enumerate(chats):
        place = f"chat[{number}]"
        if names.count(chat.name) > 1:
            yield Fault(f"{place}.name", f"{chat.name} is the name of another channel")
        yield from template_faults(chat.template, f"{place}.template")


def secrets_of(name: str) -> str:
    """Name what begins a chat's variables in the environment, before _TOKEN and _SECRET."""
    return f"FENGHUO_CHAT_{name}".upper().replace("-", "_").replace(".", "_")


def check_secrets(chats: Mapping[str, Chat], secrets: Mapping[str, ChatSecrets]) -> Iterator[Fault]:
    """Find chats without a token, and secrets of chats that there are not."""
    wanted = {secrets_of(name): name for name in chats}
    for variable, name in wanted.items():
        if not secrets.get(variable, ChatSecrets()).token:
            yield Fault(f"{variable}_TOKEN", f"is not set: the chat {name} needs the token of its bot")
    for variable in sorted(secrets.keys() - wanted.keys()):
        yield Fault(variable, "is the secret of a chat that chats.toml does not name")
