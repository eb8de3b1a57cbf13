"""Terms that are said more often today than a place's own past lets expect, and what stood behind a count.

For each township and feed the past is a discounted number of texts per term, of the MOST_TERMS heaviest terms. What is not
among them is believed to be said as rarely as LEAST_RATE. As with counts (counts.py) a day is judged by days that lie a
whole lateness bound before it, so that the order of arrival makes no difference; a term is shrunk to its average over the
county's townships. Method: a gamma belief about the rate, a negative binomial tail (rate.py), and a correction for
looking at many terms at once (Bonferroni, 1936).
"""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from detectors.counts.cells import BUCKETS_PER_DAY, bucket_of, day_of, start_of
from detectors.counts.ledger import Heard, Ledger, end_over
from detectors.counts.rate import belief, rarity_of
from detectors.words.recent import ALL, Recent, Spoken
from domain.areas import AreaLevel, county_of, covers, township_of
from domain.errors import Fault, InvalidInput
from domain.findings import Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.levels import Feed

DETECTOR, DETECTOR_VERSION = "rising-terms", 1
VERSION = 1
LOOKED_AT = 3.0
"""Orders of magnitude that a rarity loses: about a thousand terms are looked at on a day."""
OPENS_AT = 5.0
VERY_RARE = 10.0
"""From here on terms raise an alert by themselves; below they are weak and count beside others."""
LEAST = 4
"""Texts below which a term has not risen, however rare it is."""
DISCOUNT = 0.5 ** (1 / 14)
"""Per day: what is two weeks old counts half."""
MOST_TERMS = 2_000
"""Of a township and feed: about 40 kB of a snapshot."""
FORGOTTEN = 0.05
LEAST_RATE = 0.02
"""Texts per day that are always expected of a term: one in fifty days."""
PRIOR_SHAPE = 0.5
LARGEST_SHAPE = 5.0
"""Themes come in bursts: a word's rate is believed to vary by nearly a half from day to day."""
WARM_DAYS = 1
REACH = 100
"""Days of the past that are worth asking for: what is older counts less than a hundredth."""
TOLD_TERMS = 5
TOLD_SHARE, TOLD_RARITY = 0.15, 2.0
"""Of the texts behind a count so many hold a term that is told, and as many are as rare by its usual share of texts."""
TOLD_FROM = 2
"""Texts of a count that must hold a term before it is told: one caller's words stay his own."""


class Past(msgspec.Struct):
    """How often each term was said in a township over a feed, discounted to the end of the day `through`."""

    since: int
    through: int
    counts: dict[str, float] = {}

    def fold(self, spoken: Spoken | None) -> None:
        """Go on by one day."""
        self.through += 1
        counts = {term: count * DISCOUNT for term, count in self.counts.items()}
        for term, count in spoken.terms.items() if spoken else ():
            counts[term] = counts.get(term, 0.0) + count
        kept = [(term, count) for term, count in counts.items() if count >= FORGOTTEN]
        kept.sort(key=lambda one: (-one[1], one[0]))
        self.counts = dict(kept[:MOST_TERMS])


Pasts = dict[Feed, Past]
_Written = tuple[int, dict[str, int], list[tuple[Finding, int]]]


