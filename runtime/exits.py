"""Exit codes: what a script learns of a run without reading it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal, assert_never

from circ.compiler.verdict import Proved, Refuted, Unknown, Vacuous, Verdict


class Exit(IntEnum):
    """What each code says."""

    AS_CLAIMED = 0
    REFUTED = 1
    UNKNOWN = 2
    VACUOUS = 3
    INPUT = 4
    """The command line, a spec or a file is wrong."""
    BUG = 5


SEVERITY = (Exit.REFUTED, Exit.INPUT, Exit.UNKNOWN, Exit.VACUOUS, Exit.AS_CLAIMED)
"""The worst verdict of several decides, in this order."""


def exit_of(expects: Literal["proved", "refuted"], verdict: Verdict) -> Exit:
    """The code of one claim: under `expects refuted`, refuted is success and proved is failure."""
    match verdict:
        case Proved():
            return Exit.AS_CLAIMED if expects == "proved" else Exit.REFUTED
        case Refuted():
            return Exit.REFUTED if expects == "proved" else Exit.AS_CLAIMED
        case Vacuous():
            return Exit.VACUOUS
        case Unknown():
            return Exit.UNKNOWN
        case _:
            assert_never(verdict)


def worst(codes: Iterable[Exit]) -> Exit:
    """The code of several claims."""
    return min(codes, key=SEVERITY.index, default=Exit.AS_CLAIMED)
