"""The process of `circ`: what it prints, what stops it, and how many threads it has."""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper


def set_up() -> None:
    """Before anything else of a command runs."""
    stop_when_told()
    say_anything()
    one_thread_each()


def say_anything() -> None:
    """Have a stream print what it cannot encode as an escape: file names are bytes, not text."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def one_thread_each() -> None:
    """Have numpy's products use one thread: engines share out the cores by themselves."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def stop_when_told() -> None:
    """Have SIGTERM, as `kill` sends it, be what Ctrl-C is: what was reached is told."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
