"""What the database says of a storm: how soon pages were delivered, what is owed, what was delivered twice."""

from datetime import datetime
from typing import Any

import msgspec


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of all cases of alerts; times are 99th percentiles in seconds from the alert's receipt."""

    incidents: int
    pages: int
    alerts_in_cases: int
    owed: int
    repeated: int
    red_page: float | None
    other_page: float | None
    red_outside: float | None
    other_outside: float | None
    alerts_per_second: float
    incidents_per_second: float
    pages_per_second: float


class StormResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; seconds of wall time from when an alert was put on the topic to the first delivered page.

    A first page tells of a new case or of a raised grade; the console's count, `outside` is the provider's. `lost` counts
    alerts without a case and first pages that are neither delivered nor withdrawn; `repeated` deliveries twice in one step,
    in the database or at the provider. `letters` is how many messages the provider got. Shares are of one core: of the
    process, and of PostgreSQL. `idle_…` were measured with `timers` cases open and nothing to do.
    """

    alerts: int
    incidents: int
    pages: int
    red_page_p99_s: float | None
    other_page_p99_s: float | None
    lost: int
    repeated: int
    letters: int
    outside_pages: int
    red_outside_p99_s: float | None
    other_outside_p99_s: float | None
    alerts_per_second: float
    incidents_per_second: float
    pages_per_second: float
    responder_cpu_seconds: float
    postgres_cpu_seconds: float
    digests: bool
    apart: bool
    digest_minutes: float
    timers: int
    idle_responder_core_share: float | None = None
    idle_postgres_core_share: float | None = None


async def read_figures(connection: Any, began: datetime) -> Figures:
    """Read the figures since the storm began by an open connection; grade I is that of red alerts.

    Rates are over the time from the first to the last of them; of pages, to nine tenths of them, since the last wait for a
    digest.
    """
    row = await connection.fetchrow(QUERY, began)
    return msgspec.convert(dict(row), Figures)


QUERY = """
with first as (
    select incident, loop, min(grade) = 1 as red, channel <> 'console' as outside,
        extract(epoch from min(delivered_at - received_at))::float8 as seconds
    from page where reason in ('opened', 'grade_raised') and state = 'delivered' and channel in ('console', 'webhook')
        and incident in (select id from incident where alert is not null and opened_at >= $1)
    group by 1, 2, 4
), soonest as (
    select incident, loop, bool_or(red) as red, min(seconds) as seconds from first group by 1, 2
), recorded as (
    select count(*) as number, extract(epoch from max(recorded_at) - min(recorded_at))::float8 as seconds
    from alert_version where recorded_at >= $1
), opened as (
    select count(*) as number, extract(epoch from max(opened_at) - min(opened_at))::float8 as seconds
    from incident where alert is not null and opened_at >= $1
), sent as (
    select count(*) as number, extract(epoch from max(at) - min(at))::float8 as seconds from (
        select at, percent_rank() over (order by at) as rank from delivery where at >= $1
    ) ranked where rank < 0.9
)
select (select number from opened) as incidents,
    (select count(*) from page where state <> 'withdrawn' and created_at >= $1) as pages,
    (select count(*) from case_alert join alert on id = case_alert.alert where opened_at >= $1) as alerts_in_cases,
    (select count(*) from page where state in ('due', 'sending') and reason in ('opened', 'grade_raised')) as owed,
    (select count(*) from (
        select from page join delivery on delivery.page = page.id
        group by page.incident, page.step, page.loop, page.recipient, page.channel having count(*) > 1
    ) twice) as repeated,
    (select percentile_cont(0.99) within group (order by seconds) from soonest where red) as red_page,
    (select percentile_cont(0.99) within group (order by seconds) from soonest where not red) as other_page,
    (select percentile_cont(0.99) within group (order by seconds) from first where red and outside) as red_outside,
    (select percentile_cont(0.99) within group (order by seconds) from first where not red and outside) as other_outside,
    (select number / greatest(seconds, 0.001) from recorded) as alerts_per_second,
    (select number / greatest(seconds, 0.001) from opened) as incidents_per_second,
    (select number / greatest(seconds, 0.001) from sent) as pages_per_second
"""
