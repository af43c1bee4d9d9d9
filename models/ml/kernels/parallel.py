"""Numerical work on all cores."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return work(item) for each item, in order, computed on one thread per core.

    The work should spend its time without the global interpreter lock. Matrix products stay on the calling thread:
    OpenBLAS would spread many small products over all cores, where its threads wait for each other.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))
