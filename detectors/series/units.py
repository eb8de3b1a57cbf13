"""Units that are taken for one another: those with a sister a thousand times larger or smaller."""

import re

_PREFIXED = re.compile(
    r"(?:[nuµμmk]?(?:g|mol)/|pp[bmt]|[nuµμm]?(?:Sv|Gy)|[mk]?Bq|[uµμm]?S/|[kM]?Pa)", re.ASCII
)


def has_sister(unit: str) -> bool:
    """Say whether values of this unit may come in another a thousand times larger or smaller by mistake.

    Concentrations, radiation, conductivity and pressure (mg/m³ for µg/m³, ppm for ppb, mS/cm for µS/cm). Not lengths and
    flows, though they have sisters: rain and rivers do rise a thousandfold from almost nothing.
    """
    return _PREFIXED.match(unit.strip()) is not None
