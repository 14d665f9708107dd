"""Search for an input of a float format at which PyTorch, in that format, misses the goal.

Sampling, corners and descent propose, as for exact counterexamples (`search.py`); each proposal is
rounded to the format, within the box, and run. An input counts if it meets the domain's conditions
exactly, and the `where` both exactly and as executed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice

import torch
from torch import Tensor

from circ.compiler.builder import Builder, truth
from circ.compiler.finding import Limits, Progress
from circ.compiler.ir import Circuit, Real
from circ.compiler.obligation import Bound, Obligation, Reals, Witness
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings.torch import CircuitModule, numbers, whole_numbers
from circ.compiler.rounding import SPELLED, at_least, at_most
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.runtime.engines.ground import Batch, ground
from circ.runtime.engines.search import STEPS, Hunt, referee
from circ.runtime.replay import ROWS, batch_of, program

SECONDS = 1.0
"""What rounding breaks is found soon or seldom."""

TRIED = 8
"""Inputs of a batch whose conditions are looked at exactly."""

AROUND = 256
"""Neighbours of an input that are tried."""


@dataclass(frozen=True, slots=True)
class Court:
    """A claim over floats, ready to be run; `ends` has each real binder's least and greatest floats."""

    obligation: Obligation
    weights: Weights
    judge: CircuitModule
    admitted: Obligation
    ends: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict[str, tuple[Tensor, Tensor]])


def court(obligation: Obligation, weights: Weights) -> Court:
    """The claim in PyTorch, in its format."""
    assert obligation.over is not None
    judge = program(obligation, weights, ["goal", "where"])
    found = Court(
        obligation, weights, judge, replace(obligation, circuit=missed(obligation.circuit))
    )
    for bound in obligation.binders:
        if isinstance(bound.values, Reals):
            low, high = grid(bound, SPELLED[obligation.over])
            sides = [torch.tensor(side, dtype=judge.dtype) for side in (low, high)]
            found.ends[bound.name] = (
                sides[0].reshape(bound.type.shape),
                sides[1].reshape(bound.type.shape),
            )
    return found


def grid(bound: Bound, dtype: str) -> tuple[list[float], list[float]]:
    """The least and the greatest number of a format in each side of a binder's box."""
    assert isinstance(bound.values, Reals)
    low = [at_least(a, dtype) for a, _ in bound.values.box]
    return low, [at_most(b, dtype) for _, b in bound.values.box]


def missed(circuit: Circuit) -> Circuit:
    """The circuit with a goal that nothing meets, so that a trial looks at the conditions alone."""
    b = Builder()
    same = copied(circuit, b, keep)
    return b.circuit({**same.outputs, "goal": truth(b, False)})


# --- judging --------------------------------------------------------------------------------


def failing(at: Court, inputs: Batch) -> Iterator[Witness]:
    """The first of those rows that miss the goal as executed, alone too, and meet the conditions."""
    for row in whole_numbers(fails(at, inputs).nonzero())[:TRIED]:
        witness = row_of(at.obligation, inputs, row)
        alone = {name: value[row : row + 1] for name, value in inputs.items()}
        if bool(fails(at, alone)) and trial(at.admitted, at.weights, witness).refutes:
            yield witness


def fails(at: Court, inputs: Batch) -> Tensor:
    """For each row, whether it misses the goal and meets the `where`; a batch may be added up in
    another order than a row alone."""
    with torch.no_grad():
        computed = at.judge(inputs)
    return torch.logical_and(computed["where"], computed["goal"].logical_not())


def row_of(obligation: Obligation, inputs: Batch, row: int) -> Witness:
    """One row, exactly."""
    values: list[tuple[str, tuple[Fraction | int, ...]]] = []
    for bound in obligation.binders:
        entries = inputs[bound.name][row]
        if bound.type.sort == Real():
            values.append((bound.name, tuple(Fraction(x) for x in numbers(entries))))
        else:
            values.append((bound.name, tuple(whole_numbers(entries))))
    return Witness(tuple(values))


def representable(at: Court, inputs: Batch) -> Batch:
    """The nearest inputs of the format, within the box."""
    found = dict(inputs)
    for name, (low, high) in at.ends.items():
        found[name] = inputs[name].to(at.judge.dtype).clamp(low, high)
    return found


# --- looking --------------------------------------------------------------------------------


def float_search(at: Court, limits: Limits, progress: Progress) -> Witness | None:
    """An input at which the execution fails, if sampling or descent finds one."""
    until = time.monotonic() + min(SECONDS, max(limits.timeout, 0.1))
    where = ground(at.obligation.binders, seed=0)
    obligation = replace(at.obligation, over=None)
    hunt = Hunt(obligation, at.weights, where, referee(obligation, at.weights), until)
    for number, batch in enumerate(hunt.starts()):
        for moved in (batch, *islice(hunt.descent(batch), 0, STEPS, 4)):
            progress(number / 17, "searching for an execution that fails")
            found = next(failing(at, representable(at, where.inputs(moved))), None)
            if found is not None or hunt.late:
                return found
    return None


def near(at: Court, witnesses: Sequence[Witness]) -> Iterator[Witness]:
    """Of inputs that may fail, and of those around the first, the ones that do as executed."""
    where = at.obligation.binders
    rows = iter(witnesses)
    while some := [*islice(rows, ROWS)]:
        yield from failing(at, representable(at, batch_of(where, some, at.judge.dtype)))
    if at.ends and witnesses:
        yield from failing(at, representable(at, shaken(at, witnesses[0])))


def shaken(at: Court, witness: Witness) -> Batch:
    """Many copies of an input, its real entries moved by a few units in the last place, or by more."""
    batch = batch_of(at.obligation.binders, [witness] * AROUND, at.judge.dtype)
    chance = torch.Generator().manual_seed(0)
    scales = torch.logspace(-8, -1, AROUND, dtype=torch.float64)
    for name, (low, high) in at.ends.items():
        wide = (high.double() - low.double()).nan_to_num(0, 0, 0)
        moves = torch.rand(batch[name].shape, generator=chance, dtype=torch.float64) * 2 - 1
        moves *= scales.reshape(-1, *[1] * wide.dim()) * wide
        batch[name] = batch[name].double() + moves
    return batch


def without_floats(obligation: Obligation, dtype: str) -> str | None:
    """The binder whose box has no number of the format, if there is one."""
    for bound in real_binders(obligation.binders):
        low, high = grid(bound, dtype)
        if any(a > b for a, b in zip(low, high, strict=True)):
            return bound.name
    return None


def real_binders(binders: Iterable[Bound]) -> list[Bound]:
    """Those that range over numbers."""
    return [bound for bound in binders if isinstance(bound.values, Reals)]
