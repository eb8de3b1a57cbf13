"""Write docs/reference/settings.md and topics.md from the code: `python docs/write_reference.py`. A test compares."""

from pathlib import Path

from msgspec import structs

from config.settings import SECRETS, Section, Settings, sections, variables
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


PAGES = {"settings.md": settings_page, "topics.md": topics_page}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (REFERENCE / name).write_text(write(), encoding="utf-8")
