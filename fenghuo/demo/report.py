"""The demo's report: counted from the database and the topics; of the script it takes only what was to be found."""

from msgspec import Struct

from config.data import load_data
from domain.incidents import PleaKind, PleaOutcome
from fenghuo.accounting import Accepted, Balance, balance, read_accepted
from fenghuo.demo.county import START, County
from fenghuo.demo.judging import AlertCount, Injected, count_alerts, gather, judge_events
from fenghuo.platform import Platform
from responders.burden import AreaBurden
from responders.handling import Handling, HandOvers, Reporting
from responders.views import Account

DECIDED = (PleaOutcome.GRANTED, PleaOutcome.DENIED)


class Counted(Struct, frozen=True, kw_only=True):
    """How many there are, and in which states."""

    total: int
    by_state: dict[str, int]


class Pages(Struct, frozen=True, kw_only=True):
    """Pages by channel; `repeated` were delivered twice within one step, which must never be."""

    total: int
    by_channel: dict[str, int]
    by_state: dict[str, int]
    repeated: int


class Inputs(Struct, frozen=True, kw_only=True):
    """Accepted inputs and what became of them."""

    accepted: int
    processed: int
    rejected: int
    lost: int


class Arbitrations(Struct, frozen=True, kw_only=True):
    """Refusals that somebody above had to decide about, by what became of them; `lapsed`: the county's desk has the task."""

    decided: int
    by_outcome: dict[str, int]


class Report(Struct, frozen=True, kw_only=True):
    """What the demo shows for itself; latencies are wall milliseconds from the gateway's receipt."""

    injected: list[Injected]
    alerts: AlertCount
    incidents: Counted
    tasks: Counted
    pages: Pages
    escalations: int
    escalations_by_level: dict[str, int]
    refusals: int
    arbitrations: Arbitrations
    pleas: dict[str, dict[str, int]]
    hand_overs: HandOvers
    reports: Reporting
    burden: AreaBurden | None
    inputs: Inputs
    readings_per_second: float
    latency_ms: dict[str, float | None]
    restarts: dict[str, int]
    seconds: dict[str, float]


async def make_report(platform: Platform, county: County, seconds: dict[str, float]) -> Report:
    """Count everything once more, after all is worked off."""
    accepted = await read_accepted(platform.settings.broker.bootstrap)
    return assemble(
        county,
        accepted,
        await balance(accepted, platform.store),
        await platform.store.account(),
        await platform.store.roster.handling(),
        await platform.store.figures.everybody(START, county.plan.until, load_data().budgets),
        {stage.value: count for stage, count in platform.supervisor.restarts.items()},
        seconds,
    )


def assemble(
    county: County,
    accepted: Accepted,
    inputs: Balance,
    account: Account,
    handling: Handling,
    burden: AreaBurden | None,
    restarts: dict[str, int],
    seconds: dict[str, float],
) -> Report:
    """Put the report together; pure."""
    refusals = handling.pleas.get(PleaKind.REFUSE, {})
    alerts = gather(account.alerts)
    return Report(
        injected=judge_events(county.happenings, alerts, START),
        alerts=count_alerts(county.happenings, alerts, START),
        incidents=_counted(account.incidents_by_state),
        tasks=_counted(account.tasks_by_state),
        pages=Pages(
            total=sum(account.pages_by_state.values()),
            by_channel=account.pages_by_channel,
            by_state=account.pages_by_state,
            repeated=account.repeated_pages,
        ),
        escalations=account.escalations,
        escalations_by_level=handling.escalations,
        refusals=sum(refusals.values()),
        arbitrations=Arbitrations(
            decided=sum(refusals.get(outcome, 0) for outcome in DECIDED),
            by_outcome={outcome.value: refusals.get(outcome, 0) for outcome in PleaOutcome},
        ),
        pleas=handling.pleas,
        hand_overs=handling.hand_overs,
        reports=handling.reports,
        burden=burden,
        inputs=Inputs(
            accepted=inputs.accepted,
            processed=inputs.processed,
            rejected=inputs.rejected,
            lost=inputs.lost,
        ),
        readings_per_second=round(accepted.readings_per_second, 1),
        latency_ms={
            "alert_p50": account.alert_latency_ms.p50,
            "alert_p99": account.alert_latency_ms.p99,
            "page_p50": account.page_latency_ms.p50,
            "page_p99": account.page_latency_ms.p99,
        },
        restarts=restarts,
        seconds={name: round(value, 1) for name, value in seconds.items()},
    )


def _counted(by_state: dict[str, int]) -> Counted:
    return Counted(total=sum(by_state.values()), by_state=by_state)
