"""Which edits a contradiction excludes, by a sum of parts in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from sys import float_info
from typing import Literal

import numpy as np

from circ.compiler.obligation import Obligation
from circ.compiler.patching import Norm
from circ.compiler.rounding import FORMATS, at_most
from circ.compiler.tensor import Weights
from circ.runtime.convex import Floats
from circ.runtime.norms import norms
from circ.runtime.patches.bound import (
    Free,
    HalfSpace,
    Multiplier,
    affine_parts,
    distance,
    together,
)
from circ.runtime.patches.exact_multipliers import candidates

FAR = 2**20
"""How many times as large as the edited entries, and 1, a change is at least that is not excluded."""

Changes = Literal["all", "held", "smaller"]


@dataclass(frozen=True, slots=True)
class Excluded:
    """Which changes of what is edited do not do what is required.

    All of them; all to numbers that the file's dtype holds; or all that are smaller than `least` in the norm, which is 0 else.
    """

    changes: Changes
    norm: Norm
    least: float = 0.0


def excluded(
    norm: Norm,
    obligations: Sequence[Obligation],
    free: Free,
    weights: Weights,
    named: Sequence[Multiplier],
    factors: Floats,
) -> Excluded | None:
    """What the sum of these parts excludes, if that is worth the word; `factors` are multipliers of them as a solver has them.

    Raises `Unfounded`, and `TimeUp` of the exact readings.
    """
    found_parts = affine_parts(obligations, tuple(free), weights, named)
    known = {k: (part, strict) for k, part, strict in found_parts}
    parts = [known[k][0] for k in range(len(named))]
    enough, best = FAR * (1 + size_of_edited(norm, free, weights)), None
    for attempt in candidates(parts, free, factors):
        space = together(zip(parts, attempt, strict=True), free, weights)
        strict = any(known[k][1] for k, factor in enumerate(attempt) if factor)
        found = by_sum(norm, replace(space, strict=strict), weights, enough)
        if found is not None and (best is None or strength(found) > strength(best)):
            best = found
        if best is not None and best.changes == "all":
            break
    return best


def strength(found: Excluded) -> tuple[int, float]:
    """What excludes more is larger."""
    order: tuple[Changes, ...] = ("smaller", "held", "all")
    return order.index(found.changes), found.least


def size_of_edited(norm: Norm, free: Free, weights: Weights) -> float:
    """The norm of the entries that may change, as they are."""
    entries = [weights[key].values[place] for key, places in free.items() for place in places]
    return norms(np.array(entries))[norm]


def by_sum(norm: Norm, space: HalfSpace, weights: Weights, enough: float) -> Excluded | None:
    """What a half-space excludes in which every change lies that does what is required."""
    found = distance(norm, space)
    if found is None:
        return Excluded("all", norm)
    if out_of_range(space, weights):
        return Excluded("held", norm)
    least = at_most(min(found, Fraction(float_info.max)), "F64")
    return Excluded("smaller", norm, least) if least >= enough else None


def out_of_range(space: HalfSpace, weights: Weights) -> bool:
    """Whether it has no point all of whose entries are numbers that their dtype holds."""
    most = Fraction(space.constant)
    for (key, place), side in space.sides.items():
        tensor = weights[key]
        start = abs(Fraction(tensor.values[place]))
        most += side * (Fraction(FORMATS[tensor.dtype].largest) + start)
    return most < 0
