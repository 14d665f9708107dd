"""The float reading: a circuit on a batch of inputs, in float64, with all rounding accounted for.

`prepare` makes a circuit ready once (constants converted and folded); `read` evaluates a batch. Real
wires come out as balls that hold the exact value, truths and indices with the slack that decided
them; what rounding leaves open is marked so (`circ.compiler.readings.decisions`) and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from math import prod
from typing import assert_never

import numpy as np

from circ.compiler.infer import IllFormed
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.readings import arrays, balls, curves, decisions, routing
from circ.compiler.readings.balls import Ball, FloatArray
from circ.compiler.readings.decisions import Codes, Discrete
from circ.compiler.readings.roundoff import DOUBLE, WIDER, Roundoff
from circ.compiler.tensor import Tensor, Weights


@dataclass(frozen=True, slots=True)
class Values:
    """What each wire carries: a ball if its sort is `Real`, else codes or truths."""

    reals: dict[Wire, Ball] = field(default_factory=dict[Wire, Ball])
    discrete: dict[Wire, Discrete] = field(default_factory=dict[Wire, Discrete])

    def __or__(self, other: Values) -> Values:
        return Values(self.reals | other.reals, self.discrete | other.discrete)

    def __contains__(self, wire: Wire) -> bool:
        return wire in self.reals or wire in self.discrete


Step = Callable[[Values], None]
"""Computes one wire from its operands and puts it among the values."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A circuit made ready: what is known, then each step and the wires not needed after it."""

    known: Values
    steps: tuple[tuple[Step, tuple[Wire, ...]], ...]


# --- reading --------------------------------------------------------------------------------


def prepare(
    circuit: Circuit,
    weights: Weights,
    wanted: Sequence[Wire],
    rounding: Roundoff = DOUBLE,
    given: Iterable[Wire] | None = None,
) -> Plan:
    """A plan that computes the wires `wanted` from those `given` (the circuit's inputs)."""
    start = frozenset(circuit.inputs.values() if given is None else given)
    known, steps, order = Values(), dict[Wire, Step](), list[Wire]()
    for wire in needed(circuit, wanted, start):
        op = circuit.ops[wire]
        steps[wire] = step(wire, op, circuit.types, weights, rounding)
        if all(operand in known for operand in operands(op)):
            with np.errstate(all="ignore"):
                steps[wire](known)
        else:
            order.append(wire)
    return Plan(known, tuple(with_drops(circuit, order, steps, frozenset(wanted))))


def needed(circuit: Circuit, wanted: Sequence[Wire], given: frozenset[Wire]) -> list[Wire]:
    """The wires that lie between those given and those wanted, in order."""
    seen: set[Wire] = set(given)
    waiting = list(wanted)
    while waiting:
        wire = waiting.pop()
        if wire not in seen:
            seen.add(wire)
            waiting.extend(operands(circuit.ops[wire]))
    return sorted(seen - given)


def with_drops(
    circuit: Circuit, order: Sequence[Wire], steps: Mapping[Wire, Step], kept: frozenset[Wire]
) -> list[tuple[Step, tuple[Wire, ...]]]:
    """Each step with the wires that no later one reads, so that their memory is used again."""
    last = {operand: wire for wire in order for operand in operands(circuit.ops[wire])}
    drops = {wire: list[Wire]() for wire in order}
    for operand, wire in last.items():
        if operand not in kept:
            drops[wire].append(operand)
    return [(steps[wire], tuple(drops[wire])) for wire in order]


def read(plan: Plan, given: Values) -> Values:
    """All wires wanted (and some others), from the values of the wires given."""
    found = plan.known | given
    with np.errstate(all="ignore"):
        for run, drops in plan.steps:
            run(found)
            for wire in drops:
                found.reals.pop(wire, None)
                found.discrete.pop(wire, None)
    return found


# --- ops ------------------------------------------------------------------------------------


def step(
    wire: Wire, op: Op, types: Sequence[WireType], weights: Weights, rounding: Roundoff
) -> Step:
    """How `op` computes its wire."""
    real, choice = partial(ball, wire), partial(discrete, wire)
    match op:
        case Input(name=name):
            raise IllFormed(f"the input {name} is not given")
        case Const(type=WireType(sort=Real(), shape=shape), values=values):
            return real(lambda: balls.constant([Fraction(v) for v in values], shape, rounding))
        case Const(type=known, values=values):
            return choice(lambda: codes(values, known))
        case Weight(key=key, shape=shape):
            return real(lambda: balls.known(stored(weights[key], shape), rounding))
        case Reindex(operands=wires, source=source, shape=shape):
            plan = arrays.moves(source, [types[x].entries for x in wires], shape)
            if types[wire].sort == Real():
                return real(lambda *parts: routing.rearranged_reals(plan, parts), *wires)
            return choice(lambda *parts: routing.rearranged_codes(plan, parts), *wires)
        case Sum(terms=terms):
            return real(balls.linear([c for c, _ in terms], rounding), *operands(op))
        case Contract(spec=spec, left=left, right=right):
            count = summands(spec, types[left].shape)
            return real(balls.contraction(arrays.product(spec), count, rounding), left, right)
        case Relu(operand=x):
            return real(balls.positive_part, x)
        case Max(operand=x):
            return real(balls.maximum, x)
        case Smooth(function=function, operand=x):
            return real(curves.smooth(function, rounding), x)
        case Softmax(operand=x):
            return real(partial(curves.softmax, rounding=rounding), x)
        case Compare():
            return compare(wire, op, types)
        case Not(operand=x):
            return choice(decisions.negated, x)
        case All(operand=x):
            return choice(decisions.conjunction, x)
        case Any(operand=x):
            return choice(decisions.disjunction, x)
        case Select():
            return select(wire, op, types, rounding)
        case Lookup():
            return lookup(wire, op, types, rounding)
        case Argmax(operand=x):
            return decided(wire, decisions.leader, x)
        case TopK(count=count, operand=x):
            return real(partial(balls.largest, count), x)
        case _:
            assert_never(op)


