"""What a misspelt name is likely to stand for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most likely meant, if one is close."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return close[0] if close else None
