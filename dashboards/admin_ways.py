"""Pages of the ways to reach people: channels, each with a test; contacts, which are kept sealed and shown to nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from config.data import Data
from config.services import ContactKind
from config.settings import Settings
from dashboards.admin import administrator, show
from dashboards.api import form_of
from dashboards.keys import DATA, LANGUAGE, store_of
from dashboards.texts import say
from dashboards.ways import WAYS
from domain.errors import Fault, InvalidConfiguration, InvalidInput, NotFound
from responders.admin_record import AdminKind
from responders.cases import Outcome
from responders.channels.trial import rows_of, send_trial
from responders.contacts import read_contact
from responders.sign_in import WINDOW_SECONDS

TESTS_AT_ONCE = 10
"""Test messages of one administrator within five minutes: an SMS costs money, and somebody's phone rings."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What sending a test needs: all settings, since channels have their secrets in several places."""

    settings: Settings
    data: Data


TRIAL = web.AppKey("trial", Trial)


async def show_channels(request: web.Request) -> web.Response:
    """List channels."""
    return await _channels_page(request)


async def test_channel(request: web.Request) -> web.Response:
    """Send a marked test message to an account, and tell what became of it."""
    viewer, form, store = administrator(request), await form_of(request), store_of(request)
    name, login = request.match_info["channel"], form.get("login", "")
    row = await store.administration.account(viewer, login)
    wait = await store.sign_ins.begin_attempt({f"trial\x1f{viewer.user}": TESTS_AT_ONCE}, WINDOW_SECONDS)
    if wait:
        fault = say(request[LANGUAGE])("problem.too_many_detail")
        return await _channels_page(request, status=429, faults=(Fault("login", fault),), tested=name)
    trial = request.app[TRIAL]
    try:
        outcome = await send_trial(trial.settings, trial.data, store, name, login)
    except InvalidConfiguration as error:
        return await _channels_page(request, status=409, faults=error.faults, tested=name)
    detail = {"result": outcome.result.value, "cause": outcome.cause.value}
    await store.administration.note(viewer, AdminKind.CHANNEL_TESTED, login, name, detail)
    return await _channels_page(request, outcome=outcome, tested=name, to=row.display)


async def _channels_page(
    request: web.Request,
    *,
    status: int = 200,
    faults: tuple[Fault, ...] = (),
    outcome: Outcome | None = None,
    tested: str = "",
    to: str = "",
) -> web.Response:
    viewer, trial = administrator(request), request.app[TRIAL]
    accounts = [one for one in await store_of(request).administration.accounts(viewer) if not one.disabled]
    rows = rows_of(trial.settings, trial.data)
    return show(
        request,
        "admin_channels.html",
        status=status,
        rows=rows,
        accounts=accounts,
        users={row["channel"]: sum(row["channel"] in one.channels for one in accounts) for row in rows},
        policies=_named_by(request.app[DATA], [row["channel"] for row in rows]),
        faults=faults,
        outcome=outcome,
        tested=tested,
        to=to,
    )


def _named_by(data: Data, names: list[str]) -> Mapping[str, list[str]]:
    """Name the policies that page over each channel."""
    return {
        name: [policy.slug for policy in data.policies if any(name in step.channels for step in policy.steps)]
        for name in names
    }


async def show_contacts(request: web.Request) -> web.Response:
    """List who is reached over which channels, without how."""
    return await _contacts_page(request)


async def set_contact(request: web.Request) -> web.Response:
    """Put a contact down in place of an earlier one; it is sealed at once and shown to nobody."""
    viewer, form, store = administrator(request), await form_of(request), store_of(request)
    row = await store.administration.account(viewer, form.get("login", ""))
    name, ways = form.get("channel", ""), request.app[WAYS]
    service = ways.services.get(name)
    faults = []
    if ways.keys is None:
        faults.append(Fault("channel", "未配置 FENGHUO_CONTACT_KEY。 FENGHUO_CONTACT_KEY is not set"))
    if service is None or service.contact in (None, ContactKind.PUSH):
        faults.append(Fault("channel", "此渠道不需要登记联系方式。 this channel takes no contact"))
    if faults or service is None or service.contact is None or ways.keys is None:
        return await _contacts_page(request, status=400, faults=tuple(faults))
    try:
        clear = read_contact(service.contact, form.get("contact", "")[:2000])
    except InvalidInput as error:
        return await _contacts_page(request, status=400, faults=error.faults)
    digest, sealed = ways.keys.digest(name, clear), ways.keys.seal(clear, row.id, name)
    await store.contacts.put(row.id, name, digest, sealed)
    await store.administration.note(viewer, AdminKind.CONTACT_SET, row.login, name)
    raise web.HTTPSeeOther("/admin/contacts?done=contact_set")


async def remove_contact(request: web.Request) -> web.Response:
    """Show what an account is reached by without a contact, and on confirmation remove it; not its last way."""
    viewer, form, store = administrator(request), await form_of(request), store_of(request)
    row = await store.administration.account(viewer, form.get("login", ""))
    name = form.get("channel", "")
    if name not in row.contacts:
        raise NotFound("没有这个联系方式。 There is no such contact.")
    left = [one for one in row.channels if one != name and (one in row.contacts or not _needs(request, one))]
    if not left:
        fault = Fault(
            "channels", "这是通知该账号的最后途径。 it is the last way by which the account is reached"
        )
        return await _contacts_page(request, status=409, faults=(fault,))
    if form.get("step") != "confirm":
        return await _contacts_page(request, removal=(row, name, left))
    await store.contacts.remove(row.id, name)
    await store.administration.note(viewer, AdminKind.CONTACT_REMOVED, row.login, name)
    raise web.HTTPSeeOther("/admin/contacts?done=contact_removed")


def _needs(request: web.Request, channel: str) -> bool:
    """Say whether a channel reaches a person by a contact."""
    service = request.app[WAYS].services.get(channel)
    return service is not None and service.contact is not None


async def _contacts_page(request: web.Request, *, status: int = 200, **values: Any) -> web.Response:
    viewer = administrator(request)
    accounts = await store_of(request).administration.accounts(viewer)
    own = {one.login for one in accounts}
    rows = [row for row in await store_of(request).contacts.list() if row.login in own]
    takes = [
        name
        for name, service in request.app[WAYS].services.items()
        if service.contact not in (None, ContactKind.PUSH)
    ]
    return show(
        request,
        "admin_contacts.html",
        status=status,
        rows=[(row.login, row.display, row.channel, row.set_at) for row in rows],
        accounts=[one for one in accounts if not one.disabled],
        takes=takes,
        **{"faults": (), "removal": None, **values},
    )
