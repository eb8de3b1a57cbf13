"""A message that is marked as a test, sent over one channel to one account: by the command line and by administrators."""

import uuid
from datetime import datetime

from config.data import Data
from config.settings import Settings
from domain.errors import Fault, InvalidInput
from domain.levels import Grade, Level
from responders.cases import Message, Outcome
from responders.channels import open_channels, services_of
from responders.channels.addressed import TEST
from responders.store import Store


def rows_of(settings: Settings, data: Data) -> list[dict[str, str]]:
    """List the channels that settings and data set up: name, kind, and which contact of a person each needs ("": none)."""
    rows = [{"channel": name, "kind": name, "contact": ""} for name in ("console", "file")]
    rows += [{"channel": chat.name, "kind": chat.kind.value, "contact": ""} for chat in data.chats.values()]
    return rows + [
        {
            "channel": service.name,
            "kind": str(type(service).__struct_config__.tag),
            "contact": "" if service.contact is None else service.contact.value,
        }
        for service in services_of(settings, data).values()
    ]


async def send_trial(settings: Settings, data: Data, store: Store, name: str, login: str) -> Outcome:
    """Send the test and tell what became of it; InvalidInput for a channel that there is not, or that cannot be tested.

    InvalidConfiguration when this process lacks a secret of a channel.
    """
    known = [row["channel"] for row in rows_of(settings, data) if row["channel"] != "console"]
    if name not in known:
        raise InvalidInput(
            [Fault("name", f"{name!r} is no channel to be tested; there are {', '.join(known)}")]
        )
    user = await store.contacts.find(login)
    contact = await store.contacts.of(user, name)
    display = next(one.display for one in await store.users() if one.id == user)
    clock = await store.clock()
    async with open_channels(settings, data, store) as channels:
        return await channels[name].send(made_up(display, contact, clock.now()))


def made_up(recipient: str, contact: str, now: datetime) -> Message:
    """Make the message: it says that it is a test, in both languages, and asks for nothing."""
    return Message(
        page=uuid.uuid4(),
        incident=uuid.uuid4(),
        recipient=recipient,
        step=0,
        loop=0,
        reason=TEST,
        title="【测试】渠道测试",
        zh="这是一条测试通知，收到即说明渠道可用，无需处理。",
        en="This is a test message: the channel works, nothing is to be done.",
        level=Level.BLUE,
        grade=Grade.IV,
        place="",
        drill=False,
        created_at=now,
        contact=contact,
    )
