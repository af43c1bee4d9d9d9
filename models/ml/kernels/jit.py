"""Compilation of loops over pairs to machine code, and loops on all cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np

from models.ml.arrays import Int64Array
from models.ml.kernels.compile_cache import LOCATORS

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# With fewer pairs, threads take longer to start than to work.
MIN_PAIRS_FOR_THREADS = 200_000
PARTS = 16


def jit(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile a function to machine code that is cached on disk and releases the global interpreter lock.

    The function may call compiled functions of its own file and of `models.ml.kernels`. The cache notices a change of
    these files, and of no others. In an innermost loop, a signed index that may be negative prevents vectorisation;
    slices that are iterated from 0 and unsigned indices do not.
    """
    settings = vars(numba.config)
    before = settings["CACHE_LOCATOR_CLASSES"]
    settings["CACHE_LOCATOR_CLASSES"] = LOCATORS
    try:
        compiled = numba.njit(cache=True, nogil=True, fastmath={"reassoc"})(function)
    except RuntimeError:  # no folder is writable: each process compiles for itself
        compiled = numba.njit(nogil=True, fastmath={"reassoc"})(function)
    finally:
        settings["CACHE_LOCATOR_CLASSES"] = before
    return cast("Callable[Parameters, Result]", compiled)


def parallel_ranges(work: Callable[[int, int], None], start: Int64Array) -> None:
    """Call work(first, last) for ranges of users that cover all users, on one thread per core.

    The result does not depend on the number of threads if no range reads what another range writes.

    Args:
        work: Processes the users from `first` up to but not including `last`.
        start: Where the pairs of each user start, and the number of pairs at the end, (users + 1,). Each range has
            about as many pairs as the others.
    """
    users = len(start) - 1
    if start[-1] < MIN_PAIRS_FOR_THREADS:
        work(0, users)
        return
    bounds = np.searchsorted(start, np.linspace(0, start[-1], PARTS + 1)[1:-1]).tolist()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(work, *part) for part in zip([0, *bounds], [*bounds, users], strict=True)]:
            done.result()
