"""The field app as files: the page, its service worker, its manifest and its texts, for when there is no network.

All that lies under /field/app/ is the same for everybody and can be had without signing in; what is somebody's own comes
over the API (field.py). The worker's text names this release and every file that the page needs, so that a browser which has
an older release's worker sees that there is a newer one.
"""

import re
from functools import cache
from pathlib import Path

import msgspec
from aiohttp import web

from dashboards.keys import DATA, LANGUAGE, STATIC, VIEWER
from dashboards.render import render
from dashboards.texts import Language, catalogue, language_named, say, texts_version
from responders.views import Role

STATIC_FOLDER = Path(__file__).parent / "static"
ENTRY, WORKER = "field.js", "field-worker.js"
ASIDE = ("console.css", "field.css", "beacon.svg", "field-192.png")
"""What the page needs beside its modules."""
SECTIONS = ("app", "field", "level", "task_state", "act")
"""The sections of the catalogue that the app tells; the rest of it would be most of the first load."""
RELEASE = 'const RELEASE = { version: "", shells: {}, files: [] };'
"""Stands in the worker's text for what `worker_of` writes there."""
_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?["'](\.{1,2}/[\w./-]+\.js)["']""")
_WITHIN = re.compile(r"""(\bfrom\s*["'])\./""")
FRESH = {"Cache-Control": "no-cache"}
"""A browser may keep these and asks each time whether they are still the newest."""


@cache
def modules(entry: str = ENTRY) -> tuple[str, ...]:
    """List a script and all that it imports, by their names under `static/`; FileNotFoundError names what is missing."""
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        text = (STATIC_FOLDER / name).read_text(encoding="utf-8")
        folder = Path(name).parent
        waiting += [str((folder / path).as_posix()).replace("./", "") for path in _IMPORT.findall(text)]
    return tuple(found)


def texts_path(language: Language, version: str) -> str:
    """Name where the app's texts are; the address changes with their content."""
    return f"/field/app/texts-{language.value}.json?v={version}"


def shell_path(language: Language) -> str:
    """Name where the page itself is, as the worker keeps it."""
    return f"/field/app/shell-{language.value}.html"


def worker_of(static: str, version: str) -> str:
    """Write the worker's script: imports point to this release's files, which it names all.

    `static` is where they are served, `version` that of the texts.
    """
    files = [f"{static}/{name}" for name in (*modules(), *modules(WORKER)[1:], *ASIDE)]
    files += [texts_path(language, version) for language in Language]
    release = {
        "version": f"{static.rpartition('/')[2]}-{version}",
        "shells": {language.value: shell_path(language) for language in Language},
        "files": list(dict.fromkeys(files)),
    }
    text = (STATIC_FOLDER / WORKER).read_text(encoding="utf-8")
    head, found, tail = text.partition(RELEASE)
    if not found:
        raise ValueError(f"{WORKER} lacks the line {RELEASE}")
    body = f"{head}const RELEASE = {msgspec.json.encode(release).decode()};{tail}"
    return _WITHIN.sub(rf"\1{static}/", body)


async def show_page(request: web.Request) -> web.Response:
    """Show the app; administrators have no cases and are led to the stations."""
    if request[VIEWER].role is Role.ADMIN:
        raise web.HTTPSeeOther("/registry")
    return _page(request, request[LANGUAGE])


async def show_shell(request: web.Request) -> web.Response:
    """Show the app as the worker keeps it."""
    return _page(request, _language_of(request))


def _page(request: web.Request, language: Language) -> web.Response:
    version = texts_version(request.app[DATA])
    request[LANGUAGE] = language
    text = render(
        request,
        "field.html",
        manifest=f"/field/app/manifest-{language.value}.webmanifest",
        field_texts=texts_path(language, version),
        modules=[name for name in modules() if name != ENTRY],
        switch_url=f"/field?lang={language.other.value}",
    )
    response = web.Response(text=text, content_type="text/html", headers=FRESH)
    response.enable_compression()
    return response


async def show_worker(request: web.Request) -> web.Response:
    """Give the service worker; it serves /field, which lies above its own address."""
    text = worker_of(request.app[STATIC], texts_version(request.app[DATA]))
    headers = {**FRESH, "Service-Worker-Allowed": "/field"}
    return web.Response(text=text, content_type="text/javascript", headers=headers)


async def show_manifest(request: web.Request) -> web.Response:
    """Give the manifest, by which a phone installs the app."""
    language = _language_of(request)
    tell, static = say(language), request.app[STATIC]
    manifest = {
        "id": "/field",
        "name": tell("field.name"),
        "short_name": tell("app.name"),
        "description": tell("field.about"),
        "lang": language.tag,
        "start_url": "/field",
        "scope": "/field",
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#f3f5f7",
        "theme_color": "#1d3b53",
        "icons": [
            *(
                {"src": f"{static}/field-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
                for size in (192, 512)
            ),
            {
                "src": f"{static}/field-512.png",
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            },
        ],
        "shortcuts": [{"name": tell("field.report"), "url": "/field#report"}],
    }
    return web.Response(
        body=msgspec.json.encode(manifest), content_type="application/manifest+json", headers=FRESH
    )


async def show_texts(request: web.Request) -> web.Response:
    """Give the app's texts with the categories' names."""
    language, data = _language_of(request), request.app[DATA]
    texts = {key: text for key, text in catalogue()[language].items() if key.partition(".")[0] in SECTIONS}
    names = {
        f"category.{slug}": category.zh if language is Language.ZH else category.en
        for slug, category in data.categories.items()
    }
    response = web.Response(
        body=msgspec.json.encode(texts | names),
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
    response.enable_compression()
    return response


def _language_of(request: web.Request) -> Language:
    language = language_named(request.match_info["language"])
    if language is None:
        raise web.HTTPNotFound
    return language
