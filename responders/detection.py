"""What the store hands out of detection: alerts that are held back, and calibrations."""

from uuid import UUID

from msgspec import Struct

from domain.findings import AlertChange, Calibration, HeldBack
from domain.inputs import AwareTime
from domain.levels import Level


class HeldBackRow(Struct, frozen=True, kw_only=True):
    """An alert that nobody is paged for: why, and what chance the model gives it of being found true."""

    id: UUID
    version: int
    change: AlertChange
    category: str
    place: str
    place_name: str
    level: Level
    held_back: HeldBack
    chance: float | None
    opened_at: AwareTime
    changed_at: AwareTime
    zh: str
    en: str


class DetectionView(Struct, frozen=True, kw_only=True):
    """What officers see of detection in their area; `more` says that not all held-back alerts are here."""

    held_back: tuple[HeldBackRow, ...]
    more: bool
    calibrations: tuple[Calibration, ...]
