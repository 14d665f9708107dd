"""A network and a property as obligations: each says that no input of a case is what is looked for.

So `refuted` is `sat`, and all of them proved is `unsat`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import assert_never

from circ.compiler.builder import Builder, both, combine, every, number, reals, reindex, truth
from circ.compiler.ir import (
    All,
    Any,
    Circuit,
    Compare,
    Comparison,
    Input,
    Not,
    Op,
    Real,
    Shape,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Box, Obligation, Reals
from circ.compiler.onnx.network import Network, read_network
from circ.compiler.passes import run_passes
from circ.compiler.passes.drop_dead import copied
from circ.compiler.tensor import Weights
from circ.compiler.vnnlib.cases import Case, cases
from circ.compiler.vnnlib.formula import Atom, Both, Either, Formula, Property, negation
from circ.compiler.vnnlib.text import Group, groups, read_text
from circ.compiler.vnnlib.version1 import Reader
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import misfit
from circ.lang.span import Source

INPUT = "X"
OUTPUT = "show Y"
"""The output that has the network's outputs, in a row."""

VERSION_2 = ("vnnlib-version", "declare-network")
"""What a text of version 2.0 starts with."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """The obligations of a problem, one a box, each made when it is asked for."""

    base: Circuit
    cases: tuple[Case, ...]
    asked: Property

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Obligation]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> Obligation:
        name = self.asked.name
        several = len(self) > 1
        told = f"{name}, box {number + 1}" if several else name
        return obligation(self.base, self.cases[number], self.asked, told)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be decided, and what it was read from."""

    network: Network
    asked: Property
    obligations: Boxes

    @property
    def weights(self) -> Weights:
        """The tensors that the obligations read."""
        return self.network.weights


def read_problem(network: Path, wanted: Path) -> Problem:
    """The problem in two files; raises `CircError` (E0401-E0403, E08xx)."""
    source = read_text(wanted)
    asked = read_property(source)
    return problem(read_network(network), asked)


def read_property(source: Source) -> Property:
    """The property in a text of either version; raises `CircError` (E0801, E0811, E0812, E0815, E0817)."""
    found: list[Group] = []
    for group in groups(source):
        if group.head in VERSION_2:
            from circ.compiler.vnnlib import version2

            return version2.read(source)
        found.append(group)
    return Reader(source).read(found)


def problem(network: Network, asked: Property) -> Problem:
    """The obligations of a property about a network; raises `CircError` (E0813, E0814, E0816)."""
    if network.vocabularies:
        reason = f"the network's input `{next(iter(network.vocabularies))}` is of tokens, and properties are about reals"
        raise CircError(misfit(asked.span, reason))
    inputs = sum(prod(shape) for _, shape in network.inputs)
    outputs = sum(prod(shape) for _, shape in network.outputs)
    if asked.inputs != inputs:
        reason = f"it has {asked.inputs:,} inputs, the network {inputs:,}"
        raise CircError(misfit(asked.span, reason))
    if asked.outputs > outputs:
        reason = f"it has {asked.outputs:,} outputs, the network {outputs:,}"
        raise CircError(misfit(asked.span, reason))
    found = tuple(cases(asked))
    return Problem(network, asked, Boxes(run_passes(prepared(network)), found, asked))


def prepared(network: Network) -> Circuit:
    """The network as a function of one input X, its outputs in a row as another."""
    b = Builder()
    shapes = [shape for _, shape in network.inputs]
    count = sum(map(prod, shapes))
    shape = shapes[0] if len(shapes) == 1 else (count,)
    x = b.add(Input(INPUT, WireType(Real(), shape)))
    parts = divided(b, x, shapes)
    named = dict(zip((name for name, _ in network.inputs), parts, strict=True))

    def replace(_wire: Wire, op: Op) -> Wire | None:
        return named[op.name] if isinstance(op, Input) else None

    same = copied(network.circuit, b, replace)
    wires = [same.outputs[name] for name, _ in network.outputs]
    total = sum(prod(shape) for _, shape in network.outputs)
    return b.circuit({OUTPUT: reindex(b, wires, range(total), (total,))})


