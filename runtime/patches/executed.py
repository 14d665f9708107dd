"""What PyTorch computes of the edited checkpoint in its own dtype, at some inputs: seen there, and proved nowhere.

A proof is about real numbers, and an edit is small: in half precision rounding may well hide it. Of words, all of a small domain are tried; of a larger
one those that the search looked at, and others by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from time import monotonic

import torch

from circ.compiler.ir import Real
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings import clock
from circ.compiler.readings.straying import words_alone
from circ.compiler.readings.torch import NAMES, module, whole_numbers
from circ.compiler.rewrite import live
from circ.compiler.rounding import SPELLED
from circ.compiler.tensor import Weights
from circ.runtime.engines.batches import batch_size
from circ.runtime.engines.words import total
from circ.runtime.patches.conflicts import admitted
from circ.runtime.patches.left_out import batch, words_of
from circ.runtime.patches.outcomes import Executed
from circ.runtime.replay import batch_of, only, program

MOST = 2**12
"""Inputs tried of a requirement."""

ROWS = 2**8
SECONDS = 1.0
"""For all requirements together; what was tried by then is told."""

SPELLED_OF = {name: spelled for spelled, name in SPELLED.items()}

Batch = Mapping[str, torch.Tensor]


def executed(
    asked: Sequence[tuple[Obligation, Sequence[Witness]]], weights: Weights, deadline: float
) -> tuple[Executed, ...]:
    """What was seen of each requirement on words, with the inputs that the search looked at; those of several lengths together."""
    until = min(deadline, monotonic() + SECONDS)
    found = [
        each
        for obligation, witnesses in asked
        if words_alone(obligation.binders) and not (obligation.over or obligation.quantities)
        for each in [run(obligation, witnesses, weights, until)]
        if each.tried
    ]
    groups = groupby(found, key=lambda each: each.obligation.name)
    return tuple(together([*group]) for _, group in groups)


def together(found: Sequence[Executed]) -> Executed:
    """Those of one requirement, as one: the first at which PyTorch does otherwise, if there is one."""
    first = next((each for each in found if each.otherwise), found[0])
    tried, otherwise = sum(e.tried for e in found), sum(e.otherwise for e in found)
    return replace(first, tried=tried, otherwise=otherwise)


def run(
    obligation: Obligation, witnesses: Sequence[Witness], weights: Weights, until: float
) -> Executed:
    """What is seen of one requirement until the time is up; an input at which PyTorch does otherwise is surely one of it."""
    judge = program(obligation, weights, ["goal"])
    asked = only(obligation.circuit, obligation.conditions)
    conditions = module(asked, weights, torch.float64)
    wires = live(asked, asked.outputs.values())
    discrete = all(asked.types[wire].sort != Real() for wire in wires)
    tried, failing = 0, list[Witness]()
    with torch.no_grad(), suppress(clock.TimeUp), clock.until(until):
        for inputs, count in inputs_of(obligation, witnesses):
            if monotonic() > until:
                break
            met = conjunction(conditions(inputs), count)
            missed = met & ~judge(inputs)["goal"].expand(count)
            places = [at(obligation, inputs, row) for row in whole_numbers(missed.nonzero())]
            sure = [w for w in places if discrete or admitted(obligation, w, (), weights)]
            tried += int(met.sum()) - len(places) + len(sure)
            failing += sure
    first = failing[0] if failing else None
    return Executed(obligation, SPELLED_OF[NAMES[judge.dtype]], tried, len(failing), first)


def conjunction(truths: Mapping[str, torch.Tensor], count: int) -> torch.Tensor:
    """Which of so many inputs meet all of these."""
    met = torch.ones(count, dtype=torch.bool)
    for truth in truths.values():
        met &= truth
    return met


def inputs_of(obligation: Obligation, witnesses: Sequence[Witness]) -> Iterator[tuple[Batch, int]]:
    """All words of a small domain in batches; else these inputs, and random ones, each once."""
    binders, words = obligation.binders, total(obligation.binders)
    rows = min(ROWS, batch_size(obligation.circuit, [*obligation.conditions, "goal"]))
    if words <= MOST:
        for start in range(0, words, rows):
            numbers = torch.arange(start, min(start + rows, words))
            yield words_of(binders, numbers), len(numbers)
        return
    drawn = batch(binders, torch.Generator().manual_seed(0))
    chosen = [*dict.fromkeys([*witnesses, *(at(obligation, drawn, row) for row in range(MOST))])]
    for start in range(0, len(chosen), rows):
        some = chosen[start : start + rows]
        yield batch_of(binders, some, torch.float64), len(some)


def at(obligation: Obligation, inputs: Batch, row: int) -> Witness:
    """One input of a batch."""
    letters = ((b.name, whole_numbers(inputs[b.name][row])) for b in obligation.binders)
    return Witness(tuple((name, tuple(codes)) for name, codes in letters))
