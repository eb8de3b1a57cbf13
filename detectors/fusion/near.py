"""Who is a neighbour of whom: stations of one river, and series of one quantity in one township or county."""

from collections.abc import Iterable, Sequence

from detectors.fusion.chains import Station, stations_of
from domain.areas import county_of, township_of
from domain.registry import Series

STATIONS_EACH_WAY = 3
"""So many stations up and down the river are asked what they see."""
FEWEST_KIND = 3
"""With fewer others of its quantity in the township, a series is compared with those of the county."""
MOST_NEIGHBOURS = 60
"""Asked of one series, those first whose area is the nearest in the area tree."""

Key = tuple[str, str]


class Near:
    """The series of a partition by river, county and township. What it answers hangs on nothing but the series it knows."""

    def __init__(self, series: Iterable[Series]) -> None:
        """Know these series."""
        self._series: dict[str, Series] = {}
        self._kinds: dict[Key, set[str]] = {}
        self._townships: dict[Key, set[str]] = {}
        self._rivers: dict[Key, dict[str, set[str]]] = {}
        self._flowing: dict[Key, set[str]] = {}
        self._neighbours: dict[str, tuple[str, ...]] = {}
        self._stations: dict[Key, dict[str, list[Station]]] = {}
        for one in series:
            self.put(one)

    def get(self, name: str) -> Series | None:
        """Find a series."""
        return self._series.get(name)

    def put(self, series: Series) -> None:
        """Know a series, new or changed."""
        self.drop(series.id)
        self._series[series.id] = series
        county = county_of(series.area)
        self._kinds.setdefault((county, series.quantity), set()).add(series.id)
        self._townships.setdefault((township_of(series.area), series.quantity), set()).add(series.id)
        if series.river is not None:
            quantities = self._rivers.setdefault((county, series.river), {})
            quantities.setdefault(series.quantity, set()).add(series.id)
            self._flowing.setdefault((county, series.quantity), set()).add(series.river)
            self._stations.pop((county, series.river), None)
        self._neighbours.clear()

    def drop(self, name: str) -> None:
        """Know a series no more; one that is unknown is no fault."""
        series = self._series.pop(name, None)
        if series is None:
            return
        county = county_of(series.area)
        self._kinds[county, series.quantity].discard(name)
        self._townships[township_of(series.area), series.quantity].discard(name)
        if series.river is not None:
            left = self._rivers[county, series.river][series.quantity]
            left.discard(name)
            if not left:
                self._flowing[county, series.quantity].discard(series.river)
            self._stations.pop((county, series.river), None)
        self._neighbours.clear()

    def kind(self, county: str, quantity: str) -> set[str]:
        """Name the series of a quantity in a county."""
        return self._kinds.get((county, quantity), set())

    def rivers(self, county: str, quantity: str) -> list[str]:
        """Name the rivers of a county on which a quantity is measured, in order."""
        return sorted(self._flowing.get((county, quantity), ()))

    def stations(self, county: str, river: str) -> dict[str, list[Station]]:
        """List the stations of a river by quantity, downstream."""
        found = self._stations.get((county, river))
        if found is None:
            found = self._stations[county, river] = {
                quantity: stations_of(self._series[name] for name in names)
                for quantity, names in self._rivers.get((county, river), {}).items()
            }
        return found

    def neighbours(self, series: Series) -> Sequence[str]:
        """Name the neighbours of a series that is known, in order: near stations of its river, then its kind."""
        found = self._neighbours.get(series.id)
        if found is None:
            found = self._neighbours[series.id] = self._find(series)
        return found

    def _find(self, series: Series) -> tuple[str, ...]:
        county = county_of(series.area)
        near = self._townships[township_of(series.area), series.quantity]
        kind = near if len(near) > FEWEST_KIND else self._kinds[county, series.quantity]
        found: list[str] = []
        if series.river is not None:
            stations = self.stations(county, series.river)[series.quantity]
            number = next(one.number for one in stations if one.series.id == series.id)
            found += [one.series.id for one in stations if abs(one.number - number) <= STATIONS_EACH_WAY]
        found += sorted(kind, key=lambda name: (-_shared(self._series[name].area, series.area), name))
        return tuple(dict.fromkeys(name for name in found if name != series.id))[:MOST_NEIGHBOURS]


def _shared(one: str, other: str) -> int:
    """Count the digits that two area codes begin with in common: the more, the nearer in the area tree."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
