"""Which townships lie beside one another: by outlines, by centres, along rivers."""

from domain.registry import Area
from responders.nearness import adjoining, along_rivers

OWN, EAST, CORNER, FAR = "990101101", "990101102", "990101103", "990101104"


def square(code: str, lon: float, lat: float) -> Area:
    """Draw a township of a tenth of a degree."""
    outline = ((lon, lat), (lon, lat + 0.1), (lon + 0.1, lat + 0.1), (lon + 0.1, lat))
    return Area(code=code, name=code, lon=lon + 0.05, lat=lat + 0.05, outline=outline)


AREAS = (square(OWN, 110, 30), square(EAST, 110.1, 30), square(CORNER, 110.1, 30.1), square(FAR, 110.5, 30))


def test_outlines_that_touch_adjoin() -> None:
    """A border in common counts, and a corner; a gap of a township's width does not."""
    assert adjoining(OWN, AREAS) == {EAST, CORNER}


def test_borders_drawn_from_two_sources_adjoin() -> None:
    """Outlines that miss each other by a hundred metres touch, by a kilometre they do not."""
    assert adjoining(OWN, (AREAS[0], square(EAST, 110.101, 30))) == {EAST}
    assert adjoining(OWN, (AREAS[0], square(EAST, 110.11, 30))) == frozenset()


def test_a_long_border_with_corners_elsewhere() -> None:
    """A small township in the middle of a neighbour's side adjoins it, whichever of the two is asked."""
    outline = ((110.1, 30.04), (110.1, 30.06), (110.12, 30.06), (110.12, 30.04))
    small = Area(code=EAST, name="小镇", outline=outline)
    assert adjoining(OWN, (AREAS[0], small)) == {EAST}
    assert adjoining(EAST, (AREAS[0], small)) == {OWN}


def test_without_outlines_the_nearest_centres_adjoin() -> None:
    """Neighbours and diagonal ones of a lattice count, what is further does not; unknown places have none."""
    bare = [Area(code=area.code, name=area.name, lat=area.lat, lon=area.lon) for area in AREAS]
    assert adjoining(OWN, bare) == {EAST, CORNER}
    assert adjoining(OWN, [Area(code=OWN, name="甲"), bare[1]]) == frozenset()
    assert adjoining("990101199", AREAS) == frozenset()


def test_along_a_river() -> None:
    """Townships that measure at one of the same rivers are along it."""
    assert along_rivers(OWN, {OWN: {"青溪河"}, EAST: {"青溪河", "白石河"}, FAR: {"白石河"}}) == {EAST}
    assert along_rivers(FAR, {OWN: {"青溪河"}}) == frozenset()
