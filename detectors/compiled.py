"""Compiling to machine code, once per machine: the result is kept beside the sources or in the user's cache."""

import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call with given types; strict floating point, so that the same input gives the same bits."""
    result: Callable[P, R] = numba.njit(cache=CACHE is not None)(function)
    return result


def _cache() -> Path | None:
    """Find where machine code may be kept, in a folder of its own for the present text of all detectors.

    Numba asks only whether a function's own file has changed, not what the function calls: what it kept would run on after
    a change elsewhere. None where nothing may be written: then every process compiles for itself.
    """
    house = Path(__file__).parent
    digest = blake2b(digest_size=8)
    for path in sorted(house.rglob("*.py")):
        digest.update(path.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR")
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (Path(given),) if given else (house / "__pycache__", users / "fenghuo"):
        kept = folder / f"compiled-{digest.hexdigest()}"
        try:
            kept.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(kept, os.W_OK):
            return kept
    return None


CACHE = _cache()
if CACHE is not None:
    numba.config.CACHE_DIR = str(CACHE)  # type: ignore[attr-defined]  # made at run time
