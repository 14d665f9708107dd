"""Claims about words, random or built, and what going through every word exactly says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod

from hypothesis import strategies as st

from circ.compiler.builder import Builder, truth
from circ.compiler.ir import Bool, Circuit, Index, Wire, WireType
from circ.compiler.obligation import Bound, Obligation, Witness, Words
from circ.compiler.readings.choices import TRUE
from circ.compiler.readings.reference import at_point
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.trial import truth as truth_of
from circ.lang.span import Source, Span
from circ.runtime.engines.cuts import binders_read
from tests.agreement.circuits import Sample

CONDITION = st.booleans()
SPAN = Span(Source("spec.circ", "claim c: true\n"), 0, 5)


def claim(circuit: Circuit) -> Obligation:
    """The obligation of a circuit whose inputs are words."""
    binders: list[Bound] = []
    for name, wire in circuit.inputs.items():
        known = circuit.types[wire]
        assert isinstance(known.sort, Index)
        names = tuple(f"m{i}" for i in range(known.sort.size))
        binders.append(Bound(name, known, Words(names)))
    arms = (SPAN,) * sum(name.startswith("arm ") for name in circuit.outputs)
    return Obligation("c", "forall", circuit, tuple(binders), SPAN, arms=arms)


@st.composite
def claims(draw: st.DrawFn, sample: Sample) -> Obligation:
    """The sample's goal, with any of its truths as conditions."""
    circuit = sample.circuit
    scalars = [Wire(i) for i, known in enumerate(circuit.types) if known == WireType(Bool(), ())]
    readers = binders_read(circuit, scalars)
    outputs = {"goal": circuit.outputs["goal"]}
    for name in circuit.inputs:
        own = [wire for wire in scalars if readers[wire] <= {name}]
        if draw(CONDITION) and own:
            outputs[f"in {name}"] = draw(st.sampled_from(own))
    if draw(CONDITION):
        outputs["where"] = draw(st.sampled_from(scalars))
    return claim(with_domains(circuit, outputs))


def with_domains(circuit: Circuit, outputs: Mapping[str, Wire]) -> Circuit:
    """The circuit with these outputs; an input without a domain condition gets one that holds."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update({op: Wire(i) for i, op in enumerate(circuit.ops)})
    always = truth(b, True)
    domains = {f"in {name}": always for name in circuit.inputs}
    return b.circuit({**domains, **outputs})


# --- brute force ----------------------------------------------------------------------------


@dataclass(slots=True)
class Exactly:
    """The inputs that meet the conditions in some way, and those that then miss the goal."""

    inside: list[Witness] = field(default_factory=list[Witness])
    failing: list[Witness] = field(default_factory=list[Witness])
    tied: list[Witness] = field(default_factory=list[Witness])
    always: bool = True


def inputs_of(obligation: Obligation) -> Iterator[Witness]:
    """Every input, conditions aside."""
    ranges = [
        product(range(len(bound.values.members)), repeat=bound.type.entries)
        for bound in obligation.binders
        if isinstance(bound.values, Words)
    ]
    names = [bound.name for bound in obligation.binders]
    for words in product(*ranges):
        yield Witness(tuple(zip(names, words, strict=True)))


def size_of(obligation: Obligation) -> int:
    """How many inputs there are, conditions aside."""
    return prod(
        len(bound.values.members) ** bound.type.entries
        for bound in obligation.binders
        if isinstance(bound.values, Words)
    )


def gone_through(obligation: Obligation, weights: Weights) -> Exactly:
    """What the exact reference says of every input."""
    found = Exactly()
    for witness in inputs_of(obligation):
        point = at_point(obligation.circuit, dict(witness.values))
        names = obligation.conditions
        cases = [
            all(truth_of(case.outputs[name]) == TRUE for name in names)
            for case in every_choice(obligation.circuit, point, weights, outputs=names)
        ]
        if any(cases):
            found.inside.append(witness)
        found.always = found.always and len(set(cases)) == 1
        tried = trial(obligation, weights, witness)
        if tried.refutes:
            (found.tied if tried.tie else found.failing).append(witness)
    return found
