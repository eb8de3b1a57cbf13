"""The data files, shipped or local, read and checked: what each holds is told by its record."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct

from config.breakers import BreakerRule, check_breakers
from config.burden import Budget, check_budgets
from config.cap_events import CapEvent, check_cap_events
from config.chats import Chat, check_chats
from config.clocks import ReportClock, check_clocks
from config.drills import Drill, check_drills
from config.grouping import Grouping, check_grouping, rule_of
from config.holds import Inhibition, Shelving, check_holds
from config.hours import HolidayNotice, WorkingHours, check_hours
from config.hydrology import Element, check_elements
from config.pacing import Pacing, check_pacing
from config.policies import TOWERS, Clock, Policy, check_policies
from config.pollutants import Pollutant, by_code, check_pollutants
from config.reminders import Reminder, check_reminders
from config.rivers import River, check_rivers
from config.rosters import DeskRule, check_desk_rules
from config.routes import Route, check_routes
from config.services import Service, check_services
from domain.aqi import AirQuality, Standard
from domain.areas import covers
from domain.decode import convert
from domain.errors import Fault, InvalidConfiguration, InvalidInput
from domain.inputs import Slug
from domain.levels import Domain, EventClass, Level

SHIPPED = Path(__file__).parent / "data"

T = TypeVar("T")


class LevelRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of a category's table: the level that holds when everything the row names is reached.

    `rarity` is −log10 of the smallest p-value; `streams` counts independent feeds and subjects; `limit` is the gravest
    limit broken; `bulletin` the gravest bulletin in force; `phrase` asks for a critical phrase.
    """

    level: Level
    rarity: float | None = None
    streams: Annotated[int, Meta(ge=1)] | None = None
    limit: Level | None = None
    bulletin: Level | None = None
    phrase: bool | None = None


