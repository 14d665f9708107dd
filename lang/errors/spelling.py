"""What a misspelt name is likely to stand for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most likely meant, if one is close."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return close[0] if close else None


def closest(name: str, known: Iterable[str], count: int) -> list[str]:
    """The known names that are most like one, the most like it first; capitals make no difference."""
    matcher = SequenceMatcher(b=name.lower())

    def unlike(each: str) -> tuple[float, str]:
        matcher.set_seq1(each.lower())
        return -matcher.ratio(), each

    return sorted(known, key=unlike)[:count]
