"""How to write a question about a value over a domain that was written another way."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from circ.lang.diagnostic import CircError

ON = re.compile(r"\s*([A-Za-z_]\w*)\s+on\s+([A-Za-z_]\w*)\s*")
"""`f on D`, for `f(x) over x in D`."""

OVER = re.compile(r"(?s).*\bover\s+([A-Za-z_]\w*)\s*")
"""`e over D`, for `e over x in D`."""

UNREAD = ("E0001", "E0008")
"""What is wrong with a text that was read no further."""


@contextmanager
def advised(text: str) -> Generator[None]:
    """Say how the question is written, where it cannot be read."""
    try:
        yield
    except CircError as error:
        first, help = error.diagnostics[0], advice(text)
        if first.code not in UNREAD or not help:
            raise
        raise CircError(replace(first, help=help)) from error


def advice(text: str) -> str:
    """How to write what was meant, as far as that can be told."""
    if on := ON.fullmatch(text):
        return f"write `{on[1]}(x)[0] over x in {on[2]}` for a number; `regions` takes `{text.strip()}`"
    if over := OVER.fullmatch(text):
        return f"write `over x in {over[1]}`"
    if not re.search(r"\bover\b", text):
        return "name the domain, as in `f(x)[0] over x in D`"
    return ""
