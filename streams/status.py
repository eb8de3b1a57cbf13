"""Metrics and health of a process without a web server of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Health = Callable[[], str | None]
"""Says what is wrong, in words; None when nothing is."""


@asynccontextmanager
async def serve_status(host: str, port: int, health: Health) -> AsyncIterator[int]:
    """Serve /metrics, and /healthz (503 with the reason while something is wrong); yields the port taken."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(request: web.Request) -> web.Response:
        reason = health()
        body = {"status": "ok"} if reason is None else {"status": "unavailable", "reason": reason}
        return web.json_response(body, status=200 if reason is None else 503)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
