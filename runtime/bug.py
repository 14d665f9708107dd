"""What is said of an exception that nobody expected: it is our fault, and where it happened."""

from __future__ import annotations

from pathlib import Path


def bug_text(error: Exception) -> str:
    """The exception in one line, with the innermost place it came from."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = "" if at is None else f" ({Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno})"
    return f"this is a bug in Circ, not in your spec: {type(error).__name__}: {error}{where}"
