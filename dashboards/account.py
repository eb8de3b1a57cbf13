"""The page of one's own account (我的账号): password, second factors, sessions."""

import asyncio
import math

from aiohttp import web
from argon2 import PasswordHasher

from dashboards.events import HUB
from dashboards.gate import GATE, PASSWORDS, begin_step
from dashboards.keys import LANGUAGE, SESSION, VIEWER, store_of
from dashboards.problems import in_language
from dashboards.render import page
from dashboards.review import words_for
from dashboards.steps import proved_by
from dashboards.texts import catalogue, say
from responders.sign_in import WINDOW_SECONDS, Need, Way, code_limits, password_faults
from responders.store.sign_ins import Step


async def show_account(request: web.Request) -> web.Response:
    """Show how the viewer signs in, and where he is signed in."""
    return await _page(request)


async def _page(request: web.Request, *, status: int = 200, faults: tuple[str, ...] = ()) -> web.Response:
    viewer, store, gate = request[VIEWER], store_of(request).sign_ins, request.app[GATE]
    facts = await store.facts(viewer.user)
    names = catalogue()[request[LANGUAGE]]
    done = request.query.get("done", "")
    return page(
        request,
        "account.html",
        status=status,
        viewer=viewer,
        script="account",
        faults=faults,
        facts=facts,
        required=viewer.role.value in gate.settings.second_factor,
        can_enrol=gate.keys is not None,
        recovery_left=await store.recovery_left(viewer.user),
        passkeys=await store_of(request).passkeys.of(viewer.user),
        sessions=await store.own_sessions(viewer.user),
        here=request[SESSION],
        done=done if f"account_done.{done}" in names else "",
        **words_for(request[LANGUAGE]),
    )


async def _too_many(request: web.Request) -> tuple[str, ...]:
    """Count an attempt to prove oneself; answers what to tell when there were too many."""
    store = store_of(request).sign_ins
    wait = await store.begin_attempt(code_limits(request[VIEWER].user), WINDOW_SECONDS)
    if not wait:
        return ()
    return (say(request[LANGUAGE])("sign_in.too_many", minutes=math.ceil(wait / 60)),)


async def change_password(request: web.Request) -> web.Response:
    """Change one's own password, which ends all other sessions."""
    viewer, form = request[VIEWER], await request.post()
    present, password, again = (str(form.get(name, ""))[:1000] for name in ("present", "password", "again"))
    if told := await _too_many(request):
        return await _page(request, status=429, faults=told)
    user = await store_of(request).credentials(viewer.login)
    if not await request.app[PASSWORDS].verify(user.password_hash if user else None, present):
        return await _page(request, status=401, faults=(say(request[LANGUAGE])("account.wrong_password"),))
    found = password_faults(password, again, viewer.login)
    faults = tuple(in_language(fault.reason, request[LANGUAGE]) for fault in found)
    if not faults and password == present:
        faults = (say(request[LANGUAGE])("sign_in.same_password"),)
    if faults:
        return await _page(request, status=400, faults=faults)
    hashed = await asyncio.to_thread(PasswordHasher().hash, password)
    ended = await store_of(request).sign_ins.choose_password(viewer.user, hashed, request[SESSION])
    _cut(request, ended)
    raise web.HTTPSeeOther("/account?done=password")


async def begin_factor(request: web.Request) -> web.Response:
    """Begin to set up an authenticator; who is signed in has proved himself."""
    viewer, gate = request[VIEWER], request.app[GATE]
    if gate.keys is None:
        raise web.HTTPNotFound
    redirect = web.HTTPSeeOther("/sign-in/enrol")
    detail = {"way": Way.PASSWORD.value, "goal": "/account?done=factor", "proved": True}
    await begin_step(request, redirect, Need.ENROL.value, viewer.user, detail)
    raise redirect


async def remove_factor(request: web.Request) -> web.Response:
    """Remove one's own authenticator by a code of it; not where the role must have one."""
    viewer, tell = request[VIEWER], say(request[LANGUAGE])
    text = str((await request.post()).get("code", ""))[:80]
    if viewer.role.value in request.app[GATE].settings.second_factor:
        return await _page(request, status=403, faults=(tell("account.must_have"),))
    if told := await _too_many(request):
        return await _page(request, status=429, faults=told)
    step = Step(kind="", user_id=viewer.user, login=viewer.login, display=viewer.display, detail={})
    if await proved_by(request, step, text) is None:
        return await _page(request, status=401, faults=(tell("sign_in.wrong_code"),))
    await store_of(request).sign_ins.drop_secret(viewer)
    raise web.HTTPSeeOther("/account?done=factor_removed")


async def end_others(request: web.Request) -> web.Response:
    """End all sessions of the viewer's but this one."""
    await request.post()
    ended = await store_of(request).sign_ins.end_others(request[VIEWER].user, request[SESSION])
    _cut(request, ended)
    raise web.HTTPSeeOther("/account?done=ended")


def _cut(request: web.Request, tokens: tuple[str, ...]) -> None:
    for token in tokens:
        request.app[HUB].end_streams(token)
