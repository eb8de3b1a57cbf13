"""Our alerts as CAP 1.2: what a version says becomes a message, and a message becomes XML. Pure: nothing is read or sent."""

import re
from uuid import UUID

from config.data import Category
from domain.areas import AreaLevel
from domain.cap import (
    AREA_CODE_NAME,
    SEVERITY_OF,
    TOWNSHIP_CODE_NAME,
    CapAlert,
    CapArea,
    CapInfo,
    Certainty,
    MessageType,
    Reference,
    Scope,
    Status,
    Urgency,
)
from domain.findings import AlertChange, Finding
from domain.levels import Domain, EventClass, Level
from domain.registry import Area
from responders.views import CapVersion

MOST_REFERENCES = 50
EVENT_CODE_NAME = "fenghuo.category"
RESTRICTION = "仅供应急管理人员使用，不得公开。 For emergency staff only, not for the public."
LEVELS_ZH = {Level.BLUE: "蓝色", Level.YELLOW: "黄色", Level.ORANGE: "橙色", Level.RED: "红色"}
TYPE_OF = {
    AlertChange.RAISED: MessageType.ALERT,
    AlertChange.CHANGED: MessageType.UPDATE,
    AlertChange.CLEARED: MessageType.CANCEL,
}
CATEGORIES = {
    Domain.ENVIRONMENT: "Env",
    Domain.HEALTH: "Health",
    Domain.STABILITY: "Security",
    Domain.SAFETY: "Safety",
}
CERTAINTY = {
    "limit_broken": Certainty.OBSERVED,
    "phrase": Certainty.LIKELY,
    "bulletin": Certainty.LIKELY,
    "rarity": Certainty.POSSIBLE,
}
"""By the reason of the level; what somebody measured was observed, what is only rare is possible."""
_IDENTIFIER = re.compile(r"fenghuo-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([1-9]\d{0,8})")


def identifier_of(alert: UUID, version: int) -> str:
    """Name the message of a version: the same for ever, since both parts are."""
    return f"fenghuo-{alert}-{version}"


def read_identifier(text: str) -> tuple[UUID, int] | None:
    """Find alert and version in an identifier of ours; None in any other."""
    match = _IDENTIFIER.fullmatch(text)
    return None if match is None else (UUID(match[1]), int(match[2]))


def message_of(version: CapVersion, category: Category, sender: str) -> CapAlert:
    """Make the message of a version: Alert, Update or Cancel, of a drill an Exercise, of an internal category Restricted.

    Without `expires`: an alert holds until its Cancel. What rests on a restricted warning is not repeated in public words.
    """
    drill, public = version.drill, category.public
    earlier = [
        Reference(
            sender=sender, identifier=identifier_of(version.alert, number), sent=at.replace(microsecond=0)
        )
        for number, at in version.earlier[-MOST_REFERENCES:]
    ]
    kind = TYPE_OF[version.change]
    if kind is MessageType.UPDATE and not earlier:
        kind = MessageType.ALERT  # of what came before nothing is known in words
    return CapAlert(
        identifier=identifier_of(version.alert, version.version),
        sender=sender,
        sent=version.changed_at.replace(microsecond=0),
        status=Status.EXERCISE if drill else Status.ACTUAL,
        type=kind,
        scope=Scope.PUBLIC if public else Scope.RESTRICTED,
        restriction="" if public else RESTRICTION,
        note="演练，不是真实预警。 This is a drill." if drill else "",
        references=tuple(earlier),
        incidents=str(version.alert),
        infos=tuple(_info(version, category, chinese=chinese) for chinese in (True, False)),
    )


def _info(version: CapVersion, category: Category, *, chinese: bool) -> CapInfo:
    is_over = version.change is AlertChange.CLEARED
    urgent = version.level >= Level.ORANGE
    codes = [(EVENT_CODE_NAME, category.slug)]
    if category.official_code:
        codes.append(("GB/T 35561", category.official_code))
    headline = _headline(version, category, chinese=chinese)
    withheld = category.public and any(finding.restricted for finding in version.evidence)
    return CapInfo(
        language="zh-CN" if chinese else "en-US",
        categories=(_category(category),),
        event=category.zh if chinese else category.en,
        responses=("AllClear" if is_over else "Monitor",),
        urgency=Urgency.PAST if is_over else Urgency.IMMEDIATE if urgent else Urgency.EXPECTED,
        severity=SEVERITY_OF[version.level],
        certainty=CERTAINTY.get(version.reason, _certainty_of(version.evidence)),
        event_codes=tuple(codes),
        effective=version.changed_at.replace(microsecond=0),
        onset=version.opened_at.replace(microsecond=0),
        sender_name=_name(version.county_area, version.place[:6], chinese=chinese),
        headline=headline,
        description=headline if withheld else clean(version.zh if chinese else version.en),
        areas=(_area(version, chinese=chinese),),
    )


def _certainty_of(evidence: tuple[Finding, ...]) -> Certainty:
    measured = any(finding.limit is not None for finding in evidence)
    return Certainty.LIKELY if measured else Certainty.UNKNOWN


def _category(category: Category) -> str:
    if category.event_class is EventClass.NATURAL_DISASTER:
        return "Geo" if category.slug.startswith("geological") else "Met"
    return CATEGORIES[category.domain]


def _headline(version: CapVersion, category: Category, *, chinese: bool) -> str:
    place = _name(version.place_area, version.place, chinese=chinese)
    is_over = version.change is AlertChange.CLEARED
    if chinese:
        end = "预警解除" if is_over else f"{LEVELS_ZH[version.level]}预警"
        return clean(f"{'【演练】' if version.drill else ''}{place}{category.zh}{end}")
    end = "alert cleared" if is_over else f"{version.level.slug} alert"
    return clean(f"{'[DRILL] ' if version.drill else ''}{place}: {category.en}, {end}")


def _name(area: Area | None, code: str, *, chinese: bool) -> str:
    if area is None:
        return code
    return clean(area.name if chinese else area.name_en or area.name)


def _area(version: CapVersion, *, chinese: bool) -> CapArea:
    """Draw the place by its outline, closed, and name its code; where nothing is drawn its centre is a circle of 0 km."""
    area, code = version.place_area, version.place
    name = TOWNSHIP_CODE_NAME if len(code) >= AreaLevel.TOWNSHIP else AREA_CODE_NAME
    outline = area.outline if area is not None and len(area.outline) >= 3 else ()
    ring = [(round(lat, 6), round(lon, 6)) for lon, lat in outline]
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    centre = () if ring or area is None or area.lat is None or area.lon is None else ((area.lat, area.lon),)
    return CapArea(
        description=_name(area, code, chinese=chinese),
        polygons=(tuple(ring),) if ring else (),
        circles=tuple((point, 0.0) for point in centre),
        geocodes=((name, code),),
    )


def clean(text: str) -> str:
    """Take out the characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text).strip()
