"""Nobody reads a language that he did not choose: texts stand in the catalogue, and each side of it is in its language."""

import re
from pathlib import Path

import pytest

from dashboards.texts import Language, catalogue

ROOT = Path(__file__).parents[3]
CHINESE = re.compile(r"[\u3400-\u9fff]")
TEMPLATES = sorted((ROOT / "dashboards" / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "dashboards" / "static").glob("*.js"))
MIXED = {
    "app.other_language": "the switch names the other language in that language",
    "admin.display_hint": "an example of a post's name, which is Chinese everywhere",
}
PAPERS = {"special": "信息专报 is an official paper, written in Chinese whoever prints it"}
"""Templates that are of one language."""
ALLOWED = {
    "field-send": "（${minutes} 分钟前在手机上操作，当时无网络）",  # goes into the case's record, which is Chinese
    "field-worker": "烽火",  # the name of the application, where no catalogue can be asked
    "words": "月${Number(p.day)}日",  # a form of a date
}
"""Chinese of scripts that no catalogue holds."""
QUOTED_TERMS = re.compile(r"“[^”]*”|\([^)]*\)|（[^）]*）|「[^」]*」|《[^》]*》|`[^`]*`")
"""An English sentence may cite a term of the law or of the county beside its translation."""
NO_WORD = re.compile(
    r"\{\w+\}|&\w+;|https?://\S+|[A-Z][A-Z0-9.+/-]*\b|\b[a-z]{1,2}\b|[\w.-]+@[\w.-]+|[\w-]+\.toml|/[\w/]+"
)
"""Placeholders, entities, addresses, file names, abbreviations and single letters are of no language."""


def prose_in(template: str) -> list[str]:
    """Take from a template what a person would read that is not made by an expression."""
    bare = re.sub(
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<(code|kbd)\b[^>]*>.*?</\1>",
        "\x00",
        template,
        flags=re.DOTALL,
    )
    attributes = re.findall(r'\b(?:title|alt|placeholder|aria-label)="([^"\x00]*)"', bare)
    texts = re.sub(r"<[^>]*>", "\n", bare).replace("\x00", "\n").splitlines()
    return [text.strip() for text in [*texts, *attributes] if text.strip()]


def is_worded(text: str) -> bool:
    """Say whether a text has words of some language: Chinese, or an English word of three letters."""
    return bool(CHINESE.search(text)) or bool(re.search(r"[A-Za-z]{3,}", NO_WORD.sub("", text)))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_hold_no_text(path: Path) -> None:
    """What people read comes from the catalogue, so that it has both languages."""
    found = [text for text in prose_in(path.read_text(encoding="utf-8")) if is_worded(text)]
    assert path.stem in PAPERS or found == []


def test_a_text_in_a_template_would_be_found() -> None:
    """Words between tags and in attributes that are read out, in either language."""
    assert prose_in(
        '<p>保存</p><img alt="A map">{{ t("x.y") }}<b>{{ one }} items</b><code>make demo</code>'
    ) == ["保存", "items", "A map"]
    assert is_worded("保存") and is_worded("items") and not is_worded("·") and not is_worded("API")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_hold_no_chinese(path: Path) -> None:
    """Outside of comments a script has no word of Chinese: it asks the catalogue."""
    code = re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = code.replace(ALLOWED.get(path.stem, "\x00"), "")
    assert [line.strip() for line in code.splitlines() if CHINESE.search(line)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_hold_no_english_between_tags(path: Path) -> None:
    """What stands between the tags of a template literal is an expression, never a word."""
    code = re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    between = re.findall(r"<\w[^<>$]*>([^<>${}`]*[A-Za-z]{3,}[^<>${}`]*)</", code)
    assert [text.strip() for text in between if is_worded(text)] == []


def test_english_is_english() -> None:
    """No Chinese in an English text but in what it cites."""
    english = catalogue()[Language.EN]
    found = {
        key: text
        for key, text in english.items()
        if key not in MIXED and CHINESE.search(QUOTED_TERMS.sub("", text))
    }
    assert found == {}


def test_chinese_is_chinese() -> None:
    """A Chinese text has Chinese words, unless nothing in it has a language."""
    chinese = catalogue()[Language.ZH]
    found = {
        key: text
        for key, text in chinese.items()
        if key not in MIXED and not CHINESE.search(text) and is_worded(text)
    }
    assert found == {}
