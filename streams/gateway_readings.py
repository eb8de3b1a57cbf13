"""Readings from a body to checked columns: one decoding pass, then vectors; faults are sought if there are any."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from config.settings import GatewaySettings
from domain.areas import covers, township_of
from domain.decode import MAX_FAULTS, NOT_JSON
from domain.errors import Fault
from domain.inputs import QUALITY_BY_LETTER, AwareTime, Quality, Reading
from domain.registry import Series, Source
from streams.gateway_body import decode_items, is_single, refuse
from streams.gateway_problems import Reason
from streams.packing import EARLIEST, MICROSECOND, micros
from streams.registry import Registry


class LooseReading(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A reading as the fast way reads it: the name is not checked, since an unknown one is refused anyway."""

    series: str
    observed_at: AwareTime
    value: float
    quality: str = "N"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings as columns; `rows` are the catalog's, `noted` counts those whose time was ahead."""

    rows: NDArray[np.int32]
    observed: NDArray[np.int64]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]
    noted: int

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: NDArray[np.intp] | slice) -> "Columns":
        """Pick some of the readings."""
        return Columns(
            self.rows[places], self.observed[places], self.values[places], self.quality[places], self.noted
        )


class Catalog:
    """The registry's series by row number, so that a thousand readings are checked at once.

    Rows are never given to another series, so that packs which wait for company stay right while the
    registry changes. Channels that devices speak of and nobody has registered have rows too (`keep`), which no source
    may send to over HTTP.
    """

    def __init__(self, registry: Registry) -> None:
        """Follow the series of the registry."""
        self.names: list[str] = []
        self.rows: dict[str, int] = {}
        self._series: list[Series | None] = []
        self._areas: list[str] = []
        self._version = 0
        self._townships: tuple[int, NDArray[np.int32], list[str]] = (-1, np.empty(0, np.int32), [])
        self._permits: dict[str, tuple[int, Source, NDArray[np.bool_]]] = {}
        for series in registry.series.values():
            self._change(series, series.id)
        registry.on_series.append(self._change)

    def townships(self) -> tuple[NDArray[np.int32], list[str]]:
        """Give the township of each row as an index into a list of codes."""
        version, places, codes = self._townships
        if version != self._version:
            known: dict[str, int] = {}
            places = np.array(
                [
                    known.setdefault(township_of(one.area if one else area), len(known))
                    for one, area in zip(self._series, self._areas, strict=True)
                ],
                np.int32,
            )
            codes = list(known)
            self._townships = (self._version, places, codes)
        return places, codes

    def permits(self, source: Source) -> NDArray[np.bool_]:
        """Say for each row whether it is the source's own and inside its area."""
        version, known, mask = self._permits.get(source.slug, (-1, source, np.empty(0, np.bool_)))
        if version != self._version or known is not source:
            mask = np.array([one is not None and _may_send(source, one) for one in self._series], np.bool_)
            self._permits[source.slug] = (self._version, source, mask)
        return mask

    def series(self, name: str) -> Series | None:
        """Find a series by its id."""
        row = self.rows.get(name)
        return None if row is None else self._series[row]

    def keep(self, name: str, area: str) -> int:
        """Give the row of a series that is registered or not; readings of the latter go to the township of the area."""
        row = self.rows.get(name)
        if row is None:
            row = self._add(name, None, area)
        elif self._series[row] is None and self._areas[row] != area:
            self._areas[row] = area
            self._version += 1
        return row

    def _change(self, series: Series | None, name: str) -> None:
        row = self.rows.get(name)
        if row is None:
            if series is not None:
                self._add(name, series, "")
            return
        self._version += 1
        self._series[row] = series
        if series is None:
            del self.rows[name]

    def _add(self, name: str, series: Series | None, area: str) -> int:
        self._version += 1
        self.rows[name] = row = len(self.names)
        self.names.append(name)
        self._series.append(series)
        self._areas.append(area)
        return row