def ball(wire: Wire, function: Callable[..., Ball], *wires: Wire) -> Step:
    """A real wire from real wires."""

    def run(found: Values) -> None:
        found.reals[wire] = function(*(found.reals[operand] for operand in wires))

    return run


def discrete(wire: Wire, function: Callable[..., Discrete], *wires: Wire) -> Step:
    """A discrete wire from discrete wires."""

    def run(found: Values) -> None:
        found.discrete[wire] = function(*(found.discrete[operand] for operand in wires))

    return run


def decided(wire: Wire, function: Callable[..., Discrete], *wires: Wire) -> Step:
    """A discrete wire from real wires."""

    def run(found: Values) -> None:
        found.discrete[wire] = function(*(found.reals[operand] for operand in wires))

    return run


def compare(wire: Wire, op: Compare, types: Sequence[WireType]) -> Step:
    """`Compare` of reals or of indices; of a wire with itself it is decided, whatever that carries."""
    left, right = op.left, op.right
    if left == right:
        same = np.full((*types[wire].shape, 1), op.op != "<")
        return discrete(wire, lambda: Discrete(same))
    if types[left].sort != Real():
        return discrete(wire, decisions.coincide, left, right)
    return decided(wire, partial(decisions.compared, op.op), left, right)


def select(wire: Wire, op: Select, types: Sequence[WireType], rounding: Roundoff) -> Step:
    """`Select` of reals, or of truths or indices."""
    then, otherwise = op.then, op.otherwise

    def run(found: Values) -> None:
        condition = found.discrete[op.condition]
        if types[wire].sort == Real():
            sides = found.reals[then], found.reals[otherwise]
            found.reals[wire] = routing.selected_reals(condition, *sides, rounding)
        else:
            options = found.discrete[then], found.discrete[otherwise]
            found.discrete[wire] = routing.selected_codes(condition, *options)

    return run


def lookup(wire: Wire, op: Lookup, types: Sequence[WireType], rounding: Roundoff) -> Step:
    """`Lookup` in a table of reals, or of truths or indices."""
    sides = types[op.table].shape[: len(op.indices)]

    def run(found: Values) -> None:
        indices = [found.discrete[index] for index in op.indices]
        at = routing.joined(indices, sides)
        if types[wire].sort == Real():
            found.reals[wire] = routing.picked_reals(
                found.reals[op.table], at, len(sides), rounding
            )
        else:
            found.discrete[wire] = routing.picked_codes(found.discrete[op.table], at, len(sides))

    return run


def codes(values: Sequence[Fraction | int], known: WireType) -> Discrete:
    """Known truths or indices."""
    kind = np.bool_ if known.sort == Bool() else np.int64
    return Discrete(np.array(values, kind).reshape(*known.shape, 1))


def stored(tensor: Tensor, shape: Shape) -> FloatArray:
    """A checkpoint's tensor, the same for the whole batch."""
    return np.frombuffer(tensor.values).reshape(*shape, 1)


def summands(spec: str, left: Shape) -> int:
    """How many products each entry of a contraction adds up."""
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    return prod(n for c, n in zip(first, left, strict=True) if c in second and c not in output)


# --- inputs, and how far a program strays ---------------------------------------------------


def at_points(
    circuit: Circuit, points: Mapping[str, Codes | FloatArray], rounding: Roundoff = DOUBLE
) -> Values:
    """A batch of known inputs: for each one named, an array of its shape, and the batch last."""
    found = Values()
    for name, wire in circuit.inputs.items():
        if name not in points:
            continue
        if circuit.types[wire].sort == Real():
            found.reals[wire] = balls.known(points[name].astype(np.float64, copy=False), rounding)
        else:
            found.discrete[wire] = Discrete(points[name].astype(np.int64, copy=False))
    return found


def deviation(
    circuit: Circuit,
    weights: Weights,
    points: Mapping[str, Codes | FloatArray],
    wanted: Wire,
    program: Roundoff,
) -> FloatArray:
    """How far, at most, any entry of a wire as a program computes it is from its exact value.

    One bound for each point of the batch; infinite where the program may decide a comparison or an
    index otherwise. `program` is an `execution(…)`.
    """
    found = [
        read(prepare(circuit, weights, [wanted], rounding), at_points(circuit, points, rounding))
        for rounding in (program, DOUBLE)
    ]
    if circuit.types[wanted].sort == Real():
        ran, meant = (values.reals[wanted] for values in found)
        with np.errstate(invalid="ignore"):  # two infinities: not a number, so infinite below
            apart = np.abs(ran.mid - meant.mid) * WIDER + balls.radius(ran) + balls.radius(meant)
    else:
        slack = found[0].discrete[wanted].slack
        apart = np.where(np.ones(1) if slack is None else slack > 0, 0.0, np.inf)
    known = np.where(np.isnan(apart), np.inf, apart) * WIDER
    most: FloatArray = known.reshape(-1, known.shape[-1]).max(0, initial=0.0)
    return most
