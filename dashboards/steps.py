"""Steps of a sign-in after the first proof: a code, a password of one's own, an authenticator to set up."""

import asyncio
import math
import time

from aiohttp import web
from argon2 import PasswordHasher

from dashboards.gate import GATE, PASSWORDS, begin_step, finish_step, go_on, step_of
from dashboards.keys import LANGUAGE, store_of
from dashboards.metrics import SIGN_INS
from dashboards.problems import in_language
from dashboards.render import page
from dashboards.texts import say
from domain.errors import InvalidInput
from responders.factors import FactorKeys, make_secret, qr_of
from responders.sign_in import (
    WINDOW_SECONDS,
    Need,
    Way,
    code_limits,
    make_recovery_codes,
    matching_step,
    password_faults,
    read_recovery_code,
)
from responders.store.sign_ins import Step

READY = "ready"
"""An authenticator is set up; its recovery codes are being written down."""


def _page(
    request: web.Request, template: str, step: Step, *, status: int = 200, **values: object
) -> web.Response:
    return page(request, template, status=status, step=step, **{"fault": "", **values})


def _keys(request: web.Request) -> FactorKeys:
    keys = request.app[GATE].keys
    if keys is None:
        raise web.HTTPNotFound
    return keys


async def show_code(request: web.Request) -> web.Response:
    """Ask for a code."""
    return await _code_page(request, await step_of(request, Need.CODE.value))


async def _code_page(request: web.Request, step: Step, fault: str = "", status: int = 200) -> web.Response:
    facts = None if step.user_id is None else await store_of(request).sign_ins.facts(step.user_id)
    if facts is None:
        raise web.HTTPSeeOther("/sign-in")
    return _page(
        request,
        "sign_in_code.html",
        step,
        status=status,
        fault=fault,
        has_code=facts.has_code,
        has_passkey=facts.passkeys > 0,
    )


