"""Replaying a witness: in exact arithmetic, which decides, and in PyTorch, which is shown beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from math import inf
from typing import assert_never

import torch
from torch import Tensor

from circ.compiler.ir import Circuit, Real, WireType
from circ.compiler.margin import margin, with_slack
from circ.compiler.obligation import Bound, Obligation, Witness
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.clock import TimeUp
from circ.compiler.readings.floats import deviation
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, constants
from circ.compiler.readings.roundoff import execution
from circ.compiler.readings.torch import (
    DTYPES,
    NAMES,
    CircuitModule,
    module,
    numbers,
    whole_numbers,
)
from circ.compiler.rounding import SPELLED, nearest
from circ.compiler.tensor import Weights
from circ.compiler.trial import fits, trial
from circ.compiler.verdict import Replay, Shown
from circ.runtime.show import between_text, code_text, float_text, tensor_text

SHOW = "show "
SLACK = "slack goal"
ROWS = 1024


def replay(obligation: Obligation, weights: Weights, witness: Witness) -> Replay:
    """What the exact reference and PyTorch, in the checkpoint's dtype, say at a witness.

    `exact` holds only if the witness meets every condition and misses the goal, surely; `torch` if
    PyTorch misses the goal. A witness of another shape than the binders refutes nothing. Where the time is up
    for the reference, PyTorch is not asked.
    """
    if not fits(obligation, witness):
        return Replay(exact=False, torch=False, shown=())
    circuit = with_slack(obligation.circuit, ["goal"], margin)
    shows = [name for name in circuit.outputs if name.startswith(SHOW)]
    extra = [name for name in (*shows, SLACK) if name in circuit.outputs]
    found = trial(replace(obligation, circuit=circuit), weights, witness, extra)
    if found.late:
        return Replay(exact=False, torch=False, shown=(), late=True)
    judge = program(obligation, weights, ["goal", *shows])
    inputs = batch_of(obligation.binders, [witness], judge.dtype)
    with torch.no_grad():
        computed = judge(inputs)
    return Replay(
        exact=found.refutes,
        torch=not bool(computed["goal"]),
        shown=tuple(shown(name, obligation, found.outputs, computed, judge) for name in shows),
        violation=violation(found.outputs.get(SLACK)),
        tie=found.tie,
        rounded=is_rounded(obligation.binders, witness, judge.dtype),
        deviation=strays(obligation, weights, inputs, NAMES[judge.dtype]),
    )


def strays(
    obligation: Obligation, weights: Weights, inputs: Mapping[str, Tensor], dtype: str
) -> float | None:
    """How far, at most, a program in this dtype is from the goal's exact slack at one input.

    Any order of summation, `exp` within 2 ulp; None where the slack is not real or not bounded.
    """
    circuit = with_slack(obligation.circuit, ["goal"], margin)
    if SLACK not in circuit.outputs:
        return None
    point = {name: value[0].double().numpy()[..., None] for name, value in inputs.items()}
    (most,) = deviation(circuit, weights, point, circuit.outputs[SLACK], execution(dtype))
    return float(most) if most < inf else None


def replays(
    obligation: Obligation, weights: Weights, witnesses: Iterable[Witness]
) -> Iterator[tuple[Witness, bool]]:
    """Each with whether it refutes the obligation in exact arithmetic: `replay(…).exact` alone.

    What no input changes is computed once; a witness that it leaves open is tried again without. It ends
    early where the time is up.
    """
    with suppress(TimeUp):
        known = constants(obligation.circuit, weights)
        for witness in witnesses:
            found = trial(obligation, weights, witness, known=known)
            found = found if found.refutes else trial(obligation, weights, witness)
            if found.late:
                return
            yield witness, found.refutes


def replay_many(
    obligation: Obligation, weights: Weights, witnesses: Sequence[Witness]
) -> list[bool]:
    """For each witness, whether PyTorch misses the goal there; in batches."""
    judge = program(obligation, weights, ["goal"])
    waiting, missed = iter(witnesses), list[bool]()
    with torch.no_grad():
        while some := list(islice(waiting, ROWS)):
            goal = judge(batch_of(obligation.binders, some, judge.dtype))["goal"]
            missed.extend(code == 0 for code in whole_numbers(goal))
    return missed


def program(obligation: Obligation, weights: Weights, names: Sequence[str]) -> CircuitModule:
    """These outputs in PyTorch: in the format that the claim is over, or in the checkpoint's dtype."""
    dtype = None if obligation.over is None else DTYPES[SPELLED[obligation.over]]
    return module(only(obligation.circuit, names), weights, dtype)


