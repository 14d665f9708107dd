"""Evaluating a closed expression: in exact arithmetic and in PyTorch, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import isfinite
from typing import assert_never

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.ir import Real, WireType
from circ.compiler.query import OUTPUT, Query
from circ.compiler.readings.choices import Choices, merged
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals, hull
from circ.compiler.readings.reference import Value, enclose
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES
from circ.compiler.verdict import Counted


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A value, exact and as PyTorch computed it in `dtype` (safetensors' name), row-major.

    `exact` is what every way of breaking ties allows (`tie`: there are several), and None where the
    expression is undefined. PyTorch's truths and members are codes; it counts no domains, so that
    there is nothing `computed` where there are `counts`.
    """

    query: Query
    exact: Value | None
    computed: tuple[float, ...] | tuple[int, ...]
    dtype: str
    tie: bool = False
    counts: tuple[Counted, ...] = ()

    @property
    def kind(self) -> WireType:
        """What the value's entries are."""
        return self.query.circuit.types[self.query.circuit.outputs[OUTPUT]]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names for the rows, where the value is a vector whose entries have names."""
        named = len(self.kind.shape) == 1 and self.kind.sort == Real()
        return self.query.axes[0] if named else ()


def evaluate(
    query: Query, weights: Weights, limits: Limits | None = None, progress: Progress = silent
) -> Evaluated:
    """Both values of an expression without inputs; the limits are for counting domains."""
    if query.quantities:
        from circ.runtime.quantities import counted, given

        found = counted(query.quantities, weights, limits or Limits(), progress)
        exact, tie = exactly(query, weights, given(query.quantities, found))
        return Evaluated(query, exact, (), "F64", tie, found)
    exact, tie = exactly(query, weights, {})
    computed, dtype = in_torch(query, weights)
    return Evaluated(query, exact, computed, dtype, tie)


def exactly(
    query: Query, weights: Weights, inputs: Mapping[str, Value]
) -> tuple[Value | None, bool]:
    """The exact value, or what encloses it; and whether equal scores leave it open."""
    try:
        outcomes = every_choice(query.circuit, inputs, weights)
        found = [outcome.outputs[OUTPUT] for outcome in islice(outcomes, MOST_CHOICES)]
        if next(outcomes, None) is not None:
            found = [enclose(query.circuit, inputs, weights)[OUTPUT]]
            return found[0], True
    except Undefined:
        return None, False
    return any_outcome(found), len(found) > 1


def any_outcome(found: Sequence[Value]) -> Value:
    """What encloses every one of several values of one type."""
    reals = [value for value in found if isinstance(value, Reals)]
    choices = [value for value in found if isinstance(value, Choices)]
    return hull(reals) if reals else merged(choices)


def in_torch(query: Query, weights: Weights) -> tuple[tuple[float, ...] | tuple[int, ...], str]:
    """The value that PyTorch computes, and the name of the dtype it computes in."""
    import torch

    from circ.compiler.readings.torch import NAMES, module, numbers, whole_numbers

    runs = module(query.circuit, weights)
    with torch.no_grad():
        value = runs({})[OUTPUT][0]
    if value.is_floating_point():
        return tuple(numbers(value)), NAMES[runs.dtype]
    return tuple(whole_numbers(value)), NAMES[runs.dtype]


# --- how far apart ----------------------------------------------------------------------------


def apart(found: Evaluated) -> float | int | None:
    """How far PyTorch is from exact: the most that an entry of a real differs; else how many do.

    None where the exact value is undefined or PyTorch's is not finite.
    """
    match found.exact:
        case None:
            return None
        case Reals(box=box):
            if not all(map(isfinite, found.computed)):
                return None
            pairs = zip(map(Fraction, found.computed), box, strict=True)
            return float(max((max(x - low, high - x) for x, (low, high) in pairs), default=0))
        case Choices(sets=sets):
            return sum(x not in options for x, options in zip(found.computed, sets, strict=True))
        case _:
            assert_never(found.exact)
