"""What a display on a wall may ask, and nothing else: it hangs where anybody may touch it."""

from aiohttp import web
from aiohttp.typedefs import Handler

from dashboards.keys import VIEWER
from dashboards.problems import wants_page
from domain.errors import NotAllowed
from responders.views import Role

WALL = "/wall"
READS = frozenset(
    {WALL, "/api/v1/command", "/api/v1/map", "/api/v1/events", "/api/v1/incidents", "/api/v1/session"}
)
"""All that the account of a display may read while it is signed in."""


def may_ask(method: str, path: str) -> bool:
    """Say whether an account of a display may ask this: nothing but to see the wall, or to sign out."""
    return path in READS if method in ("GET", "HEAD") else (method, path) == ("POST", "/sign-out")


@web.middleware
async def keep_to_wall(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lead the account of a display to its wall, whatever page it asks for; NotAllowed for anything else.

    Comes after the viewer is known. The store refuses its commands as well.
    """
    viewer = request.get(VIEWER)
    if viewer is None or viewer.role is not Role.DISPLAY or may_ask(request.method, request.path):
        return await handler(request)
    if request.method == "GET" and wants_page(request):
        raise web.HTTPSeeOther(WALL)
    raise NotAllowed("大屏账号只能查看大屏。 The account of a display sees the wall and nothing else.")
