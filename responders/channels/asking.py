"""Asking a service over HTTP: one POST or GET with its timeout, whatever may happen made an outcome."""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from responders.cases import Cause, Outcome, Result
from responders.channels.webhook import judge_status, read_body

DELIVERED = Outcome(Result.DELIVERED, Cause.ACCEPTED)
REJECTED = Outcome(Result.REFUSED, Cause.REJECTED)
NOT_AUTHORISED = Outcome(Result.REFUSED, Cause.NOT_AUTHORISED)
OUT_OF_SERVICE = Outcome(Result.REFUSED, Cause.OUT_OF_SERVICE)
UNKNOWN_RECIPIENT = Outcome(Result.REFUSED, Cause.UNKNOWN_RECIPIENT)
TRY_AGAIN = Outcome(Result.RETRY, Cause.SERVER_ERROR)
BAD_ANSWER = Outcome(Result.RETRY, Cause.BAD_ANSWER)


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str | URL,
    timeout_seconds: float,
    read: Callable[[bytes], Outcome | dict[str, Any]],
    *,
    json: Any = None,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    explains: bool = False,
) -> Outcome | dict[str, Any]:
    """Ask and have the body read; redirects are not followed. `explains`: the body of a 4xx tells what is wrong."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    try:
        async with session.request(
            method,
            url,
            json=json,
            data=data,
            headers=headers,
            params=params,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            bad = judge_status(response.status, response.headers.get("Retry-After"))
            if bad is not None and not (explains and bad.cause in (Cause.REJECTED, Cause.RATE_LIMITED)):
                return bad
            answer = read(await read_body(response))
            # What explains a 4xx may be a proxy's page: then the status alone is what there is.
            return bad if bad is not None and answer in (BAD_ANSWER, DELIVERED) else answer
    except TimeoutError:
        return Outcome(Result.RETRY, Cause.TIMEOUT)
    except aiohttp.ClientConnectorError:
        return Outcome(Result.RETRY, Cause.UNREACHABLE)
    except (aiohttp.ClientError, OSError):  # broken off: it may have been sent all the same
        return Outcome(Result.RETRY, Cause.BAD_ANSWER)


def read_object(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None for anything else, such as a proxy's page."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
