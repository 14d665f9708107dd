"""Batches worked on by a few threads at once, their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from os import cpu_count
from typing import TypeVar

import numpy as np

from circ.runtime.engines.words import Source

Result = TypeVar("Result")

WORKERS = min(cpu_count() or 1, 4)
"""Threads: numpy lets go of the interpreter within a call, but not between calls."""

KEPT = (1 << 22) - (1 << 12)
"""Numbers in the largest block of memory that glibc keeps for later use once one was freed."""


def batches(source: Source, work: Callable[[int], Result]) -> Generator[Result]:
    """`work(start)` for the start of each batch of a source; close it to stop early."""
    keep_memory()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for start in range(0, source.count, source.step):
                waiting.append(pool.submit(work, start))
                if len(waiting) > 2 * WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def keep_memory() -> None:
    """Free a large block: glibc then reuses blocks up to that size instead of returning them.

    Otherwise every array of a batch is made of fresh pages, which costs more than its arithmetic.
    """
    np.empty(KEPT).fill(0)
