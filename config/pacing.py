"""How often people are written to: letters in a while, storms that gather letters, quiet hours, and what is stale; data."""

from collections.abc import Collection, Iterator, Sequence
from datetime import time
from typing import Annotated

from msgspec import Meta, Struct

from domain.areas import covers, is_area_code
from domain.errors import Fault
from domain.inputs import Slug

LONGEST_QUIET_HOURS = 12
"""Two quiet spans that follow one another must not silence a whole day."""
MINUTES_OF_A_DAY = 24 * 60

Count = Annotated[int, Meta(ge=1)]
Minutes = Annotated[float, Meta(gt=0)]
WallTime = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Quiet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span of the day in Asia/Shanghai, over midnight where it ends before it begins, of the cases of one policy.

    `policy` is empty for the quiet hours of an account.
    """

    policy: str = ""
    starts: WallTime
    ends: WallTime

    @property
    def begins_at(self) -> time:
        """The beginning as a time of day."""
        return time.fromisoformat(self.starts)

    @property
    def ends_at(self) -> time:
        """The end as a time of day; it belongs to the span no more."""
        return time.fromisoformat(self.ends)

    @property
    def minutes(self) -> int:
        """Its length; a span that ends when it begins is a whole day."""
        begins, ends = (at.hour * 60 + at.minute for at in (self.begins_at, self.ends_at))
        return (ends - begins) % MINUTES_OF_A_DAY or MINUTES_OF_A_DAY


class Rate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most letters of grades III and IV that one person gets over one channel within some minutes."""

    letters: Count
    minutes: Minutes


class Pacing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How pages of grades III and IV over outside channels are paced in an area; the longest area prefix wins.

    `storm_cases`: more cases than that opened within `storm_minutes` in a county make a storm; fewer than `calm_cases` end
    it. In a storm a person's pages are gathered for `gather_seconds` into one letter, and then one goes every
    `digest_minutes` at most. A page whose case went on to a later step `stale_minutes` ago is not sent any more.
    """

    area: str = ""
    letters: Count
    minutes: Minutes
    channels: dict[Slug, Rate] = {}
    storm_cases: Count
    storm_minutes: Minutes
    calm_cases: Count
    gather_seconds: Annotated[float, Meta(ge=0, le=600)]
    digest_minutes: Minutes
    stale_minutes: Minutes
    quiet: tuple[Quiet, ...] = ()
    source: str = ""

    def rate(self, channel: str) -> Rate:
        """Tell the most letters over a channel."""
        return self.channels.get(channel) or Rate(letters=self.letters, minutes=self.minutes)


def pacing_of(rules: Sequence[Pacing], area: str) -> Pacing:
    """Find what holds in an area; KeyError where `check_pacing` would have told that nothing does."""
    own = [one for one in rules if covers(one.area, area)]
    if not own:
        raise KeyError(f"no pacing for {area}")
    return max(own, key=lambda one: len(one.area))


def check_pacing(rules: Sequence[Pacing], policies: Collection[str]) -> Iterator[Fault]:
    """Find areas without pacing or with two, storms that would never end, and quiet hours that are none."""
    areas = [one.area for one in rules]
    if "" not in areas:
        yield Fault("pacing", 'must hold one with area = "", which is for everywhere else')
    for number, one in enumerate(rules):
        place = f"pacing[{number}]"
        if one.area and not is_area_code(one.area):
            yield Fault(f"{place}.area", f"{one.area!r} is no area code")
        if areas.index(one.area) != number:
            yield Fault(f"{place}.area", f"{one.area or 'everywhere'} is there twice")
        if one.calm_cases > one.storm_cases:
            yield Fault(f"{place}.calm_cases", "must not be more than storm_cases, or a storm would not last")
        if one.digest_minutes * 60 < one.gather_seconds:
            yield Fault(f"{place}.digest_minutes", "must not be shorter than gather_seconds")
        for index, span in enumerate(one.quiet):
            yield from quiet_faults(span, f"{place}.quiet[{index}]")
            if span.policy not in policies:
                yield Fault(
                    f"{place}.quiet[{index}].policy", f"names the policy {span.policy!r}, which there is not"
                )


def quiet_faults(span: Quiet, place: str) -> Iterator[Fault]:
    """Find what is wrong with a span by itself: 22:00-06:30 is one, 06:00-06:00 is a whole day."""
    if span.minutes > LONGEST_QUIET_HOURS * 60:
        yield Fault(f"{place}.ends", f"is more than {LONGEST_QUIET_HOURS} hours after it starts")
