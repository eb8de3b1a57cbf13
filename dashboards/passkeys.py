"""Passkeys (Web Authentication, Level 2): added by who is signed in, and a sign-in by themselves: two factors in one.

The person is always verified by the device (PIN, finger, face), so that a passkey alone proves possession and knowledge
(NIST SP 800-63B, 3.1.6). They need HTTPS and a host name; on the machine itself plain HTTP will do.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from dashboards.gate import begin_attempt, begin_session, begin_step, finish_step, step_of
from dashboards.keys import VIEWER, store_of
from dashboards.metrics import SIGN_INS
from dashboards.problems import Problem, Refused
from dashboards.sessions import local_path
from domain.errors import Fault, InvalidInput
from responders.sign_in import Way

log = structlog.get_logger()

NEW, USE = "passkey_new", "passkey_use"
NAME = "烽火 Fenghuo"
MOST_NAME = 40
MOST_BODY = 16_384


def party_of(request: web.Request) -> tuple[str, str]:
    """Name whom the browser talks to: host and origin, as it states them; the origin was checked to be ours."""
    origin = request.headers.get(hdrs.ORIGIN, "")
    return urlsplit(origin).hostname or "", origin


async def begin_new(request: web.Request) -> web.Response:
    """Give what a browser needs to make a passkey for the viewer."""
    viewer, (host, _) = request[VIEWER], party_of(request)
    present = await store_of(request).passkeys.of(viewer.user)
    options = generate_registration_options(
        rp_id=host,
        rp_name=NAME,
        user_id=viewer.user.bytes,
        user_name=viewer.login,
        user_display_name=viewer.display,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.id) for one in present],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    answer = web.Response(text=options_to_json(options), content_type="application/json")
    await begin_step(request, answer, NEW, viewer.user, {"challenge": options.challenge.hex()})
    return answer


async def add(request: web.Request) -> web.Response:
    """Keep the passkey that the browser has made."""
    viewer, (host, origin), body = request[VIEWER], party_of(request), await _body_of(request)
    step = await _step(request, NEW)
    if step.user_id != viewer.user:
        raise Refused(Problem(401, "signed_out"))
    await finish_step(request)
    try:
        verified = verify_registration_response(
            credential=body["credential"],
            expected_challenge=bytes.fromhex(step.detail["challenge"]),
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise _refused(error) from error
    name = str(body.get("name") or "").strip()[:MOST_NAME] or "–"
    await store_of(request).passkeys.add(
        viewer, verified.credential_id, verified.credential_public_key, verified.sign_count, name
    )
    return web.json_response({"goal": "/account?done=passkey_added"}, status=201)


async def remove(request: web.Request) -> web.Response:
    """Remove a passkey of the viewer's."""
    form = await request.post()
    try:
        identity = bytes.fromhex(str(form.get("id", "")))
    except ValueError as error:
        raise InvalidInput([Fault("id", "is no passkey")]) from error
    await store_of(request).passkeys.remove(request[VIEWER], identity)
    raise web.HTTPSeeOther("/account?done=passkey_removed")


async def begin_use(request: web.Request) -> web.Response:
    """Give what a browser needs to sign in with a passkey; which account it is, the passkey itself tells."""
    host, _ = party_of(request)
    body = await _body_of(request)
    options = generate_authentication_options(
        rp_id=host, user_verification=UserVerificationRequirement.REQUIRED
    )
    answer = web.Response(text=options_to_json(options), content_type="application/json")
    detail = {"challenge": options.challenge.hex(), "goal": local_path(str(body.get("next") or "/")[:1000])}
    await begin_step(request, answer, USE, None, detail)
    return answer


async def use(request: web.Request) -> web.Response:
    """Sign in with a passkey."""
    (host, origin), body = party_of(request), await _body_of(request)
    step = await _step(request, USE)
    if wait := await begin_attempt(request, ""):
        raise Refused(Problem(429, "too_many", headers={"Retry-After": str(round(wait))}))
    await finish_step(request)
    store = store_of(request).passkeys
    try:
        found = await store.find(base64url_to_bytes(str(body["credential"].get("id") or "")))
    except ValueError as error:
        raise InvalidInput([Fault("credential", "is no passkey")]) from error
    if found is None:
        raise _refused(None)
    try:
        verified = verify_authentication_response(
            credential=body["credential"],
            expected_challenge=bytes.fromhex(step.detail["challenge"]),
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=found.public_key,
            credential_current_sign_count=found.sign_count,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise _refused(error) from error
    await store.use(found.id, verified.new_sign_count)
    answer = web.json_response({"goal": step.detail["goal"]})
    await begin_session(request, answer, found.user_id, Way.PASSKEY)
    return answer


def _refused(error: Exception | None) -> Refused:
    SIGN_INS.labels("wrong_passkey").inc()
    log.info("passkey_refused", error="unknown" if error is None else type(error).__name__)
    return Refused(Problem(403, "passkey"))


async def _step(request: web.Request, kind: str) -> Any:
    """Find the step; a program is told that it has ended instead of being led to a page."""
    try:
        return await step_of(request, kind)
    except web.HTTPSeeOther:
        raise Refused(Problem(401, "signed_out")) from None


async def _body_of(request: web.Request) -> dict[str, Any]:
    """Read an object, in which a credential is an object too."""
    if request.content_type != "application/json":
        raise Refused(Problem(415, "wrong_type"))
    text = (await request.text())[:MOST_BODY]
    try:
        body = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidInput([Fault("body", "is not JSON")]) from error
    if not isinstance(body, dict) or not isinstance(body.get("credential", {}), dict):
        raise InvalidInput([Fault("credential", "must be an object")])
    return {"credential": {}, **body}
