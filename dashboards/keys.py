"""What the console's parts find in the application and in a request, each under a typed key."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from config.data import Data
from config.settings import ConsoleSettings
from dashboards.texts import Language
from domain.errors import DatabaseUnavailable
from responders.cases import Rules
from responders.views import Viewer

if TYPE_CHECKING:
    from responders.store import Store


@dataclass(slots=True)
class Door:
    """The way to the store, shut while the database has not answered yet."""

    store: "Store | None" = None

    def opened(self) -> "Store":
        """Give the store; DatabaseUnavailable as long as there is none."""
        if self.store is None:
            raise DatabaseUnavailable
        return self.store


SETTINGS = web.AppKey("settings", ConsoleSettings)
DATA = web.AppKey("data", Data)
RULES = web.AppKey("rules", Rules)
DOOR = web.AppKey("door", Door)
STATIC = web.AppKey("static", str)
"""Address under which this release's files are served; it changes with their content."""

VIEWER = web.RequestKey("viewer", Viewer)
SESSION = web.RequestKey("session", str)
"""SHA-256 of the session's token: names the session in the store, opens nothing."""
LANGUAGE = web.RequestKey("language", Language)


def store_of(request: web.Request) -> "Store":
    """Give the store; DatabaseUnavailable while the database has not answered yet."""
    return request.app[DOOR].opened()
