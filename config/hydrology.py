"""Elements of SL 651: what an identifier in a message of a hydrological station means."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault


class ElementKind(StrEnum):
    """How the bytes of an element are written."""

    NUMBER = "number"  # decimal digits, two a byte
    DURATION = "duration"  # hours and minutes, two digits each
    STEP = "step"  # days, hours and minutes between the values that follow
    SERIES = "series"  # binary values at equal steps
    STATUS = "status"  # bits
    GUIDE = "guide"  # a station or a time, no value
    REST = "rest"  # all that is left of the message: a text, a picture


class Bit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bit of a status, counted from the lowest; its channel is 1 while what the names say is so."""

    bit: Annotated[int, Meta(ge=0, le=31)]
    slug: Annotated[str, Meta(pattern=r"^[a-z0-9\-]+$")]
    zh: str
    en: str


class Element(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an identifier means; `id` is also its channel. An own identifier of a maker is `ff` and its byte."""

    id: Annotated[str, Meta(pattern=r"^(ff)?[0-9a-f]{2}$")]
    symbol: str = ""
    zh: str
    en: str
    unit: str = ""
    kind: ElementKind = ElementKind.NUMBER
    digits: Annotated[int, Meta(ge=1, le=16)] | None = None
    decimals: Annotated[int, Meta(ge=0, le=7)] = 0
    count: Annotated[int, Meta(ge=1, le=31)] = 1
    size: Annotated[int, Meta(ge=1, le=4)] = 1
    minutes: Annotated[int, Meta(ge=1, le=1440)] = 5
    bits: tuple[Bit, ...] = ()
    provenance: str = ""

    @property
    def length(self) -> int:
        """Count the bytes of a value in the default format."""
        return ((self.digits or 1) + 1) // 2


def check_elements(elements: Sequence[Element]) -> Iterator[Fault]:
    """Find what is wrong between elements, and inside one of them."""
    names = [element.id for element in elements]
    yield from (
        Fault("element", f"{name} is there twice")
        for name in sorted({n for n in names if names.count(n) > 1})
    )
    for element in elements:
        if (element.kind is ElementKind.NUMBER) is not (element.digits is not None):
            yield Fault("element.digits", f"{element.id}: belongs to a number, and to nothing else")
        if (element.kind is ElementKind.STATUS) is not bool(element.bits):
            yield Fault("element.bits", f"{element.id}: belong to a status, and to nothing else")
        for what, found in (
            ("bit", [str(bit.bit) for bit in element.bits]),
            ("slug", [bit.slug for bit in element.bits]),
        ):
            yield from (
                Fault("element.bits", f"{element.id}: {what} {one} is there twice")
                for one in sorted({o for o in found if found.count(o) > 1})
            )
