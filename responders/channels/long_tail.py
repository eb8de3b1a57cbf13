"""Whatever apprise knows as a channel, as far as its plugin tells a failure (config.services.TELLS_FAILURE).

Apprise sends from threads, which cannot be cancelled: they are few, and each ends by the plugin's own timeouts. What it
says of a failure is only that there was one.
"""

import asyncio
import logging
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import apprise

from config.services import Apprise
from config.settings import ServiceSecrets
from domain.errors import Fault, InvalidConfiguration
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.asking import DELIVERED
from responders.channels.pace import Pace
from responders.channels.wording import one_line, word

THREADS = 4
LEAST_BODY, LEAST_TITLE = 120, 60
"""Characters that every page needs, whatever a plugin says it takes."""


class LongTailChannel:
    """Sends over one apprise address."""

    idempotent = False
    outside = True

    def __init__(
        self, service: Apprise, secrets: ServiceSecrets, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the service, its secrets and a steady clock; InvalidConfiguration when apprise cannot read the address."""
        self.name = service.name
        self._service = service
        self._pace = Pace(service.per_minute, steady)
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines name addresses and tokens
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # plugins load here
            plugin = apprise.Apprise.instantiate(secrets.url.value, suppress_exceptions=True)
        if not isinstance(plugin, apprise.NotifyBase):
            where = f"services.toml: {service.name}"
            raise InvalidConfiguration([Fault(where, "its URL is not one that apprise can read")])
        plugin.request_rate_per_sec = 0  # our own pace bounds it; apprise would sleep in its thread
        plugin.socket_connect_timeout = plugin.socket_read_timeout = service.timeout_seconds
        self._plugin = plugin
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"apprise-{service.name}")

    async def send(self, message: Message) -> Outcome:
        """Send a message; in a thread, waited for as long as the service is given."""
        if wait := self._pace.take():
            return Outcome(Result.RETRY, Cause.RATE_LIMITED, wait)
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._notify, message)
        try:
            sent = await asyncio.wait_for(running, self._service.timeout_seconds)
        except TimeoutError:
            return Outcome(Result.RETRY, Cause.TIMEOUT)
        return DELIVERED if sent else Outcome(Result.RETRY, Cause.UNREACHABLE)

    def _notify(self, message: Message) -> bool:
        plugin = self._plugin
        title = one_line(
            word(self._service.subject, message, max(plugin.title_maxlen or 0, LEAST_TITLE), len)
        )
        body = word(self._service.template, message, max(plugin.body_maxlen or 0, LEAST_BODY), len)
        try:
            return plugin.notify(body=body, title=title) is True
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # plugins of many hands
            return False

    def close(self) -> None:
        """Let the threads end; those that still wait for somebody end by their own timeouts."""
        self._threads.shutdown(wait=False, cancel_futures=True)
