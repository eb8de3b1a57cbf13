"""Pages of administration (系统管理): accounts; each change is shown first with whom it affects, or refused with the gap."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from argon2 import PasswordHasher

from dashboards.api import form_of, uuid_in
from dashboards.events import HUB
from dashboards.keys import DATA, LANGUAGE, RULES, VIEWER, store_of
from dashboards.problems import in_language
from dashboards.render import page
from dashboards.review import words_for
from dashboards.texts import catalogue, say
from domain.decode import convert
from domain.errors import Fault, InvalidInput, NotAllowed
from responders.accounts import AccountWish, Effect, Preview
from responders.store.accounts import AccountRow, Choices
from responders.views import Role, Viewer

PASSWORD_BYTES = 9
"""12 characters that somebody reads off a screen and types once."""


def administrator(request: web.Request) -> Viewer:
    """Give the viewer; NotAllowed for whoever is no administrator, before anything is read. The store checks it again."""
    viewer = request[VIEWER]
    if viewer.role is not Role.ADMIN:
        raise NotAllowed("此页面供系统管理员使用。 This page is for administrators.")
    return viewer


def show(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """Answer with a page of administration; `key` makes a form that is sent twice count once."""
    names = catalogue()[request[LANGUAGE]]
    return page(
        request,
        template,
        status=status,
        viewer=request[VIEWER],
        key=uuid4(),
        script="",
        section=template.removeprefix("admin_").removesuffix(".html"),
        sentence=lambda text: in_language(text, request[LANGUAGE]),
        field_name=lambda field: names.get(f"admin_field.{field}", field),
        done=known_done(request.query.get("done", ""), names),
        **words_for(request[LANGUAGE]),
        **values,
    )


def known_done(code: str, names: Mapping[str, str]) -> str:
    """Take what an address says was done, if there are words for it."""
    return code if f"admin_done.{code}" in names else ""


def choices_of(request: web.Request) -> Choices:
    """Name the posts and channels that an account may have."""
    posts = {duty.post for duty in request.app[DATA].duties}
    return Choices(posts=frozenset({"", "leader", *posts}), channels=frozenset(request.app[RULES].channels))


async def show_overview(request: web.Request) -> web.Response:
    """Show what there is to administer, and how much of it."""
    viewer, store = administrator(request), store_of(request)
    accounts = await store.administration.accounts(viewer)
    counts = {
        "accounts": sum(not one.disabled for one in accounts),
        "sessions": len(await store.administration.sessions(viewer)),
        "areas": sum(one.code.startswith(viewer.area) for one in await store.areas()),
        "duties": len(request.app[DATA].duties),
        "policies": len(request.app[DATA].policies),
        "channels": len(request.app[RULES].channels),
    }
    return show(request, "admin_overview.html", counts=counts)


async def show_accounts(request: web.Request) -> web.Response:
    """List accounts."""
    accounts = await store_of(request).administration.accounts(administrator(request))
    return show(request, "admin_accounts.html", accounts=accounts)


async def show_new_account(request: web.Request) -> web.Response:
    """Show the form for a new account."""
    viewer = administrator(request)
    values = {
        "login": "",
        "display": "",
        "role": Role.OFFICER.value,
        "area": viewer.area,
        "post": "",
        "channels": "console",
    }
    return await _account_page(request, None, values)


async def show_account(request: web.Request) -> web.Response:
    """Show an account with the form that changes it."""
    row = await store_of(request).administration.account(administrator(request), request.match_info["login"])
    return await _account_page(request, row, _values_of(row))


async def create_account(request: web.Request) -> web.Response:
    """Show what a new account means, and on confirmation create it and tell its first password."""
    administrator(request)
    return await _change(request, None)


async def change_account(request: web.Request) -> web.Response:
    """Show what a change means, and on confirmation make it."""
    row = await store_of(request).administration.account(administrator(request), request.match_info["login"])
    return await _change(request, row)


async def _change(request: web.Request, row: AccountRow | None) -> web.Response:
    viewer, form, store = request[VIEWER], await form_of(request), store_of(request).administration
    fields = ("login", "display", "role", "area", "post", "channels")
    values = {name: form.get(name, "").strip() for name in fields}
    if row is not None:
        values["login"] = row.login
    if form.get("disabled"):
        values["disabled"] = "on"
    create = row is None
    try:
        wish = _wish_of(values)
        planned = await store.plan_account(viewer, wish, choices_of(request), create=create)
    except InvalidInput as error:
        return await _account_page(request, row, values, faults=error.faults, status=400)
    if planned.faults or planned.same or form.get("step") != "confirm":
        status = 409 if planned.faults else 200
        return await _account_page(
            request, row, values, planned=planned, faults=planned.faults, status=status
        )
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    hashed = await asyncio.to_thread(PasswordHasher().hash, password) if create else ""
    ended = await store.put_account(
        viewer, wish, choices_of(request), UUID(form["key"]), create=create, password_hash=hashed
    )
    _cut(request, ended.sessions)
    if not create:
        raise web.HTTPSeeOther(f"/admin/accounts/{wish.login}?done=changed")
    if not (await store.account(viewer, wish.login)).password_given:
        raise web.HTTPSeeOther(f"/admin/accounts/{wish.login}")
    return show(request, "admin_password.html", login=wish.login, display=wish.display, password=password)


def _wish_of(values: dict[str, str]) -> AccountWish:
    channels = [name.strip() for name in values["channels"].replace("，", ",").split(",") if name.strip()]
    fields = {name: values[name] for name in ("login", "display", "role", "area", "post")}
    return convert(AccountWish, {**fields, "channels": channels, "disabled": "disabled" in values})


def _values_of(row: AccountRow) -> dict[str, str]:
    wish = row.wish()
    values = {name: str(getattr(wish, name)) for name in ("login", "display", "area", "post")}
    values |= {"role": wish.role.value, "channels": ", ".join(wish.channels)}
    return values | ({"disabled": "on"} if wish.disabled else {})


async def _account_page(
    request: web.Request,
    row: AccountRow | None,
    values: dict[str, str],
    *,
    planned: Preview | None = None,
    faults: tuple[Fault, ...] = (),
    status: int = 200,
) -> web.Response:
    viewer, choices = request[VIEWER], choices_of(request)
    areas = [area for area in await store_of(request).areas() if area.code.startswith(viewer.area)]
    return show(
        request,
        "admin_account.html",
        status=status,
        row=row,
        values=values,
        planned=planned,
        effects=[] if planned is None else [told(request, effect) for effect in planned.effects],
        faults=faults,
        roles=list(Role),
        post_choices=sorted(choices.posts),
        channel_choices=", ".join(sorted(choices.channels)),
        areas=areas,
    )


def told(request: web.Request, effect: Effect) -> str:
    """Say a consequence in the reader's language."""
    tell = say(request[LANGUAGE])
    names = [tell("effect.everywhere") if name == "*" else name for name in effect.names]
    return tell(f"effect.{effect.code}", n=effect.count, names="、".join(names) or "–")


