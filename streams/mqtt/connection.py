"""One connection to the MQTT broker: session, subscriptions, and acknowledgements when we say so and not before."""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

import aiomqtt
import structlog
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from config.settings import MqttSettings
from domain.errors import Unavailable
from streams.mqtt.place import Place

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 5.0
KEEPALIVE_SECONDS = 30
UNSUPPORTED_VERSION = frozenset({1, 132})
"""What a broker that does not speak MQTT 5 answers, in the codes of 3.1.1 and of 5."""
REFUSED = 128
"""Codes of a SUBACK from here on say that there is no subscription."""
ONLY_NEW = 1
"""Retained messages come with a new subscription only, not each time that the session goes on."""

Take = Callable[[aiomqtt.Message], None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which MQTT is spoken; the other one is tried where a broker does not answer to this one."""

    version: aiomqtt.ProtocolVersion

    @property
    def other(self) -> "Dialect":
        """Give the one to try next."""
        return V311 if self == V5 else V5


V5 = Dialect(aiomqtt.ProtocolVersion.V5)
V311 = Dialect(aiomqtt.ProtocolVersion.V311)


class WrongDialect(Exception):
    """The broker does not speak this version of MQTT, or says nothing at all."""


class Connection:
    """A connection, open while the context is; it hands each message to `take` from the event loop, at once."""

    def __init__(
        self, place: Place, settings: MqttSettings, identifier: str, dialect: Dialect, take: Take
    ) -> None:
        """Take where the broker is, who we are to it, and which MQTT to speak."""
        self._place = place
        self._dialect = dialect
        properties = None
        if dialect == V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it so
            properties.SessionExpiryInterval = settings.session_expiry_seconds
            properties.ReceiveMaximum = settings.max_in_flight
        self._client = aiomqtt.Client(
            place.host,
            place.port,
            username=settings.username or None,
            password=settings.password.value or None,
            identifier=identifier,
            protocol=dialect.version,
            # A session that there is goes on; with an expiry of 0 it is emptied, and ends when we leave. MQTT 3.1.1 knows
            # only "for ever" and "from anew".
            clean_session=None if dialect == V5 else settings.session_expiry_seconds == 0,
            clean_start=False if dialect == V5 else MQTT_CLEAN_START_FIRST_ONLY,
            properties=properties,
            tls_context=place.tls,
            timeout=TIMEOUT_SECONDS,
            keepalive=KEEPALIVE_SECONDS,
            # aiomqtt calls it with maxsize, and puts each message into what it gets.
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: _Inbox(take)),
        )
        _acknowledge_by_hand(self._client)

    async def __aenter__(self) -> Self:
        """Connect; MqttError when the broker is away or refuses us, WrongDialect when it does not speak this version."""
        if self._place.tls is not None:
            await _try_tls(self._place)
        await _open(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye; the session stays."""
        with suppress(aiomqtt.MqttError):
            await self._client.__aexit__(None, None, None)

    async def subscribe(self, filters: Sequence[str], group: str) -> None:
        """Subscribe with QoS 1, shared where there is a group; Unavailable when the broker refuses.

        Waits as long as the connection holds: Mosquitto answers when it has delivered what the session kept for us. A broker
        that grants QoS 0 alone may lose what it delivers; that is told, and better than nothing.
        """
        for each in filters:
            wanted = f"$share/{group}/{each}" if group else each
            if self._dialect == V5:
                options = SubscribeOptions(qos=1, retainHandling=ONLY_NEW)
                codes = await self._client.subscribe(wanted, options=options, timeout=math.inf)
            else:
                codes = await self._client.subscribe(wanted, qos=1, timeout=math.inf)
            for code in codes:
                if (number := _number(code)) >= REFUSED:
                    raise Unavailable(f"the MQTT broker refuses the subscription {wanted} with code {number}")
                if number == 0:
                    log.warning("mqtt_without_acknowledgements", subscription=wanted)

    async def lost(self) -> None:
        """Wait until the connection is lost: MqttError."""
        async for _ in self._client.messages:
            pass  # the inbox hands messages on at once, none ever waits here

    def acknowledge(self, mid: int) -> None:
        """Send the PUBACK of a message; where the connection is gone the broker sends the message again."""
        _acknowledge(self._client, mid)


async def _try_tls(place: Place) -> None:
    """Make a connection and end it: where a certificate is refused, paho would leave its socket open."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(place.host, place.port, ssl=place.tls)
    except (OSError, TimeoutError) as error:
        raise aiomqtt.MqttError(str(error) or "Operation timed out") from None
    writer.close()
    with suppress(OSError):  # it may have refused our certificate; then the true connection tells
        await writer.wait_closed()


async def _open(client: aiomqtt.Client) -> None:
    """Connect; a broker that hangs up or is silent instead of answering may not know this version."""
    opening = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        # paho connects in a thread that cannot be stopped: let it finish, or its socket would stay.
        with suppress(aiomqtt.MqttError):
            await opening
            await client.__aexit__(None, None, None)
        raise
    except MqttConnectError as error:
        if _number(error.rc) in UNSUPPORTED_VERSION:
            raise WrongDialect(str(error)) from error
        raise
    except aiomqtt.MqttError as error:
        if str(error) == "Operation timed out":
            _hang_up(client)
            raise WrongDialect("it does not answer") from error
        raise


def _number(code: int | ReasonCode | None) -> int:
    """Give the number of a reason code: paho's own kind cannot be hashed."""
    return code.value if isinstance(code, ReasonCode) else code or 0


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """In the place of aiomqtt's queue: a message is taken at once, without a task for each."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self._take = take

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Hand a message on."""
        self._take(item)


# aiomqtt 2.5 has no way to acknowledge by hand (its issue 345) nor to give a silent connection up; these three functions
# are the only ones that reach through it to paho.


def _acknowledge_by_hand(client: aiomqtt.Client) -> None:
    """Stop paho from acknowledging as soon as a message has been read."""
    client._client.manual_ack_set(True)  # noqa: SLF001


def _acknowledge(client: aiomqtt.Client, mid: int) -> None:
    client._client.ack(mid, 1)  # noqa: SLF001


def _hang_up(client: aiomqtt.Client) -> None:
    """Close a connection on which no answer came."""
    client._client.disconnect()  # noqa: SLF001
