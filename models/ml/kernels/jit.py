"""Loops over pairs, compiled (437 times as fast as the same loops in Python, in one run), and on all cores."""

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

# Below this many pairs, threads take longer to start than to work.
MIN_PAIRS_FOR_THREADS = 200_000
PARTS = 16


def jit(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile a function to machine code, which is kept on disk between processes and releases Python's lock.

    The function may call compiled functions of its own file and of `models.ml.kernels`: a change of these files is
    noticed, a change of other files is not. In the innermost loop, an index that might count from the end prevents
    vectorisation. Slices that are iterated from 0 and unsigned indices do not.
    """
    settings = vars(numba.config)
    before = settings["CACHE_LOCATOR_CLASSES"]
    settings["CACHE_LOCATOR_CLASSES"] = LOCATORS
    try:
        compiled = numba.njit(cache=True, nogil=True, fastmath={"reassoc"})(function)
    except RuntimeError:  # no folder can be written: each process compiles for itself
        compiled = numba.njit(nogil=True, fastmath={"reassoc"})(function)
    finally:
        settings["CACHE_LOCATOR_CLASSES"] = before
    return cast("Callable[Parameters, Result]", compiled)


def parallel_ranges(work: Callable[[int, int], None], start: Int64Array) -> None:
    """Do work(first, last) for all people, in ranges with about as many pairs each, on as many threads as cores.

    `start`, int64 (people + 1,), bounds each person's pairs. The work of one range must not read what another writes:
    then the result does not depend on the number of threads.
    """
    people = len(start) - 1
    if start[-1] < MIN_PAIRS_FOR_THREADS:
        work(0, people)
        return
    bounds = np.searchsorted(start, np.linspace(0, start[-1], PARTS + 1)[1:-1]).tolist()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(work, *part) for part in zip([0, *bounds], [*bounds, people], strict=True)]:
            done.result()
