"""Compiling to machine code, once per machine: the result is kept beside the source or in the user's cache."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call with given types; strict floating point, so that the same input gives the same bits."""
    result: Callable[P, R] = numba.njit(cache=True)(function)
    return result
