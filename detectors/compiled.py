"""Compiling to machine code, once per machine: the result is kept beside the source or in the user's cache."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call with given types; strict floating point, so that the same input gives the same bits.

    Numba looks only at a function's own file to see whether what it kept is still good, not at what the function calls:
    see `source_digest`.
    """
    result: Callable[P, R] = numba.njit(cache=True)(function)
    return result


def source_digest(folder: Path) -> str:
    """Name the present text of all files of a folder; as part of a record's type it makes what was kept before unfit."""
    digest = blake2b(digest_size=6)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
