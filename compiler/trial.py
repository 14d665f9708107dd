"""Putting a proposed counterexample to the exact reference, which decides.

Part of the trusted base: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from circ.compiler.ir import Index, Wire
from circ.compiler.obligation import Bound, Obligation, Witness
from circ.compiler.readings.choices import FALSE, TRUE, Choices
from circ.compiler.readings.clock import TimeUp
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.reference import BITS, Value, at_point
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights

PRECISIONS = (BITS, 8 * BITS)
"""Bits that smooth functions are enclosed to, one after the other, until the outcome is decided."""

MOST_CHOICES = 256
"""Most ways of breaking ties that are tried."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What exact arithmetic says of an input.

    `refutes`: it meets every condition and misses the goal. `tie`: it does so for some choice
    function, but not (or not surely) for every one. `outputs`: their values in the case that
    decided, empty where the circuit is undefined there or the input does not fit. `late`: the time was up
    before anything could be said.
    """

    refutes: bool
    tie: bool = False
    outputs: Mapping[str, Value] = field(default_factory=dict[str, Value])
    late: bool = False


def trial(
    obligation: Obligation,
    weights: Weights,
    witness: Witness,
    show: Iterable[str] = (),
    known: Mapping[Wire, Value] | None = None,
) -> Trial:
    """Whether `witness` refutes the obligation; what enclosures leave open does not.

    `show` names outputs to be evaluated besides those that decide; `known` is as in `enclose`.
    """
    if not fits(obligation, witness):
        return Trial(refutes=False)
    found = Trial(refutes=False)
    for bits in PRECISIONS:
        names = [*obligation.conditions, "goal", *show]
        try:
            found, decided = settled(
                outcomes(obligation, weights, witness, bits, names, known), obligation
            )
        except Undefined:
            return Trial(refutes=False)
        except TimeUp:
            return Trial(refutes=False, late=True)
        if decided:
            break
    return found


def fits(obligation: Obligation, witness: Witness) -> bool:
    """Whether the witness gives each binder as many entries as it has, and codes it knows."""
    given = dict(witness.values)
    return all(
        bound.name in given and fits_binder(bound, given[bound.name])
        for bound in obligation.binders
    )


def fits_binder(bound: Bound, entries: tuple[object, ...]) -> bool:
    """Whether these are entries of one binder."""
    match bound.type.sort:
        case Index(size=size):
            known = set(range(size))
            return len(entries) == bound.type.entries and known.issuperset(entries)
        case _:
            return len(entries) == bound.type.entries


def outcomes(
    obligation: Obligation,
    weights: Weights,
    witness: Witness,
    bits: int,
    names: list[str],
    known: Mapping[Wire, Value] | None,
) -> Iterator[Mapping[str, Value]]:
    """The outputs for each way of breaking ties."""
    circuit = obligation.circuit
    point = at_point(circuit, {name: witness[name] for name in circuit.inputs})
    for outcome in every_choice(circuit, point, weights, bits, names, known):
        yield outcome.outputs


def settled(cases: Iterator[Mapping[str, Value]], obligation: Obligation) -> tuple[Trial, bool]:
    """The trial that these cases make, and whether more precision could not change it."""
    first: Mapping[str, Value] | None = None
    against: Mapping[str, Value] | None = None
    others = unclear = False
    for outputs in islice(cases, MOST_CHOICES):
        verdict = refuted(outputs, obligation)
        first = outputs if first is None else first
        against = outputs if verdict is True and against is None else against
        others = others or verdict is not True
        unclear = unclear or verdict is None
        if against is not None and others:
            break
    if against is None:
        return Trial(refutes=False, outputs=first or {}), not unclear
    tie = others or next(cases, None) is not None
    return Trial(refutes=True, tie=tie, outputs=against), True


def refuted(outputs: Mapping[str, Value], obligation: Obligation) -> bool | None:
    """Whether the conditions hold and the goal does not; None where that is open."""
    conditions = [truth(outputs[name]) for name in obligation.conditions]
    goal = truth(outputs["goal"])
    if FALSE in conditions or goal == TRUE:
        return False
    return True if goal == FALSE and all(c == TRUE for c in conditions) else None


def truth(value: Value) -> frozenset[int]:
    """The values that a scalar truth may have."""
    assert isinstance(value, Choices)
    return value.sets[0]