class Rising:
    """Learns what is said where, and says what rises; one for a partition."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger that admits what is observed here."""
        self._ledger = ledger
        self.recent = Recent()
        self._first: dict[str, int] = {}
        self._past: dict[str, Pasts] = {}
        self._through: dict[str, int] = {}
        self._rates: dict[tuple[str, Feed, int], dict[str, tuple[float, float]]] = {}
        self._open: dict[UUID, tuple[Finding, int]] = {}
        self._changed: set[str] = set()

    def observe(self, heard: Heard) -> list[Finding]:
        """Take in a text that was admitted, and say which terms have risen; above townships nothing is learned."""
        county, township = county_of(heard.area), township_of(heard.area)
        day = day_of(heard.observed_at)
        self._first[county] = min(day, self._first.get(county, day))
        self._fold(county)
        found = []
        if len(township) == AreaLevel.TOWNSHIP:
            past = self._past.setdefault(township, {})
            if heard.feed not in past:
                past[heard.feed] = Past(day, self._ledger.settled_day(county) - self._ledger.guard_days)
                self._changed.add(township)
            if day < past[heard.feed].since:
                past[heard.feed].since = day
                self._changed.add(township)
            found = self._judge(heard, township, day, self.recent.add(heard))
        return [*found, *self.clear(county, heard.received_at)]

    def clear(self, county: str, received_at: datetime) -> list[Finding]:
        """Clear what is over at the county's time."""
        return end_over(self._open, county, self._ledger.newest(county), received_at)

    def behind(self, area: str, category: str, feed: Feed, begin: int, length: int) -> tuple[str, ...]:
        """Tell the terms that rose in the texts behind a count of so many buckets, most telling first.

        Only days that may still change are known; of a longer period the last ones speak.
        """
        said = list(self.recent.within(area, category, feed, begin, begin + length))
        terms = Counter(term for one in said for term in one.terms)
        township, day = township_of(area), (begin + length - 1) // BUCKETS_PER_DAY
        ranked = []
        for term, count in terms.items():
            if count < max(TOLD_FROM, TOLD_SHARE * len(said)):
                continue
            mean, shape = self._rate(township, feed, term, day)
            share = mean / max(self._rate(township, feed, ALL, day)[0], mean)
            rarity = rarity_of(count, share * len(said), shape)
            if rarity >= TOLD_RARITY:
                ranked.append((-rarity, -count, term))
        return tuple(term for _, _, term in sorted(ranked)[:TOLD_TERMS])

    def _judge(self, heard: Heard, township: str, day: int, spoken: Spoken) -> list[Finding]:
        """Say which terms of a category rose when one of this text's has, and again at each further order of magnitude."""
        counts: Mapping[str, int] = spoken.by_category.get(heard.category, {})
        if day - self._ledger.guard_days - self._first[county_of(township)] < WARM_DAYS:
            return []
        if all(self._rarity(township, heard.feed, day, term, counts) < OPENS_AT for term in heard.terms):
            return []
        rarities = {term: self._rarity(township, heard.feed, day, term, counts) for term in counts}
        risen = sorted(
            (term for term, rarity in rarities.items() if rarity >= OPENS_AT),
            key=lambda term: (-rarities[term], -counts[term], term),
        )
        top = risen[0]
        start, rarity = start_of(day), rarities[top]
        name = finding_id(DETECTOR, DETECTOR_VERSION, f"{township}/{heard.category}/{heard.feed}", start)
        said = self._open.get(name)
        if said is not None and int(rarity) <= int(-math.log10(said[0].p_value or 1.0)):
            return []
        begin = day * BUCKETS_PER_DAY
        finding = Finding(
            id=name,
            detector=DETECTOR,
            detector_version=DETECTOR_VERSION,
            category=heard.category,
            subject_kind=SubjectKind.CELL,
            subject=township,
            area=township,
            feed=heard.feed,
            state=FindingState.CONFIRMED,
            observed_at=heard.observed_at,
            received_at=heard.received_at,
            period_start=start,
            period_end=start_of(day + 1),
            observed=float(counts[top]),
            expected=self._rate(township, heard.feed, top, day)[0],
            unit="件",
            p_value=10.0**-rarity,
            inputs=(heard.id,),
            weak=rarity < VERY_RARE,
            terms=tuple(risen[:TOLD_TERMS]),
        )
        newest = bucket_of(self._ledger.newest(county_of(township)))
        until = begin + 2 * BUCKETS_PER_DAY
        self._open[name] = finding, until if newest < until else newest + BUCKETS_PER_DAY
        return [finding]

    def _rarity(self, township: str, feed: Feed, day: int, term: str, counts: Mapping[str, int]) -> float:
        count = counts.get(term, 0)
        if count < LEAST:
            return 0.0
        mean, shape = self._rate(township, feed, term, day)
        if count < 2 * mean + LEAST:  # not nearly rare enough, whatever the shape
            return 0.0
        return max(rarity_of(count, mean, shape) - LOOKED_AT, 0.0)

    def _rate(self, township: str, feed: Feed, term: str, day: int) -> tuple[float, float]:
        """Believe in how often a term is said on a day: mean and shape, by all that lies a lateness bound before it."""
        rates = self._rates.setdefault((township, feed, day), {})
        if term not in rates:
            county, last = county_of(township), day - 1 - self._ledger.guard_days
            days = sum(DISCOUNT**age for age in range(min(last - self._first[county] + 1, REACH)))
            known = [
                name
                for name, past in self._past.items()
                if covers(county, name) and feed in past and past[feed].since <= last
            ]
            average = LEAST_RATE
            if known and days > 0:
                total = sum(self._said(name, feed, term, last) for name in known)
                average = max(total / len(known) / days, LEAST_RATE)
            own = self._said(township, feed, term, last)
            rates[term] = belief(own, days, average, PRIOR_SHAPE, LARGEST_SHAPE)
        return rates[term]

    def _said(self, township: str, feed: Feed, term: str, last: int) -> float:
        """Tell the discounted number of texts with a term up to a day, what is not folded yet included."""
        past = self._past.get(township, {}).get(feed)
        if past is None:
            return 0.0
        total = past.counts.get(term, 0.0) * DISCOUNT ** (last - past.through)
        for day in range(past.through + 1, last + 1):
            spoken = self.recent.of(township, feed, day)
            total += spoken.terms[term] * DISCOUNT ** (last - day) if spoken else 0.0
        return total

    def _fold(self, county: str) -> None:
        """Put the days into the past that lie a lateness bound before every day that may still be judged."""
        through = self._ledger.settled_day(county) - self._ledger.guard_days
        if self._through.get(county, through - 1) >= through:
            return
        self._through[county] = through
        for township, pasts in self._past.items():
            for feed, past in pasts.items() if covers(county, township) else ():
                past.through = max(
                    past.through, through - REACH
                )  # nothing is known any more after so long a gap
                while past.through < through:
                    past.fold(self.recent.of(township, feed, past.through + 1))
                    self.recent.forget(township, feed, past.through)
                self._changed.add(township)
        for place in [place for place in self._rates if covers(county, place[0]) and place[2] <= through]:
            del self._rates[place]

    def open_findings(self) -> list[Finding]:
        """List what was said and not cleared."""
        return [finding for finding, _ in self._open.values()]

    def dump(self) -> dict[str, bytes]:
        """Write the pieces that changed since the last dump."""
        changed, self._changed = self._changed, set()
        own: _Written = (VERSION, self._first, list(self._open.values()))
        return {
            **self.recent.dump(),
            **{
                f"words/{name}": msgspec.msgpack.encode((VERSION, self._past[name]))
                for name in sorted(changed)
            },
            DETECTOR: msgspec.msgpack.encode(own),
        }

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up its own among written pieces; InvalidInput or ValueError (msgspec's) when they are of another form."""
        self.recent.restore(pieces)
        for name, piece in pieces.items():
            if name.startswith("words/"):
                version, self._past[name.removeprefix("words/")] = msgspec.msgpack.decode(
                    piece, type=tuple[int, Pasts]
                )
                _check(version)
        if DETECTOR in pieces:
            version, self._first, held = msgspec.msgpack.decode(pieces[DETECTOR], type=_Written)
            _check(version)
            self._open = {finding.id: (finding, until) for finding, until in held}


def _check(version: int) -> None:
    if version != VERSION:
        raise InvalidInput([Fault("version", f"{version} is not {VERSION}")])
