"""Requirements that conflict: each input that is named is put to the exact reference before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.freeze import dependent
from circ.compiler.ir import Circuit, Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.choices import TRUE, Choices
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.tensor import Weights
from circ.compiler.trial import fits


def stray(
    instances: Sequence[tuple[str, Witness]],
    obligations: Sequence[Obligation],
    keys: Sequence[str],
    weights: Weights,
) -> str:
    """The first requirement, of those that are named with an input, that may say nothing of it; empty where none is."""
    asked = {o.title: o for o in obligations}
    found = (title for title, w in instances if not admitted(asked[title], w, keys, weights))
    return next(found, "")


def admitted(
    obligation: Obligation, witness: Witness, keys: Sequence[str], weights: Weights
) -> bool:
    """Whether an input surely meets what a requirement assumes; what rests on the edited tensors is not asked."""
    circuit = obligation.circuit
    moving = dependent(circuit, [Wire(i) for i in range(len(circuit.ops))], keys)
    names = [n for n in obligation.conditions if circuit.outputs[n] not in moving]
    asked = Circuit(circuit.ops, circuit.types, {n: circuit.outputs[n] for n in names})
    if not fits(obligation, witness):
        return False
    try:
        point = at_point(asked, {name: witness[name] for name in asked.inputs})
        held = enclose(asked, point, weights)
    except Undefined:
        return False
    return all(isinstance(x, Choices) and x.sets == (TRUE,) for x in held.values())