def only(circuit: Circuit, names: Sequence[str]) -> Circuit:
    """The circuit with these outputs alone."""
    return replace(circuit, outputs={name: circuit.outputs[name] for name in names})


# --- inputs ---------------------------------------------------------------------------------


def batch_of(
    binders: Sequence[Bound], witnesses: Sequence[Witness], dtype: torch.dtype
) -> dict[str, Tensor]:
    """Witnesses as a batch, each real rounded to the nearest number of `dtype`."""
    batch: dict[str, Tensor] = {}
    for bound in binders:
        shape = (len(witnesses), *bound.type.shape)
        if bound.type.sort == Real():
            rows = [rounded(witness[bound.name], dtype) for witness in witnesses]
            batch[bound.name] = torch.tensor(rows, dtype=dtype).reshape(shape)
        else:
            codes = [[int(code) for code in witness[bound.name]] for witness in witnesses]
            batch[bound.name] = torch.tensor(codes, dtype=torch.int64).reshape(shape)
    return batch


def rounded(entries: Sequence[Fraction | int], dtype: torch.dtype) -> list[float]:
    """Each number as the nearest of a dtype."""
    return [nearest(Fraction(entry), NAMES[dtype]) for entry in entries]


def is_rounded(binders: Sequence[Bound], witness: Witness, dtype: torch.dtype) -> bool:
    """Whether an entry is no number of the dtype."""
    reals = [witness[bound.name] for bound in binders if bound.type.sort == Real()]
    return any(list(entries) != rounded(entries, dtype) for entries in reals)


# --- outputs --------------------------------------------------------------------------------


def violation(slack: Value | None) -> Fraction | None:
    """The goal's margin; of an enclosed one, the end nearest to zero."""
    match slack:
        case Reals():
            ((low, high),) = slack.box
            return min(max(low, Fraction(0)), high) if low != high else low
        case Choices() | None:
            return None
        case _:
            assert_never(slack)


def shown(
    name: str,
    obligation: Obligation,
    exact: Mapping[str, Value],
    computed: Mapping[str, Tensor],
    judge: CircuitModule,
) -> Shown:
    """One compared value, exact and as PyTorch computed it."""
    kind = obligation.circuit.types[obligation.circuit.outputs[name]]
    members = obligation.members.get(name, ())
    told = exact_text(exact[name], kind, members) if name in exact else "undefined"
    return Shown(name.removeprefix(SHOW), told, torch_text(computed[name][0], kind, members, judge))


def exact_text(value: Value, kind: WireType, members: Sequence[str]) -> str:
    """An exact value, or what is known of it."""
    match value:
        case Reals(box=box):
            entries = [between_text(low, high) for low, high in box]
        case Choices(sets=sets):
            entries = [
                " or ".join(code_text(code, kind, members) for code in sorted(options))
                for options in sets
            ]
        case _:
            assert_never(value)
    return tensor_text(entries, kind.shape)


def torch_text(value: Tensor, kind: WireType, members: Sequence[str], judge: CircuitModule) -> str:
    """A value that PyTorch computed."""
    if kind.sort == Real():
        entries = [float_text(entry, NAMES[judge.dtype]) for entry in numbers(value)]
    else:
        entries = [code_text(code, kind, members) for code in whole_numbers(value)]
    return tensor_text(entries, kind.shape)