def parse_readings(
    body: bytearray, catalog: Catalog, source: Source, now: int, settings: GatewaySettings, *, lines: bool
) -> Columns:
    """Make columns of a body; Refused with every fault. `now` is county time in microseconds.

    A reading observed too far ahead is taken at `now`; several of them keep their order, a microsecond
    apart, so that they stay different readings.
    """
    try:
        readings = _decode(body, lines=lines)
    except NOT_JSON:
        decode_items(Reading, body, lines=lines)
        raise  # no fault in strict eyes: cannot be, since the strict type asks for more
    rows = np.array([catalog.rows.get(reading.series, -1) for reading in readings], np.int32)
    seconds = np.array([reading.observed_at.timestamp() for reading in readings], np.float64)
    observed = np.rint(seconds * MICROSECOND).astype(np.int64)  # exact: microseconds of today need 51 bits
    letters = [QUALITY_BY_LETTER.get(reading.quality, -1) for reading in readings]
    quality = np.array(letters, np.int16)
    latest = now + int(settings.future_refuse_seconds * MICROSECOND)
    if (
        (rows < 0).any()
        or (quality < 0).any()
        or (observed < EARLIEST).any()
        or (observed > latest).any()
        or not catalog.permits(source)[rows].all()
    ):
        strict = decode_items(Reading, body, lines=lines)
        faults = list(_faults(strict, catalog, source, latest, single=is_single(body, lines=lines)))
        only_rights = all(fault.reason == NOT_YOURS for fault in faults)
        reason = Reason.FORBIDDEN if only_rights else Reason.INVALID
        raise refuse(body, faults, lines=lines, reason=reason, count=len(readings))
    ahead = observed > now + int(settings.future_note_seconds * MICROSECOND)
    noted = int(np.count_nonzero(ahead))
    if noted:
        observed[ahead] = now + np.arange(noted)
        quality[ahead & (quality == Quality.GOOD)] = Quality.NOTED
    values = np.array([reading.value for reading in readings], np.float64)
    return Columns(rows, observed, values, quality.astype(np.uint8), noted)


NOT_YOURS = "is not a series of this source, or outside its area"


def _decode(body: bytearray, *, lines: bool) -> list[LooseReading]:
    if lines:
        return _LOOSE.decode_lines(body)
    if is_single(body, lines=lines):
        return [_LOOSE.decode(body)]
    return _LOOSE_LIST.decode(body)


_LOOSE = msgspec.json.Decoder(LooseReading)
_LOOSE_LIST = msgspec.json.Decoder(list[LooseReading])


def _may_send(source: Source, series: Series) -> bool:
    return series.source == source.slug and covers(source.area, series.area)


def _faults(
    readings: list[Reading], catalog: Catalog, source: Source, latest: int, *, single: bool
) -> Iterator[Fault]:
    """Find what is wrong with readings of the right form, up to MAX_FAULTS."""
    found = 0
    for number, reading in enumerate(readings):
        if found >= MAX_FAULTS:
            return
        for fault in _faults_of(reading, catalog, source, latest, "" if single else f"[{number}]."):
            found += 1
            yield fault


def _faults_of(
    reading: Reading, catalog: Catalog, source: Source, latest: int, place: str
) -> Iterator[Fault]:
    series = catalog.series(reading.series)
    if series is None:
        yield Fault(f"{place}series", "is not a known series")
    elif not _may_send(source, series):
        yield Fault(f"{place}series", NOT_YOURS)
    observed = micros(reading.observed_at)
    if observed < EARLIEST:
        yield Fault(f"{place}observed_at", "is before 2000: the device lost its clock")
    elif observed > latest:
        yield Fault(f"{place}observed_at", "is too far in the future")
    if reading.quality not in QUALITY_BY_LETTER:
        yield Fault(f"{place}quality", f"must be one of {' '.join(QUALITY_BY_LETTER)}")
