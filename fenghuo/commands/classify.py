"""`fenghuo classify`: what texts are about, and how well the dictionary does on a labelled sample."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from msgspec import Struct
from rich.table import Table

from config.labelled import SHIPPED_SAMPLE, read_labelled
from detectors.words.text import Classifier
from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.measuring import Measured, measure
from fenghuo.running import read_settings


class Answer(Struct, frozen=True, kw_only=True):
    """What a text is about: its category, what else it speaks of, the words, the critical phrases."""

    text: str
    category: str
    others: tuple[str, ...]
    words: tuple[str, ...]
    critical: tuple[str, ...]


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def classify(
        texts: list[str] = typer.Argument(
            None, help="Texts; else a line each of --file or of standard input."
        ),
        file: Path | None = typer.Option(None, help="File with a text a line, or with --evaluate a sample."),
        evaluate: bool = typer.Option(
            False, help="Measure on a labelled CSV: --file, else the one that is shipped."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Tell what texts are about, by the dictionary in force; nothing is sent anywhere."""
        _, data = read_settings()
        classifier = Classifier(data.terms)
        if evaluate:
            figures = measure(classifier, read_labelled(file or SHIPPED_SAMPLE, data.categories))
            if as_json:
                print_json(figures)
            else:
                _show_figures(figures)
            return
        answers = [_answer(classifier, text) for text in texts or _lines(file)]
        if as_json:
            print_json(answers)
        else:
            _show(answers)


def _lines(file: Path | None) -> list[str]:
    """Read a text from each line that has one."""
    try:
        content = sys.stdin.buffer.read() if file is None else file.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput([Fault("--file", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidInput([Fault("--file" if file else "standard input", "is not UTF-8")]) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _answer(classifier: Classifier, text: str) -> Answer:
    found = classifier.classify(text)
    return Answer(
        text=text, category=found.category, others=found.others, words=found.words, critical=found.critical
    )


def _show(answers: Sequence[Answer]) -> None:
    table = Table("category", "also", "words", "critical", "text")
    for answer in answers:
        table.add_row(
            answer.category,
            " ".join(answer.others),
            "、".join(answer.words),
            "、".join(answer.critical),
            answer.text,
        )
    console().print(table)


def _show_figures(figures: Sequence[Measured]) -> None:
    table = Table("", *(one.split for one in figures))
    for name in ("texts", "accuracy", "acceptable", "covered", "silent", "macro_f1"):
        table.add_row(name, *(_number(getattr(one, name)) for one in figures))
    console().print(table)
    for one in figures:
        table = Table(f"{one.split}: category", "texts", "taken", "precision", "recall", "F1")
        for score in one.categories:
            table.add_row(
                score.category,
                str(score.texts),
                str(score.taken),
                _number(score.precision),
                _number(score.recall),
                _number(score.f1),
            )
        console().print(table)
        pairs = Table(f"{one.split}: category", "taken for", "texts")
        for pair in one.confusions:
            pairs.add_row(pair.category, pair.taken_for, str(pair.texts))
        console().print(pairs)


def _number(value: float | None) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
