"""The catalogue: every text of the console in Chinese and English, from `texts/*.toml`.

Both languages stand side by side; {names} are filled in by who tells the text. A section stands in one file.
tests/unit/dashboards/test_console_texts.py finds a language that is missing, a key that is used and not here, and one never
used.
"""

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from config.data import Data

FOLDER = Path(__file__).parent / "texts"
COOKIE = "fenghuo_language"


class Language(StrEnum):
    """The languages of the console; the first is the default."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """Name the language for `lang` attributes and for Intl."""
        return {"zh": "zh-CN", "en": "en-GB"}[self.value]

    @property
    def other(self) -> "Language":
        """Name the language that the switch leads to."""
        return Language.EN if self is Language.ZH else Language.ZH


Say = Callable[..., str]


def language_named(wish: str | None) -> Language | None:
    """Find a language of ours by its name."""
    return next((language for language in Language if language.value == wish), None)


def sections(folder: Path = FOLDER) -> dict[str, Any]:
    """Read the files' sections; ValueError names a section that stands in two files."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.toml")):
        for name, section in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{path.name}: section {name} stands in another file too")
            found[name] = section
    return found


@cache
def catalogue() -> dict[Language, dict[str, str]]:
    """Read all texts by language and dotted key; KeyError names a text that lacks a language."""
    flat = dict(_flatten(sections()))
    return {language: {key: text[language.value] for key, text in flat.items()} for language in Language}


def _flatten(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    for name, value in tree.items():
        if all(isinstance(inner, str) for inner in value.values()):
            yield path + name, value
        else:
            yield from _flatten(value, f"{path}{name}.")


def say(language: Language) -> Say:
    """Make the function that tells a text in a language; KeyError for a key that is not in the catalogue."""
    texts = catalogue()[language]

    def tell(key: str, **values: object) -> str:
        text = texts[key]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    return tell


@cache
def _digest() -> str:
    return hashlib.sha256(msgspec.json.encode(sections())).hexdigest()[:12]


def texts_version(data: Data) -> str:
    """Name the content of the catalogue together with the categories' names."""
    names = "".join(f"{slug}{category.zh}{category.en}" for slug, category in data.categories.items())
    return hashlib.sha256(f"{_digest()}{names}".encode()).hexdigest()[:12]


def browser_texts(data: Data, language: Language) -> bytes:
    """Encode the catalogue for the pages' scripts, with the categories' names under `category.<slug>`."""
    names = {
        f"category.{slug}": category.zh if language is Language.ZH else category.en
        for slug, category in data.categories.items()
    }
    return msgspec.json.encode(catalogue()[language] | names)


def choose_language(request: web.BaseRequest) -> Language:
    """Choose by the query (?lang=), then the cookie, then what the browser prefers; Chinese otherwise."""
    for wish in (request.query.get("lang"), request.cookies.get(COOKIE)):
        if (language := language_named(wish)) is not None:
            return language
    return preferred(request.headers.get("Accept-Language", ""))


def preferred(header: str) -> Language:
    """Choose the language that an Accept-Language header weighs highest; Chinese when it has none of ours."""
    best, best_weight = Language.ZH, 0.0
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = language_named(tag.partition("-")[0].lower())
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best
