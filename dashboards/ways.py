"""What the console knows of the ways to persons: the keys of links, the services that call back, what they must show."""

import hmac
from dataclasses import dataclass
from typing import Self

from aiohttp import hdrs, web

from config.data import Data
from config.services import Service, WebPush, secrets_of
from config.settings import ServiceSecrets, Settings
from dashboards.attempts import Attempts
from dashboards.problems import Problem, Refused
from responders.channels import services_of
from responders.contacts import Keyring, read_keyring


@dataclass(frozen=True, slots=True)
class Ways:
    """Keys and services; without a contact key there are neither links nor codes nor subscriptions."""

    keys: Keyring | None
    services: dict[str, Service]
    secrets: dict[str, ServiceSecrets]

    @classmethod
    def of(cls, settings: Settings, data: Data) -> Self:
        """Read them; InvalidConfiguration when the contact key is not usable."""
        keys = read_keyring(settings.contact_key) if settings.contact_key else None
        return cls(keys, services_of(settings, data), settings.services)

    def secrets_of(self, service: Service) -> ServiceSecrets:
        """Find the secrets of a service."""
        return self.secrets.get(secrets_of(service.name), ServiceSecrets())

    def push(self, channel: str | None) -> WebPush | None:
        """Find the service for browsers: that of a name, else the first one."""
        pushes = [service for service in self.services.values() if isinstance(service, WebPush)]
        return next((service for service in pushes if channel in (None, service.name)), None)


WAYS = web.AppKey("ways", Ways)
CALLERS = web.AppKey("callers", Attempts)
"""Wrong tokens of services that call back, by address."""
LINKS = web.AppKey("links", Attempts)
"""Links that are none, by address."""
FLOODS = web.AppKey("floods", Attempts)
"""Replies by service: a load that this process can bear. What each number may send is counted in the database."""
PER_SERVICE = 5_000
"""Replies over one service within five minutes, when a whole county answers at once."""


def add_ways(app: web.Application, settings: Settings, data: Data) -> None:
    """Put the ways and the counts of attempts into the application."""
    app[WAYS] = Ways.of(settings, data)
    app[CALLERS], app[LINKS] = Attempts(), Attempts()
    app[FLOODS] = Attempts(per_address=PER_SERVICE)


def caller_of(request: web.Request) -> Service:
    """Find the service that calls, by the name in the address; it must show its token in a header, or in the query.

    The token may stand in the query since some providers let one set nothing but an address. 404 for a service that may
    not call, 401 for a wrong token, 429 after too many of these.
    """
    service = request.app[WAYS].services.get(request.match_info["service"])
    expected = "" if service is None else request.app[WAYS].secrets_of(service).callback.value
    if service is None or not expected or request.app[WAYS].keys is None:
        raise web.HTTPNotFound
    scheme, _, shown = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    token = shown.strip() if scheme.lower() == "bearer" else request.query.get("token", "")
    if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), expected.encode()):
        if wait := request.app[CALLERS].begin(service.name, request.remote or ""):
            raise Refused(Problem(429, "too_many", headers={"Retry-After": str(round(wait))}))
        challenge = {"WWW-Authenticate": 'Bearer realm="fenghuo-callback"'}
        raise Refused(Problem(401, "signed_out", headers=challenge))
    return service
