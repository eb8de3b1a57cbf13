"""Templates of messages as data: what they may name, and what is wrong with one."""

import string
from collections.abc import Iterator

from domain.errors import Fault

FIELDS = ("mark", "level", "grade", "title", "text", "english", "recipient")
"""What any template may name; only `text` and `english` are cut when a message is too long."""
ANSWERED = (*FIELDS, "how", "link", "token", "code")
"""What a template to one person may name besides: `how` says in a sentence how to acknowledge, with the link and the code
that there are; `link` is the address, `token` its last part (some services allow no address), `code` is replied."""


def template_faults(
    template: str, place: str, fields: tuple[str, ...] = FIELDS, *, must: str = "text"
) -> Iterator[Fault]:
    """Find what a template names that there is not, and that it does not hold what it must."""
    try:
        named = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        yield Fault(place, f"is no template: {error}")
        return
    if unknown := sorted(named - set(fields)):
        yield Fault(place, f"names {', '.join(unknown)}; there are {', '.join(fields)}")
    if must and must not in named:
        yield Fault(place, f"must hold {{{must}}}")
