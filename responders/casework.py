"""What officers may do with cases beyond moving them, as pure rules: who coordinates, and what speaks against a command."""

from collections.abc import Iterable
from dataclasses import dataclass

from config.data import Data
from config.policies import TOWERS
from domain.areas import covers, is_area_code
from domain.errors import Fault
from domain.incidents import Satisfied
from domain.levels import Level

PLATFORM_FAULT = "platform-fault"


@dataclass(frozen=True, slots=True)
class Described:
    """A case in an officer's words."""

    category: str
    place: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class CallBack:
    """What somebody concerned said when he was asked afterwards (回访); None is not asked. `corrects` an earlier one."""

    reached: bool
    responded: bool | None = None
    resolved: bool | None = None
    satisfied: Satisfied = Satisfied.NOT_ASKED
    note: str = ""
    corrects: bool = False


def coordinator_of(place: str, parties: Iterable[str]) -> str | None:
    """Name the nearest tower's area that holds a place and all parties; None when only the nation does (DOMAIN.md, 3)."""
    common = place
    for area in parties:
        while not covers(common, area):
            common = common[:-1]
    towers = [int(tower) for tower in TOWERS.values() if tower <= len(common)]
    return common[: max(towers)] if towers else None


def party_faults(place: str, parties: Iterable[str], area: str) -> list[Fault]:
    """Say why an area cannot be a party of a case at a place, beside those that are."""
    if not is_area_code(area):
        return [Fault("area", "must be the code of an area")]
    if covers(area, place):
        return [Fault("area", "holds the case's own place: its people see the case already")]
    if coordinator_of(place, [*parties, area]) is None:
        return [
            Fault(
                "area",
                "has no area above it in common with the case's place, so that nobody could coordinate",
            )
        ]
    return []


def description_faults(described: Described, data: Data, within: str) -> list[Fault]:
    """Say everything that speaks against a case described by hand, by somebody of an area."""
    faults = []
    if described.category not in data.categories or described.category == PLATFORM_FAULT:
        faults.append(Fault("category", f"{described.category!r} is not known here"))
    if not is_area_code(described.place) or not covers(within, described.place):
        faults.append(Fault("place", "must be an area of yours"))
    if not described.text.strip():
        faults.append(Fault("text", "must say what happened"))
    return faults


def call_back_faults(call: CallBack) -> list[Fault]:
    """Say what cannot be: answers of somebody who was not reached, or a resolution without a response."""
    faults = []
    if not call.reached:
        answers = {"responded": call.responded, "resolved": call.resolved}
        faults += [
            Fault(name, "was not answered: nobody was reached")
            for name, said in answers.items()
            if said is not None
        ]
        if call.satisfied is not Satisfied.NOT_ASKED:
            faults.append(Fault("satisfied", "was not answered: nobody was reached"))
    if call.resolved and call.responded is False:
        faults.append(Fault("resolved", "cannot be without a response"))
    if call.corrects and not call.note.strip():
        faults.append(Fault("note", "must say why the earlier answers are corrected"))
    return faults
