"""Every accepted input is in effect, rejected or lost; nothing else."""

from datetime import timedelta
from uuid import UUID

import numpy as np

from domain.clock import EPOCH
from domain.identity import derived_id, reading_id
from fenghuo.accounting import Accepted, Balance, weigh

MINUTE = 60_000_000
FIRST = 29_000_000  # minutes since 1970


def accepted(*minutes: int, ids: set[UUID] | None = None, rejected: set[UUID] | None = None) -> Accepted:
    """Make readings of one series by the minute, and calls."""
    return Accepted(
        names=["s"],
        series=np.zeros(len(minutes), np.int64),
        observed=np.array([(FIRST + minute) * MINUTE + number for number, minute in enumerate(minutes)]),
        ids=ids or set(),
        rejected_records=len(rejected or ()),
        rejected_ids=rejected or set(),
    )


def test_what_is_in_a_roll_up_is_in_effect() -> None:
    """The counts of all minutes match."""
    stored = {("s", FIRST): 2, ("s", FIRST + 1): 1}
    assert weigh(accepted(0, 0, 1), stored, set()) == Balance(accepted=3, processed=3, rejected=0, lost=0)


def test_a_reading_that_is_nowhere_is_lost() -> None:
    """A minute that holds fewer than were accepted tells of it, whatever the other minutes hold."""
    stored = {("s", FIRST): 1, ("s", FIRST + 1): 5}
    assert weigh(accepted(0, 0, 1), stored, set()).lost == 1


def test_a_rejected_reading_is_not_lost() -> None:
    """Its id stands on feed.rejected."""
    one = reading_id("s", EPOCH + timedelta(minutes=FIRST))
    assert weigh(accepted(0, rejected={one}), {}, set()) == Balance(
        accepted=1, processed=0, rejected=1, lost=0
    )


def test_calls_are_compared_by_their_ids() -> None:
    """One stored, one rejected, one lost."""
    stored, rejected, lost = (derived_id("ticket", number) for number in range(3))
    told = weigh(accepted(ids={stored, rejected, lost}, rejected={rejected}), {}, {stored})
    assert told == Balance(accepted=3, processed=1, rejected=1, lost=1)
