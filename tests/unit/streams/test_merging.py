"""A backlog of several topics is worked off in the order in which it was sent, and nothing waits for ever."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.desk import Incoming
from streams.merging import PATIENCE_SECONDS, Merge

TICKETS, REPORTS = "feed.tickets", "feed.reports"


class Topics:
    """Where topics end, as far as a client knows, what was committed, and a clock that a test moves."""

    def __init__(self, **ends: int | None) -> None:
        """Take the ends by topic, without their `feed.`."""
        self.ends = {f"feed.{name}": end for name, end in ends.items()}
        self.commits: dict[str, int] = {}
        self.seconds = 100.0

    def end_of(self, topic: str, partition: int) -> int | None:
        """Tell a topic's end."""
        return self.ends[topic]

    def committed(self, topic: str, partition: int) -> int:
        """Tell what was committed."""
        return self.commits.get(topic, 0)

    def merge(self) -> Merge:
        """Make a merge of both topics."""
        return Merge((TICKETS, REPORTS), self, lambda: self.seconds)


def sent(topic: str, offset: int, at: int, partition: int = 0) -> Incoming:
    """A message that was sent at a time."""
    return Incoming(topic, partition, offset, b"", {}, at, lambda: None)


def popped(merge: Merge, partition: int = 0) -> list[tuple[str, int]]:
    """All that may go now."""
    out = []
    while (message := merge.pop(partition)) is not None:
        out.append((message.topic, message.offset))
    return out


def test_in_quiet_times_nothing_waits() -> None:
    """The other topic has nothing that did not come."""
    merge = Topics(tickets=1, reports=0).merge()
    merge.put(sent(TICKETS, 0, 5))
    assert popped(merge) == [(TICKETS, 0)]
    assert merge.waiting() == []


def test_what_comes_too_early_is_held_back() -> None:
    """Two tickets are here, and one of the two reports was sent between them."""
    merge = Topics(tickets=2, reports=2).merge()
    merge.put(sent(TICKETS, 0, 5))
    merge.put(sent(TICKETS, 1, 9))
    assert (popped(merge), merge.waiting()) == ([], [0])
    merge.put(sent(REPORTS, 0, 7))
    assert popped(merge) == [(TICKETS, 0), (REPORTS, 0)]
    merge.put(sent(REPORTS, 1, 12))
    assert popped(merge) == [(TICKETS, 1), (REPORTS, 1)]


def test_what_was_committed_does_not_come_again() -> None:
    """A topic that was read to its end before the start is not waited for."""
    topics = Topics(tickets=8, reports=5)
    topics.commits = {REPORTS: 5}
    merge = topics.merge()
    merge.put(sent(TICKETS, 7, 1))
    assert popped(merge) == [(TICKETS, 7)]


def test_patience_ends_and_is_not_lost_twice_on_the_same_end() -> None:
    """What expired never comes; a message waits for it once, and later ones only when the topic grows."""
    topics = Topics(tickets=3, reports=5)
    merge = topics.merge()
    merge.put(sent(TICKETS, 0, 1))
    topics.seconds += PATIENCE_SECONDS / 2
    assert popped(merge) == []
    topics.seconds += PATIENCE_SECONDS / 2
    assert popped(merge) == [(TICKETS, 0)]
    merge.put(sent(TICKETS, 1, 2))
    assert popped(merge) == [(TICKETS, 1)]
    topics.ends[REPORTS] = 6
    merge.put(sent(TICKETS, 2, 3))
    assert popped(merge) == []


def test_an_end_that_is_not_known_yet_is_waited_for() -> None:
    """Before the first fetch nobody knows what lies on a topic."""
    topics = Topics(tickets=1, reports=None)
    merge = topics.merge()
    merge.put(sent(TICKETS, 0, 1))
    assert popped(merge) == []
    topics.ends[REPORTS] = 0
    assert popped(merge) == [(TICKETS, 0)]


def test_partitions_do_not_wait_for_each_other() -> None:
    """Each partition is a county's own stream."""
    merge = Topics(tickets=9, reports=1).merge()
    merge.put(sent(TICKETS, 0, 5, partition=1))
    merge.put(sent(REPORTS, 0, 6, partition=2))
    merge.put(sent(TICKETS, 8, 7, partition=2))
    assert merge.waiting() == [1, 2]
    assert (popped(merge, 2), popped(merge, 1)) == ([(REPORTS, 0), (TICKETS, 8)], [])


def test_it_forgets_what_may_belong_to_another_worker() -> None:
    """The other one reads it again."""
    merge = Topics(tickets=1, reports=1).merge()
    merge.put(sent(TICKETS, 0, 5))
    merge.clear()
    assert (popped(merge), merge.waiting()) == ([], [])


@given(st.lists(st.sampled_from([TICKETS, REPORTS])), st.randoms(use_true_random=False))
def test_however_a_backlog_is_fetched_it_comes_in_the_order_of_sending(
    names: list[str], dice: Random
) -> None:
    """Each topic in its own order, interleaved in any way, comes out as it was sent, whole."""
    counts = {TICKETS: 0, REPORTS: 0}
    backlog: dict[str, list[Incoming]] = {TICKETS: [], REPORTS: []}
    for at, name in enumerate(names):
        backlog[name].append(sent(name, counts[name], at))
        counts[name] += 1
    merge = Topics(tickets=counts[TICKETS], reports=counts[REPORTS]).merge()
    out: list[Incoming] = []
    while any(backlog.values()):
        merge.put(backlog[dice.choice([name for name, left in backlog.items() if left])].pop(0))
        while (message := merge.pop(0)) is not None:
            out.append(message)
    assert [message.sent_at for message in out] == list(range(len(names)))
