"""The one way in for CAP messages, whether pushed, polled or found in a folder: read, matched to areas, written, counted."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.cap_events import CapEvents
from config.data import Data
from config.metrics import INPUTS, OUTPUTS
from config.settings import CapSettings
from domain.errors import Fault, InvalidInput
from domain.inputs import MAX_REJECTED_BYTES, BulletinIn
from domain.levels import Feed
from domain.registry import Area, Source
from domain.topics import BULLETINS
from streams.cap.bulletins import Taken, to_bulletins
from streams.cap.metrics import CAP_MESSAGES
from streams.cap.outlines import Outlines
from streams.cap.reading import CapReading, read_cap
from streams.cap.signature import Signature, Trust, WrongSignature
from streams.gateway_problems import Reason, Refused
from streams.gateway_refusals import STAGE, Refusals
from streams.gateway_texts import NOT_YOURS, Desk
from streams.producer import Writes
from streams.registry import Registry

CONTENT_TYPES = frozenset({"application/cap+xml", "application/xml", "text/xml"})
REASONS = {
    "no-category": Reason.NO_CATEGORY,
    "outside": Reason.FORBIDDEN,
}
"""Why nothing of a message was taken; anything else is invalid."""
PUSHED, REPEATED = "http", "repeated"
REMEMBERED = 20_000
"""Messages that are known to have been taken, by source, sender, identifier and time sent."""
NO_FAULT = frozenset({"test", "system", "draft", "ack", "error", "expired"})
"""Reasons that are no fault of anybody: counted, answered, and that is all."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message: the answer to its sender, and the one word under which it was counted."""

    answer: dict[str, Any]
    outcome: str


class CapInlet:
    """Takes CAP messages in the name of sources; nothing of it depends on how they came."""

    def __init__(
        self,
        settings: CapSettings,
        data: Data,
        registry: Registry,
        desk: Desk,
        writer: Writes,
        refusals: Refusals,
    ) -> None:
        """Take the parts of a gateway; InvalidConfiguration when the trusted certificates cannot be read."""
        self._trust = Trust.read(settings.trusted_folder)
        self._require_signature = settings.require_signature
        self._events = CapEvents(data.cap_events)
        self._registry = registry
        self._desk = desk
        self._writer = writer
        self._refusals = refusals
        self._outlines = Outlines()
        self._one_at_a_time = asyncio.Lock()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def accept(
        self, body: bytes, source: Source, way: str, charge: Callable[[int], None] = lambda items: None
    ) -> Accepted:
        """Take a message; returns when the broker has it on disk.

        Refused with every fault when nothing of it can be taken; BrokerUnavailable when it must be sent again. Where only
        some of its infos can be taken, they are, and the whole is kept as refused too. `charge` is told how many inputs it
        is. What is pushed again is answered again; what is met again in a feed or folder is only counted.
        """
        now = self._registry.clock.now()
        known = dict(self._registry.areas)
        try:
            async with (
                self._one_at_a_time
            ):  # the work is in a thread, so that a province's outline holds nobody up
                reading, taken = await asyncio.to_thread(self._read, body, known, source, now)
            mark = (source.slug, str(reading.alert.reference))
            if way != PUSHED and mark in self._seen:
                CAP_MESSAGES.labels(way, REPEATED).inc()
                return Accepted({"accepted": 0, "ids": [], "noted": 0, "ignored": REPEATED}, REPEATED)
            self._check(taken, source, now, body)
        except Refused as refused:
            CAP_MESSAGES.labels(way, refused.reason.slug).inc()
            raise
        accepted = self._desk.accept_bulletins(list(taken.bulletins), source, now)
        charge(len(accepted.ids))
        await self._writer.write(accepted.messages)
        if taken.faults:
            await self._refusals.answer(_refused(taken, body), Feed.BULLETINS, source)
        notes = [*reading.notes, *taken.notes, *(f"{fault} (not taken)" for fault in taken.faults)]
        answer: dict[str, Any] = {"accepted": len(accepted.ids), "ids": accepted.ids, "noted": len(notes)}
        if notes:
            answer["notes"] = notes
        if not taken.bulletins:
            answer["ignored"] = taken.reason
        outcome = taken.reason or _outcome(taken.bulletins)
        self._remember(mark)
        CAP_MESSAGES.labels(way, outcome).inc()
        if way != PUSHED:
            INPUTS.labels(STAGE, Feed.BULLETINS).inc(len(accepted.ids))
            OUTPUTS.labels(STAGE, BULLETINS.name).inc(len(accepted.ids))
        return Accepted(answer, outcome)

    def _remember(self, mark: tuple[str, str]) -> None:
        self._seen[mark] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _read(
        self, body: bytes, known: dict[str, Area], source: Source, now: datetime
    ) -> tuple[CapReading, Taken]:
        """Read and match; runs in a thread."""
        try:
            reading = read_cap(body, self._trust)
        except WrongSignature as error:
            raise _refuse(Reason.UNTRUSTED, error.faults, body) from error
        except InvalidInput as error:
            raise _refuse(Reason.NOT_CAP, error.faults, body) from error
        if self._require_signature and reading.signature is not Signature.VALID:
            fault = Fault("Signature", "must be of somebody whose certificate is trusted here")
            raise _refuse(Reason.UNTRUSTED, (fault,), body)
        taken = to_bulletins(
            reading.alert, known, self._events, within=source.area, now=now, outlines=self._outlines
        )
        return reading, taken

    def _check(self, taken: Taken, source: Source, now: datetime, body: bytes) -> None:
        """Refuse what has nothing to take, and what breaks the rules of all bulletins."""
        if not taken.bulletins and taken.reason not in NO_FAULT:
            raise _refused(taken, body)
        faults = tuple(
            fault for item in taken.bulletins for fault in self._desk.bulletin_faults(item, source, now)
        )
        if faults:
            raise _refuse(Reason.INVALID, faults, body)


def _outcome(bulletins: tuple[BulletinIn, ...]) -> str:
    return "exercise" if any(one.exercise for one in bulletins) else "accepted"


def _refused(taken: Taken, body: bytes) -> Refused:
    """Make the refusal of what could not be taken."""
    faults = taken.faults or (Fault("info.area", NOT_YOURS),)
    of_event = any(fault.field.endswith(".event") for fault in faults)
    reason = taken.reason or ("no-category" if of_event else "invalid")
    return _refuse(REASONS.get(reason, Reason.INVALID), faults, body)


def _refuse(reason: Reason, faults: tuple[Fault, ...], body: bytes) -> Refused:
    detail = f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'} in the CAP message"
    return Refused(reason, detail, faults, item=body[:MAX_REJECTED_BYTES], size=len(body))
