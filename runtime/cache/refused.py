"""Why a verdict is neither kept nor recalled. The claim is decided anew then, and nothing else is lost."""

from __future__ import annotations


class NotKept(Exception):
    """There is no place for verdicts, or it cannot be used just now; the text says why."""


class Damaged(Exception):
    """What was found there is not what was kept."""
