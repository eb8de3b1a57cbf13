"""What the database says of a storm: how soon pages were delivered, what is owed, what was delivered twice."""

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


async def read_figures(connection: Any) -> Figures:
    """Read the figures by an open connection; grade I is that of red alerts.

    Rates are over the time from the first to the last of them, by ten seconds' halves: the middle 80 %.
    """
    row = await connection.fetchrow(QUERY)
    return msgspec.convert(dict(row), Figures)


QUERY = """
with first as (
    select page.incident, page.loop, min(page.grade) = 1 as red, page.channel <> 'console' as outside,
        extract(epoch from min(page.delivered_at - page.received_at))::float8 as seconds
    from page where reason in ('opened', 'grade_raised') and page.state = 'delivered'
        and incident in (select id from incident where alert is not null)
    group by 1, 2, 4
), soonest as (
    select incident, loop, bool_or(red) as red, min(seconds) as seconds from first group by 1, 2
), recorded as (
    select count(*) as number, extract(epoch from max(recorded_at) - min(recorded_at))::float8 as seconds from alert_version
), opened as (
    select count(*) as number, extract(epoch from max(opened_at) - min(opened_at))::float8 as seconds
    from incident where alert is not null
), sent as (
    select count(*) as number, extract(epoch from max(at) - min(at))::float8 as seconds from (
        select at, percent_rank() over (order by at) as rank from delivery
    ) ranked where rank < 0.9
)
select (select number from opened) as incidents,
    (select count(*) from page where state <> 'withdrawn') as pages,
    (select count(*) from case_alert) as alerts_in_cases,
    (select count(*) from page where state in ('due', 'sending')) as owed,
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
