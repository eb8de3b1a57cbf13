"""Pages from templates: everything is escaped, and a name that the page does not get is an error."""

from functools import cache
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.keys import DATA, LANGUAGE, STATIC
from dashboards.texts import choose_language, say, texts_version

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """Build the template environment once."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def render(request: web.Request, template: str, **values: object) -> str:
    """Render a template in the viewer's language with what every page needs."""
    language = request.get(LANGUAGE) or choose_language(request)
    other = language.other
    return (
        environment()
        .get_template(template)
        .render(
            t=say(language),
            lang_tag=language.tag,
            other_lang_tag=other.tag,
            other_language_url=str(request.rel_url.update_query(lang=other.value)),
            static=request.app[STATIC],
            texts_url=f"/texts/{language.value}.json?v={texts_version(request.app[DATA])}",
            **values,
        )
    )


def page(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """Answer with a rendered page."""
    return web.Response(text=render(request, template, **values), content_type="text/html", status=status)
