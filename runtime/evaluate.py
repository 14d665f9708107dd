"""Evaluating a closed expression: in exact arithmetic and in PyTorch, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from math import inf, isfinite
from time import monotonic
from typing import assert_never

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.ir import Circuit, Real, WireType
from circ.compiler.query import OUTPUT, Query
from circ.compiler.readings.choices import Choices, merged
from circ.compiler.readings.clock import TimeUp, until
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals, hull
from circ.compiler.readings.reference import Value, enclose
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES
from circ.compiler.verdict import Counted

Entries = tuple[float, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A value, exact and as PyTorch computed it in `dtype` (safetensors' name), row-major.

    `exact` is what every way of breaking ties allows (`tie`: there are several), and None where the
    expression is undefined. PyTorch's truths and members are codes; it counts no domains, so that
    there is nothing `computed` where there are `counts`. `late`: the time was up before the exact value was known.
    """

    query: Query
    exact: Value | None
    computed: Entries
    dtype: str
    tie: bool = False
    counts: tuple[Counted, ...] = ()
    late: bool = False

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
    """Both values of an expression without inputs; PyTorch's alone where the time is up."""
    if query.quantities:
        from circ.runtime.quantities import counted, given

        found = counted(query.quantities, weights, limits or Limits(), progress)
        exact, tie = exactly(query, weights, given(query.quantities, found))
        return Evaluated(query, exact, (), "F64", tie, found)
    try:
        with until(inf if limits is None else monotonic() + limits.timeout):
            return evaluate_all([query], weights)[0]
    except TimeUp:
        return Evaluated(query, None, *in_torch(query.circuit, weights)[OUTPUT], late=True)


def evaluate_all(queries: Sequence[Query], weights: Weights) -> list[Evaluated]:
    """Both values of several queries about one circuit, which is gone through once.

    Where one of them is undefined, the others are evaluated one by one.
    """
    outputs = {str(k): query.circuit.outputs[OUTPUT] for k, query in enumerate(queries)}
    circuit = replace(queries[0].circuit, outputs=outputs)
    try:
        exact, tie = outputs_exactly(circuit, weights, {})
    except Undefined:
        if len(queries) > 1:
            return [evaluate_all([query], weights)[0] for query in queries]
        exact, tie = {"0": None}, False
    computed = in_torch(circuit, weights)
    return [
        Evaluated(query, exact[name], *computed[name], tie=tie and not settled(exact[name]))
        for name, query in zip(outputs, queries, strict=True)
    ]


def settled(value: Value | None) -> bool:
    """Whether a value is one, however ties are broken."""
    return value is None or value.exact


def exactly(
    query: Query, weights: Weights, inputs: Mapping[str, Value]
) -> tuple[Value | None, bool]:
    """The exact value, or what encloses it; and whether equal scores leave it open."""
    try:
        found, tie = outputs_exactly(query.circuit, weights, inputs)
    except Undefined:
        return None, False
    return found[OUTPUT], tie


def outputs_exactly(
    circuit: Circuit, weights: Weights, inputs: Mapping[str, Value]
) -> tuple[Mapping[str, Value | None], bool]:
    """The exact value of each output, and whether equal scores leave some open; raises `Undefined`."""
    outcomes = every_choice(circuit, inputs, weights)
    found = [outcome.outputs for outcome in islice(outcomes, MOST_CHOICES)]
    if next(outcomes, None) is not None:
        return dict(enclose(circuit, inputs, weights)), True
    return {name: any_outcome([one[name] for one in found]) for name in found[0]}, len(found) > 1


def any_outcome(found: Sequence[Value]) -> Value:
    """What encloses every one of several values of one type."""
    reals = [value for value in found if isinstance(value, Reals)]
    choices = [value for value in found if isinstance(value, Choices)]
    return hull(reals) if reals else merged(choices)


def in_torch(circuit: Circuit, weights: Weights) -> dict[str, tuple[Entries, str]]:
    """What PyTorch computes of each output, and the name of the dtype it computes in."""
    import torch

    from circ.compiler.readings.torch import NAMES, module, numbers, whole_numbers

    runs = module(circuit, weights)
    with torch.no_grad():
        found = {name: value[0] for name, value in runs({}).items()}
    dtype = NAMES[runs.dtype]
    return {
        name: (tuple((numbers if value.is_floating_point() else whole_numbers)(value)), dtype)
        for name, value in found.items()
    }


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
