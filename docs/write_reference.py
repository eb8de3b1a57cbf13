"""Write settings.md, topics.md and api.md of docs/reference/: `python docs/write_reference.py`. A test compares."""

from pathlib import Path

from msgspec import structs

from config.settings import SECRETS, Section, Settings, sections, variables
from dashboards.api_reading import Taken, groups_of, kinds_of
from dashboards.openapi import write_document
from dashboards.operations import Operation
from dashboards.routes import ROUTES
from dashboards.texts import sections as texts
from domain.topics import TOPICS

REFERENCE = Path(__file__).parent / "reference"


def settings_page() -> str:
    """Write the table of all settings with their variables and defaults."""
    lines = [
        "# Settings",
        "",
        "Read from the TOML file named by `FENGHUO_CONFIG` (else `./fenghuo.toml`, if there is one), overlaid by the",
        "environment. Wrong settings end the start with one sentence that names every fault, and exit status 2. Secrets",
        "are read from the environment only. Times are seconds of wall time, lateness bounds seconds of event time.",
        "",
        "| variable | in the file | default |",
        "|---|---|---|",
    ]
    defaults = Settings()
    for variable, where in variables().items():
        if variable in SECRETS:
            lines.append(f"| `{variable}` | – (secret) | unset |")
            continue
        value = defaults
        for part in where:
            value = getattr(value, part)
        lines.append(f"| `{variable}` | `{'.'.join(where)}` | `{value}` |")
    lines += ["", "Sections:", ""]
    for name, kind in sections().items():
        lines.append(f"- `[{name}]`: {(kind.__doc__ or Section.__doc__ or '').strip()}")
    return "\n".join([*lines, ""])


def topics_page() -> str:
    """Write the table of all topics and the fields of their records."""
    lines = [
        "# Topics",
        "",
        "Each topic has one record type. Every message carries the headers `kind` and `version`; records are JSON, and",
        "readings may also be packed as an Arrow IPC stream (header `encoding`). Topics keyed by area have the number of",
        "partitions of the settings, the others one.",
        "",
        "| topic | kind | version | partitions | compacted | kept for |",
        "|---|---|--:|---|---|--:|",
    ]
    for topic in TOPICS.values():
        kept = "newest per key" if topic.compacted else f"{topic.retention_hours} h"
        partitions = "by area" if topic.partitioned else "1"
        compacted = "yes" if topic.compacted else "no"
        lines.append(
            f"| `{topic.name}` | `{topic.kind}` | {topic.version} | {partitions} | {compacted} | {kept} |"
        )
    lines += ["", "## Fields", ""]
    for topic in TOPICS.values():
        names = ", ".join(f"`{field.encode_name}`" for field in structs.fields(topic.record))
        lines += [f"- **{topic.name}**: {names}. {(topic.record.__doc__ or '').strip().splitlines()[0]}"]
    return "\n".join([*lines, ""])


def api_page() -> str:
    """Write every address of the API by its part, then the types."""
    document = write_document(one for one in ROUTES if isinstance(one, Operation))
    words = texts()["api"]
    lines = [
        "# API",
        "",
        "`/api/v1` for programs. The document (OpenAPI 3.1) is at `/api/v1/openapi.json`, the page to read it at `/api`.",
        "A program calls with a token (`Authorization: Bearer`, see [tokens](../how-to/tokens.md)), a page with its",
        "session. A command carries an `Idempotency-Key`, a UUID made for it: sent twice, it is done once. What is refused",
        "comes as a problem document (RFC 9457) with a `code` and, where fields are wrong, all `faults`.",
    ]
    for group, operations in groups_of(document).items():
        lines += ["", f"## {words[group]['en']} {words[group]['zh']}"]
        for one in operations:
            lines += ["", f"### `{one.method} {one.path}`", "", one.summary, ""]
            lines += [_taken(taken, f" ({taken.where})") for taken in one.takes]
            lines += [f"- answers {one.status}: `{one.answers}`"]
            lines += [f"- refuses: {', '.join(f'`{said}`' for said in one.refuses)}"]
    lines += ["", "## Types 数据类型"]
    for kind in kinds_of(document):
        lines += ["", f"### {kind.name}", "", kind.about, ""]
        lines += [_taken(field, "") for field in kind.fields] or [f"- `{kind.kind}`"]
    return "\n".join([*lines, ""])


def _taken(taken: Taken, where: str) -> str:
    needed, about = (", required" if taken.needed else ""), (f": {taken.about}" if taken.about else "")
    return f"- `{taken.name}`{where}: `{taken.kind}`{needed}{about}"


PAGES = {"settings.md": settings_page, "topics.md": topics_page, "api.md": api_page}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (REFERENCE / name).write_text(write(), encoding="utf-8")