async def give_password(request: web.Request) -> web.Response:
    """Give an account a password for one sign-in, and show it once."""
    viewer, form, login = administrator(request), await form_of(request), request.match_info["login"]
    row = await store_of(request).administration.account(viewer, login)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    hashed = await asyncio.to_thread(PasswordHasher().hash, password)
    _cut(
        request,
        await store_of(request).administration.give_password(viewer, login, hashed, UUID(form["key"])),
    )
    return show(request, "admin_password.html", login=login, display=row.display, password=password)


async def reset_factors(request: web.Request) -> web.Response:
    """Forget an account's second factors."""
    viewer, form, login = administrator(request), await form_of(request), request.match_info["login"]
    ended = await store_of(request).administration.reset_factors(viewer, login, UUID(form["key"]))
    _cut(request, ended)
    raise web.HTTPSeeOther(f"/admin/accounts/{login}?done=factors")


async def show_sessions(request: web.Request) -> web.Response:
    """List live sessions."""
    sessions = await store_of(request).administration.sessions(administrator(request))
    return show(request, "admin_sessions.html", sessions=sessions)


async def end_session(request: web.Request) -> web.Response:
    """End a session here and everywhere."""
    viewer = administrator(request)
    await form_of(request)
    token = await store_of(request).administration.end_session(viewer, uuid_in(request, "session"))
    _cut(request, (token,))
    raise web.HTTPSeeOther("/admin/sessions?done=ended")


def _cut(request: web.Request, tokens: tuple[str, ...]) -> None:
    """End the live streams of sessions that have ended; those at other processes end when they are next looked at."""
    for token in tokens:
        request.app[HUB].end_streams(token)
