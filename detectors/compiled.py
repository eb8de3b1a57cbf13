"""Compiling to machine code, once per machine: the result is kept beside the source or in the user's cache."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

SOURCES = ("state.py", "guards.py", "score.py", "fold.py", "rollup.py", "kernel.py")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call with given types; strict floating point, so that the same input gives the same bits.

    Numba looks only at a function's own file to see whether what it kept is still good, not at what the function calls:
    see `source_digest`.
    """
    result: Callable[P, R] = numba.njit(cache=True)(function)
    return result


def source_digest() -> str:
    """Name the present text of all compiled files; as part of a record's type it makes what was kept before unfit."""
    digest = blake2b(digest_size=6)
    for name in SOURCES:
        path = Path(__file__).with_name(name)
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()