def divided(b: Builder, x: Wire, shapes: Sequence[Shape]) -> list[Wire]:
    """The inputs of the network, cut out of X."""
    found: list[Wire] = []
    start = 0
    for shape in shapes:
        found.append(reindex(b, [x], range(start, start + prod(shape)), shape))
        start += prod(shape)
    return found


def obligation(base: Circuit, case: Case, asked: Property, name: str) -> Obligation:
    """One case: for all inputs of the box that meet its conditions, not what is looked for."""
    b = Builder(list(base.ops), list(base.types), {op: Wire(k) for k, op in enumerate(base.ops)})
    x = base.inputs[INPUT]
    says = Says(b, x, base.outputs[OUTPUT])
    conditions = [*within(b, x, case.box), *map(says.atom, case.conditions)]
    outputs = {
        f"in {INPUT}": both(b, *conditions),
        "goal": says.formula(negation(case.sought)),
        OUTPUT: base.outputs[OUTPUT],
    }
    bound = Bound(INPUT, base.types[x], Reals(case.box))
    return Obligation(name, "forall", b.circuit(outputs), (bound,), asked.span)


def outright(obligation: Obligation) -> Obligation:
    """The same claim without conditions: where one fails, it holds."""
    circuit = obligation.circuit
    b = Builder(list(circuit.ops), list(circuit.types), {})
    wires = [circuit.outputs[name] for name in obligation.conditions]
    options = [*(b.add(Not(wire)) for wire in wires), circuit.outputs["goal"]]
    goal = b.add(Any(reindex(b, options, range(len(options)), (len(options),))))
    return replace(obligation, circuit=b.circuit({"goal": goal}))


def within(b: Builder, x: Wire, box: Box) -> list[Wire]:
    """Whether X lies in a box."""
    shape = b.shape(x)
    lows = reals(b, [low for low, _ in box], shape)
    highs = reals(b, [high for _, high in box], shape)
    return [every(b, b.add(Compare("<=", lows, x))), every(b, b.add(Compare("<=", x, highs)))]


@dataclass(frozen=True, slots=True)
class Says:
    """Formulas about an input and an output, as truths of a circuit."""

    b: Builder
    x: Wire
    y: Wire

    def formula(self, formula: Formula) -> Wire:
        """A formula."""
        match formula:
            case Atom():
                return self.atom(formula)
            case Both(parts=()):
                return truth(self.b, True)
            case Either(parts=()):
                return truth(self.b, False)
            case Both(parts=(part,)) | Either(parts=(part,)):
                return self.formula(part)
            case Both(parts=parts):
                return self.b.add(All(self.stacked(parts)))
            case Either(parts=parts):
                return self.b.add(Any(self.stacked(parts)))
            case _:
                assert_never(formula)

    def stacked(self, parts: Sequence[Formula]) -> Wire:
        """Truths in a row."""
        wires = [self.formula(part) for part in parts]
        return reindex(self.b, wires, range(len(wires)), (len(wires),))

    def atom(self, atom: Atom) -> Wire:
        """A comparison: what has a positive coefficient on the left, the rest on the right."""
        places = [(c, self.x, k) for k, c in atom.inputs] + [
            (c, self.y, k) for k, c in atom.outputs
        ]
        left = [(c, self.entry(wire, k)) for c, wire, k in places if c > 0]
        right = [(-c, self.entry(wire, k)) for c, wire, k in places if c < 0]
        op: Comparison = "<" if atom.strict else "<="
        if not left or (right and atom.bound < 0):
            return self.b.add(
                Compare(op, self.sum(left, -atom.bound), self.sum(right, Fraction(0)))
            )
        return self.b.add(Compare(op, self.sum(left, Fraction(0)), self.sum(right, atom.bound)))

    def sum(self, terms: list[tuple[Fraction, Wire]], constant: Fraction) -> Wire:
        """A linear combination and a constant."""
        if constant or not terms:
            terms = [*terms, (Fraction(1), number(self.b, constant))]
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return combine(self.b, *terms)

    def entry(self, wire: Wire, place: int) -> Wire:
        """One entry."""
        return reindex(self.b, [wire], (place,), ())
