"""What it means to add or rename an area, and what speaks against it; pure."""

from collections.abc import Mapping, Sequence

from config.data import Data
from config.ownership import Claim, faults_in, prove
from domain.areas import AreaLevel, parent_of
from domain.errors import Fault
from domain.registry import Area
from responders.accounts import Effect, Preview


def preview_area(
    area: Area,
    known: Mapping[str, Area],
    data: Data,
    accounts: Sequence[str],
    open_cases: int,
    actor_area: str,
) -> Preview:
    """Tell whom an area concerns: who sees it, which duties reach it; refused where it hangs on nothing or has no owner.

    `accounts` names those whose area covers it, `open_cases` counts those within it.
    """
    before = known.get(area.code)
    faults: list[Fault] = []
    if not area.code.startswith(actor_area):
        faults.append(Fault("area", "不在您的辖区内。 lies outside your own area"))
    parent = parent_of(area.code)
    if parent is not None and parent not in known:
        faults.append(Fault("area", f"上级区域 {parent} 不存在。 there is no area {parent} above it"))
    claims = [Claim(category=duty.category, area=duty.area) for duty in data.duties]
    faults += faults_in(prove(claims, tuple(data.categories), [area.code]))
    changes = {
        name: (str(getattr(before, name)) if before else "", str(getattr(area, name)))
        for name in ("code", "name", "name_en")
        if before is None or getattr(before, name) != getattr(area, name)
    }
    effects = [Effect(code="seen_by", count=len(accounts), names=tuple(accounts[:8]))] if accounts else []
    if before is None:
        effects.append(Effect(code="owned", count=len(data.categories)))
        if len(area.code) in (AreaLevel.TOWNSHIP, AreaLevel.COUNTY):
            effects.append(Effect(code="needs_desk", names=(area.name,)))
    elif open_cases:
        effects.append(Effect(code="cases_there", count=open_cases))
    return Preview(changes=changes, effects=tuple(effects), faults=tuple(faults))
