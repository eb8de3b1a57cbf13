"""A call about the river of the console's world, sealed as a gateway seals it; and the key under which it is."""

import base64
from datetime import timedelta
from uuid import UUID

from console_world import START

from config.personal import protect, read_key
from config.settings import Secret
from domain.inputs import Person, Ticket

KEY = Secret(base64.b64encode(bytes(range(32))).decode())
NAME, PHONE = "来电人甲", "13800138000"
TEXT = f"我是{NAME}，电话{PHONE}，青溪河水发黑"
TICKET = UUID(int=7)


def ticket(identity: UUID, area: str) -> Ticket:
    """Make an order as the gateway puts it on the topic."""
    text, sealed = protect(read_key(KEY), Person(name=NAME, phone=PHONE), TEXT, str(identity))
    return Ticket(
        id=identity,
        source="12345",
        order_number=str(identity.int),
        area=area,
        category="water-pollution",
        text=text,
        sealed=sealed,
        observed_at=START - timedelta(hours=1),
        received_at=START - timedelta(hours=1),
    )