class Category(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of risk; everything else names it by its slug alone."""

    slug: Slug
    domain: Domain
    event_class: EventClass
    zh: str
    en: str
    public: bool
    official_code: str = ""
    provenance: str = ""
    hold_minutes: Annotated[float, Meta(gt=0)] = 60.0
    highest: Level = Level.RED
    base_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    """Share of statistical alerts expected to be true before officers have said anything of them."""
    raised_by: tuple[Slug, ...] = ()
    """Bulletins and findings of these categories count as evidence here."""
    levels: Annotated[tuple[LevelRule, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.event_class is EventClass.SOCIAL_SECURITY and self.public:
            raise ValueError("public must be false for social-security: it has no public colour")


class Duty(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for a category in an area: `post` at `level`, backed by the county; the longest area prefix wins."""

    category: Slug
    area: str = ""
    post: Slug
    level: str
    due_minutes: Annotated[float, Meta(gt=0)] = 120.0
    clock: Clock = "natural"

    def __post_init__(self) -> None:
        if self.level not in TOWERS:
            raise ValueError(f"level must be one of {', '.join(TOWERS)}")
        if self.area and not self.area.isdigit():
            raise ValueError("area must be digits, or empty for everywhere")


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dictionary entry: words that point to a category; `critical` ones raise a finding by themselves."""

    category: Slug
    words: Annotated[tuple[str, ...], Meta(min_length=1)]
    critical: bool = False
    weight: Annotated[float, Meta(gt=0)] = 1.0
    unless: tuple[str, ...] = ()
    """Phrases in which one of the words means something else."""
    near: tuple[str, ...] = ()
    """What must stand near the word, before or after it: 河里 alone is no pollution, with 臭 it is."""


class Stop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that are no terms: by themselves (`word`, `place`), before one (`title`) or after one (`surname`)."""

    kind: Literal["word", "place", "title", "surname"]
    words: Annotated[tuple[str, ...], Meta(min_length=1)]


class Files(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of all data files together."""

    category: Annotated[tuple[Category, ...], Meta(min_length=1)]
    duty: Annotated[tuple[Duty, ...], Meta(min_length=1)]
    policy: Annotated[tuple[Policy, ...], Meta(min_length=1)]
    term: tuple[Term, ...] = ()
    stop: tuple[Stop, ...] = ()
    aqi: Annotated[tuple[Standard, ...], Meta(min_length=1)]
    route: tuple[Route, ...] = ()
    cap_event: tuple[CapEvent, ...] = ()
    element: tuple[Element, ...] = ()
    pollutant: tuple[Pollutant, ...] = ()
    chat: tuple[Chat, ...] = ()
    service: tuple[Service, ...] = ()
    breaker: Annotated[tuple[BreakerRule, ...], Meta(min_length=1)]
    budget: tuple[Budget, ...] = ()
    hours: tuple[WorkingHours, ...] = ()
    notice: tuple[HolidayNotice, ...] = ()
    inhibition: tuple[Inhibition, ...] = ()
    shelving: tuple[Shelving, ...] = ()
    pacing: Annotated[tuple[Pacing, ...], Meta(min_length=1)]
    drill: tuple[Drill, ...] = ()
    grouping: Annotated[tuple[Grouping, ...], Meta(min_length=1)]
    river: Annotated[tuple[River, ...], Meta(min_length=1)]
    desk: Annotated[tuple[DeskRule, ...], Meta(min_length=1)]
    clock: tuple[ReportClock, ...] = ()
    reminder: Annotated[tuple[Reminder, ...], Meta(min_length=1)]


FILES = {
    "category": "categories.toml",
    "duty": "duties.toml",
    "policy": "policies.toml",
    "term": "dictionary.toml",
    "stop": "stop_words.toml",
    "aqi": "aqi.toml",
    "route": "mqtt.toml",
    "cap_event": "cap_events.toml",
    "element": "hydrology.toml",
    "pollutant": "pollutants.toml",
    "chat": "chats.toml",
    "service": "services.toml",
    "breaker": "breakers.toml",
    "river": "rivers.toml",
    "desk": "desks.toml",
    "budget": "burden.toml",
    "hours": "hours.toml",
    "notice": "holidays.toml",
    "inhibition": "inhibitions.toml",
    "shelving": "shelving.toml",
    "pacing": "pacing.toml",
    "drill": "drills.toml",
    "grouping": "grouping.toml",
    "clock": "clocks.toml",
    "reminder": "reminders.toml",
}


class Data(Struct, frozen=True, kw_only=True):
    """All shipped and local data, checked."""

    categories: dict[str, Category]
    duties: tuple[Duty, ...]
    policies: tuple[Policy, ...]
    terms: tuple[Term, ...]
    stops: tuple[Stop, ...]
    aqi: AirQuality
    routes: tuple[Route, ...]
    chats: dict[str, Chat]
    services: dict[str, Service]
    breakers: dict[str, BreakerRule]
    cap_events: tuple[CapEvent, ...]
    elements: tuple[Element, ...]
    pollutants: dict[str, Pollutant]
    """By their codes, and by those of 2005."""
    rivers: dict[str, River]
    """By slug; "" is for all others."""
    desks: tuple[DeskRule, ...]
    budgets: dict[str, Budget]
    """By role."""
    hours: tuple[WorkingHours, ...]
    notices: tuple[HolidayNotice, ...]
    inhibitions: tuple[Inhibition, ...]
    shelvings: dict[int, Shelving]
    """By grade."""
    pacing: tuple[Pacing, ...]
    drills: dict[str, Drill]
    """By slug."""

    groupings: tuple[Grouping, ...]
    clocks: tuple[ReportClock, ...]
    reminders: dict[int, Reminder]
    """By grade."""

    def owner(self, category: str, area: str) -> Duty:
        """Find the one duty for a category in an area; KeyError where `check_data` would have told of a gap."""
        own = [duty for duty in self.duties if duty.category == category and covers(duty.area, area)]
        if not own:
            raise KeyError(f"no duty for {category} in {area}")
        return max(own, key=lambda duty: len(duty.area))

    def grouping(self, category: str) -> Grouping:
        """Find the rule by which alerts of a category become cases."""
        return rule_of(self.groupings, category)

    def policy(self, category: str, grade: int) -> Policy:
        """Find the policy of a category and grade: one that names the category wins over a general one."""
        matching = [policy for policy in self.policies if grade in policy.grades]
        return next(
            (policy for policy in matching if category in policy.categories),
            next(policy for policy in matching if not policy.categories),
        )


def load_data(local: Path | None = None) -> Data:
    """Read and check all data files; a file in `local` replaces the shipped one. InvalidConfiguration with all faults.

    A file with a fault in its form hides none of the others: they are looked at beside the shipped one in its place.
    """
    faults: list[Fault] = []
    if local is not None and not local.is_dir():
        raise InvalidConfiguration([Fault("data_dir", f"{local} is not a folder")])
    files, wrong = _read_files(local, faults)
    data = Data(
        categories={category.slug: category for category in files.category},
        duties=files.duty,
        policies=files.policy,
        terms=files.term,
        stops=files.stop,
        aqi=AirQuality(files.aqi),
        routes=files.route,
        chats={chat.name: chat for chat in files.chat},
        services={service.name: service for service in files.service},
        breakers={rule.channel: rule for rule in files.breaker},
        cap_events=files.cap_event,
        elements=files.element,
        pollutants=by_code(files.pollutant),
        rivers={river.slug: river for river in files.river},
        desks=files.desk,
        budgets={budget.role: budget for budget in files.budget},
        hours=files.hours,
        notices=files.notice,
        inhibitions=files.inhibition,
        shelvings={shelving.grade: shelving for shelving in files.shelving},
        pacing=files.pacing,
        drills={drill.slug: drill for drill in files.drill},
        groupings=files.grouping,
        clocks=files.clock,
        reminders={grade: reminder for reminder in files.reminder for grade in reminder.grades},
    )
    slugs = {policy.slug for policy in files.policy}
    chats = [chat.name for chat in files.chat]
    editions = [f"a standard in force from {each.in_force_from}" for each in files.aqi]
    checks: tuple[tuple[str, Iterator[Fault]], ...] = (
        ("category", _doubles("category", [category.slug for category in files.category])),
        ("aqi", _doubles("aqi", editions)),
        ("route", check_routes(files.route)),
        ("chat", check_chats(files.chat)),
        ("service chat", check_services(files.service, chats)),
        ("breaker", check_breakers(files.breaker)),
        ("budget", check_budgets(files.budget)),
        ("policy", check_policies(files.policy)),
        ("hours notice", check_hours(files.hours, files.notice)),
        ("inhibition shelving category", check_holds(files.inhibition, files.shelving, data.categories)),
        ("pacing policy", check_pacing(files.pacing, slugs)),
        ("drill category", check_drills(files.drill, data.categories)),
        ("grouping", check_grouping(files.grouping)),
        ("clock category", check_clocks(files.clock, data.categories)),
        ("reminder", check_reminders(files.reminder)),
        ("cap_event", check_cap_events(files.cap_event)),
        ("element", check_elements(files.element)),
        ("pollutant", check_pollutants(files.pollutant)),
        ("river", check_rivers(files.river)),
        ("desk", check_desk_rules(files.desk)),
        ("category duty policy term grouping cap_event", check_data(data)),
    )
    for keys, found in checks:
        if wrong.isdisjoint(keys.split()):
            faults.extend(found)
    if faults:
        raise InvalidConfiguration(faults)
    return data


def _read_files(local: Path | None, faults: list[Fault]) -> tuple[Files, set[str]]:
    """Read all files; those with a fault in their form are named, and the shipped ones are there in their place."""
    content: dict[str, Any] = {}
    wrong: set[str] = set()
    for key, name in FILES.items():
        path = local / name if local and (local / name).exists() else SHIPPED / name
        before = len(faults)
        content[key] = _read(path, key, faults)
        wrong |= {key} if len(faults) > before else set()
    try:
        return convert(Files, content | _shipped(key for key in wrong if not content[key])), wrong
    except InvalidInput as error:
        faults.extend(error.faults)
        wrong |= {re.split(r"[.\[]", fault.field, maxsplit=1)[0] for fault in error.faults}
    try:
        return convert(Files, content | _shipped(wrong)), wrong
    except InvalidInput as error:  # what is shipped is broken
        raise InvalidConfiguration(faults) from error


def _shipped(keys: Iterable[str]) -> dict[str, Any]:
    broken: list[Fault] = []  # told of the file that is read in its place
    return {key: _read(SHIPPED / FILES[key], key, broken) for key in keys if key in FILES}


def _read(path: Path, key: str, faults: list[Fault]) -> list[Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(Fault(str(path), f"cannot be read: {error.strerror}"))
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), f"is not TOML: {error}"))
        return []
    faults.extend(
        Fault(f"{path.name}: {name}", f"is not known here; write [[{key}]]") for name in values.keys() - {key}
    )
    entries: list[Any] = values.get(key, [])
    return entries


def check_data(data: Data, areas: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Find what is wrong between the files, and prove that each category × area has exactly one owner.

    Without `areas` the proof is made for every area there can be: a duty with the empty prefix covers them all, and two
    duties of one category can meet only where they name the same prefix.
    """
    names = data.categories.keys()
    for place, slugs in (
        ("duty", [duty.category for duty in data.duties]),
        ("policy.categories", [slug for policy in data.policies for slug in policy.categories]),
        ("term", [term.category for term in data.terms]),
        ("grouping.categories", [slug for rule in data.groupings for slug in rule.categories]),
        ("cap_event", [event.category for event in data.cap_events]),
        (
            "category.raised_by",
            [slug for category in data.categories.values() for slug in category.raised_by],
        ),
    ):
        yield from (
            Fault(place, f"names the category {slug!r}, which there is not")
            for slug in sorted({*slugs} - names)
        )
    yield from _doubles(
        "duty", [f"{duty.category} in area {duty.area or 'everywhere'}" for duty in data.duties]
    )
    for slug in names:
        own = [duty for duty in data.duties if duty.category == slug]
        if areas:
            yield from (
                Fault("duty", f"{slug} has no owner in area {area}")
                for area in areas
                if not any(covers(duty.area, area) for duty in own)
            )
        elif not any(duty.area == "" for duty in own):
            yield Fault(
                "duty", f"{slug} has no owner outside {', '.join(duty.area for duty in own) or 'any area'}"
            )
        for grade in range(1, 5):
            matching = [policy for policy in data.policies if grade in policy.grades]
            named = [policy.slug for policy in matching if slug in policy.categories]
            general = [policy.slug for policy in matching if not policy.categories]
            if len(named) > 1 or (not named and len(general) != 1):
                yield Fault(
                    "policy", f"{slug} of grade {grade} has {len(named) or len(general)} policies, needs one"
                )


def _doubles(place: str, names: list[str]) -> Iterator[Fault]:
    yield from (
        Fault(place, f"{name} is there twice") for name in sorted({n for n in names if names.count(n) > 1})
    )
