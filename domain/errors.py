"""All errors that Fenghuo raises on purpose.

FenghuoError
├── InvalidInput            what somebody sent is wrong: every fault by field
├── InvalidConfiguration    what an operator wrote is wrong: every fault by field
├── Unavailable             something we need does not answer; trying again may help
│   ├── BrokerUnavailable
│   └── DatabaseUnavailable
├── NotFound                it does not exist, or not for this person
├── NotAllowed              it exists and this person may not do that
└── Conflict                somebody else was first, or the state does not permit it
"""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass


class FenghuoError(Exception):
    """Something went wrong in Fenghuo."""

    def __init__(self, message: str | None = None) -> None:
        """Take the message, or the class's own docstring when there is none to tell."""
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or ""))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field, in words for the person who sent it."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class Faulty(FenghuoError):
    """A list of faults, told all at once."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults in the order in which they were found."""
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class InvalidInput(Faulty):
    """What was sent cannot be accepted."""


class InvalidConfiguration(Faulty):
    """The configuration is wrong."""


class Unavailable(FenghuoError):
    """Something that is needed does not answer."""


class BrokerUnavailable(Unavailable):
    """The message broker does not answer."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""


class NotFound(FenghuoError):
    """There is no such thing, or it is not visible to you."""


class NotAllowed(FenghuoError):
    """You may see this but not do that."""


class Conflict(FenghuoError):
    """Somebody else was first, or the present state does not permit it."""
