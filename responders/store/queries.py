"""The loader of the named queries in `responders/queries/*.sql`."""

import re
from functools import cache
from importlib import resources

HEAD = re.compile(r"^-- name: (\w+)\n((?:-- .*\n)+)", re.MULTILINE)
"""A query begins with its name, then at least one line of description, then the statement."""


@cache
def load_queries() -> dict[str, str]:
    """Read all queries; ValueError for a name that is there twice, which a test would show before a person."""
    queries: dict[str, str] = {}
    folder = resources.files("responders") / "queries"
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        heads = list(HEAD.finditer(text))
        for head, following in zip(heads, [*heads[1:], None], strict=True):
            statement = text[head.end() : following.start() if following else len(text)].strip().rstrip(";")
            if head[1] in queries:
                raise ValueError(f"query {head[1]} is there twice")
            queries[head[1]] = statement
    return queries


def sql(name: str) -> str:
    """Find a query by name."""
    return load_queries()[name]
