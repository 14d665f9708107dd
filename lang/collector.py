"""Python's search for garbage in circles, and where it is left out."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Generator[None]:
    """For work that makes much to keep and no circles, all of which a search goes through in vain.

    What is dropped is still freed at once. How much is kept has to be bounded by something else, as by
    the length of a text.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