async def take_code(request: web.Request) -> web.Response:
    """Check a code of the authenticator, or a recovery code; each counts once."""
    step = await step_of(request, Need.CODE.value)
    if step.user_id is None:
        raise web.HTTPSeeOther("/sign-in")
    text = str((await request.post()).get("code", ""))[:80]
    tell = say(request[LANGUAGE])
    wait = await store_of(request).sign_ins.begin_attempt(code_limits(step.user_id), WINDOW_SECONDS)
    if wait:
        SIGN_INS.labels("limited").inc()
        fault = tell("sign_in.too_many", minutes=math.ceil(wait / 60))
        answer = await _code_page(request, step, fault, 429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    way = await proved_by(request, step, text)
    if way is None:
        SIGN_INS.labels("wrong_code").inc()
        return await _code_page(request, step, tell("sign_in.wrong_code"), 401)
    for key in code_limits(step.user_id):
        await store_of(request).sign_ins.forgive(key)
    await finish_step(request)
    first = Way(step.detail["way"])
    return await go_on(
        request, step.user_id, way if first is Way.PASSWORD else first, step.detail["goal"], proved=True
    )


async def proved_by(request: web.Request, step: Step, text: str) -> Way | None:
    """Say which second factor a text proves, and use it up; None when it proves nothing."""
    store, keys = store_of(request).sign_ins, request.app[GATE].keys
    if keys is None or step.user_id is None:
        return None
    kept = await store.secret(step.user_id)
    if kept is not None and kept.confirmed:
        try:
            secret = keys.open_sealed(kept.sealed, step.user_id)
        except InvalidInput:  # the key was changed: nobody can show a code, an administrator resets
            return None
        period = matching_step(secret, text, time.time(), kept.last_step)
        if period is not None and await store.take_code(step.user_id, period):
            return Way.CODE
    code = read_recovery_code(text)
    if code is not None and await store.take_recovery(step.user_id, keys.digest(code, step.user_id)):
        return Way.RECOVERY
    return None


async def show_password(request: web.Request) -> web.Response:
    """Ask for a password of one's own instead of the one that was given."""
    step = await step_of(request, Need.PASSWORD.value)
    return _page(request, "sign_in_password.html", step, faults=[])


async def take_password(request: web.Request) -> web.Response:
    """Check and keep a password of one's own."""
    step = await step_of(request, Need.PASSWORD.value)
    if step.user_id is None:
        raise web.HTTPSeeOther("/sign-in")
    form = await request.post()
    password, again = (str(form.get(name, ""))[:1000] for name in ("password", "again"))
    faults = [
        in_language(fault.reason, request[LANGUAGE]) for fault in password_faults(password, again, step.login)
    ]
    user = await store_of(request).credentials(step.login)
    if not faults and user is not None and await request.app[PASSWORDS].verify(user.password_hash, password):
        faults = [say(request[LANGUAGE])("sign_in.same_password")]
    if faults:
        return _page(request, "sign_in_password.html", step, status=400, faults=faults)
    hashed = await asyncio.to_thread(PasswordHasher().hash, password)
    await finish_step(request)
    await store_of(request).sign_ins.choose_password(step.user_id, hashed)
    way = Way(step.detail["way"])
    return await go_on(request, step.user_id, way, step.detail["goal"], proved=step.detail["proved"])


async def show_enrol(request: web.Request) -> web.Response:
    """Show the secret of a new authenticator: as a QR code, and to be typed."""
    step = await step_of(request, Need.ENROL.value)
    return _page(request, "sign_in_enrol.html", step, secret=spaced(await offered(request, step)))


def spaced(secret: str) -> str:
    """Write a secret in groups of four, as people type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


async def offered(request: web.Request, step: Step) -> str:
    """Find the secret that is being set up, or draw one; the same until a first code confirms it."""
    store, keys = store_of(request).sign_ins, _keys(request)
    if step.user_id is None:
        raise web.HTTPSeeOther("/sign-in")
    kept = await store.secret(step.user_id)
    if kept is not None and kept.confirmed:
        raise web.HTTPSeeOther("/sign-in")
    if kept is None:
        await store.offer_secret(step.user_id, keys.seal(make_secret(), step.user_id))
        kept = await store.secret(step.user_id)
    if kept is None:
        raise web.HTTPSeeOther("/sign-in")
    return keys.open_sealed(kept.sealed, step.user_id)


async def show_qr(request: web.Request) -> web.Response:
    """Draw the QR code of the authenticator that is being set up."""
    step = await step_of(request, Need.ENROL.value)
    drawn = qr_of(await offered(request, step), step.login)
    return web.Response(body=drawn, content_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def take_enrol(request: web.Request) -> web.Response:
    """Put the authenticator in force by its first code, and show recovery codes once."""
    step = await step_of(request, Need.ENROL.value)
    secret = await offered(request, step)
    if step.user_id is None:
        raise web.HTTPSeeOther("/sign-in")
    text = str((await request.post()).get("code", ""))[:80]
    period = matching_step(secret, text, time.time(), 0)
    if period is None:
        fault = say(request[LANGUAGE])("sign_in.wrong_code")
        return _page(request, "sign_in_enrol.html", step, status=401, fault=fault, secret=spaced(secret))
    codes = make_recovery_codes()
    keys, store = _keys(request), store_of(request).sign_ins
    digests = [keys.digest(code, step.user_id) for code in codes]
    if not await store.confirm_secret(step.user_id, period, digests):
        raise web.HTTPSeeOther("/sign-in")
    await finish_step(request)
    shown = _page(request, "sign_in_recovery.html", step, codes=[f"{code[:5]}-{code[5:]}" for code in codes])
    await begin_step(request, shown, READY, step.user_id, step.detail)
    return shown


async def continue_from(request: web.Request) -> web.Response:
    """Go on after the recovery codes were written down."""
    step = await step_of(request, READY)
    if step.user_id is None:
        raise web.HTTPSeeOther("/sign-in")
    await finish_step(request)
    way = Way(step.detail["way"])
    shown = Way.CODE if way is Way.PASSWORD else way
    return await go_on(request, step.user_id, shown, step.detail["goal"], proved=True)
