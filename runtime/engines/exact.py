"""One input put to the exact reference: does it meet the conditions, and does it miss the goal?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from circ.compiler.ir import Circuit, Wire
from circ.compiler.readings.choices import FALSE, TRUE
from circ.compiler.readings.clock import LATE, TimeUp
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.reference import Value, at_point, constants
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES, PRECISIONS, truth

Codes = Mapping[str, Sequence[Fraction | int]]
"""The entries of each input, in row-major order."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What exact arithmetic says of an input; ties are broken in every way.

    `meets`: it meets the conditions in some way; None where it may, and the goal holds in any case.
    `fails`: in a way in which it meets them it misses the goal. `surely`: it meets and misses in
    every way. `open`: why that cannot be said, or empty.
    """

    meets: bool | None
    fails: bool
    surely: bool = False
    open: str = ""


Judge = Callable[[Codes], Judgement]


def judge_of(circuit: Circuit, weights: Weights, conditions: Sequence[str]) -> Judge:
    """How to judge inputs of a circuit whose outputs are these conditions and `goal`."""
    known: dict[int, dict[Wire, Value]] = {}

    def weigh(codes: Codes, names: Sequence[str], bits: int) -> Judgement:
        if bits not in known:
            known[bits] = constants(circuit, weights, bits)
        point = at_point(circuit, {name: codes[name] for name in circuit.inputs if name in codes})
        cases = every_choice(circuit, point, weights, bits, names, known[bits])
        return weighed(case_of(outcome.outputs) for outcome in cases)

    def outside(codes: Codes, bits: int) -> bool:
        with suppress(Undefined):
            met = weigh(codes, conditions, bits)
            return met.meets is False and not met.open
        return False

    def closely(codes: Codes) -> Judgement:
        found = Judgement(False, False, open="it was not tried")
        for bits in PRECISIONS:
            try:
                found = weigh(codes, [*conditions, "goal"], bits)
            except Undefined as error:
                reason = "" if outside(codes, bits) else f"undefined there: {error}"
                found = Judgement(False, False, open=reason)
            if not found.open:
                break
        return found

    def judge(codes: Codes) -> Judgement:
        try:
            return closely(codes)
        except TimeUp:
            return Judgement(False, False, open=LATE)

    return judge


Case = tuple[bool | None, bool | None]
"""Whether the conditions hold, and whether the goal does not; None where that is open."""


def case_of(outputs: Mapping[str, Value]) -> Case:
    """What one way of breaking ties leads to; without a goal there is nothing to miss."""
    conditions = {truth(value) for name, value in outputs.items() if name != "goal"}
    goal = truth(outputs["goal"]) if "goal" in outputs else TRUE
    meets = False if FALSE in conditions else True if conditions <= {TRUE} else None
    return meets, True if goal == FALSE else False if goal == TRUE else None


def weighed(cases: Iterator[Case]) -> Judgement:
    """The judgement that all ways of breaking ties make together."""
    met = list(islice(cases, MOST_CHOICES))
    fails = (True, True) in met
    if not fails and any(False not in case for case in met):
        reason = f"too close to a tie for {PRECISIONS[-1]} bits"
        return Judgement(False, False, open=reason)
    if not fails and next(cases, None) is not None:
        return Judgement(False, False, open=f"ties there break in over {MOST_CHOICES} ways")
    conditions = {case[0] for case in met}
    meets = True if True in conditions else None if None in conditions else False
    return Judgement(meets, fails, surely=set(met) == {(True, True)})
