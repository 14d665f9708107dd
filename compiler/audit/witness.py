"""A witness of an `exists` checked: it is in the domain, meets the conditions, and the goal holds there.

Whatever breaks ties: a witness that needs a tie to break in some way is rejected.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from circ.compiler.audit.alone import Alone, Outcome
from circ.compiler.audit.bound import Asked, asked
from circ.compiler.audit.entries import Known, Letter
from circ.compiler.audit.known import value_of
from circ.compiler.audit.plan import Denominator, Power, Ratio, planned
from circ.compiler.audit.record import Data, a_list, a_number, a_text, an_object, only
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.whole_vectors import FINE, Whole, WholeVectors
from circ.compiler.ir import Index
from circ.compiler.obligation import Bound, Obligation, Reals, Words
from circ.compiler.tensor import Weights

LONGEST = 4000
"""Characters of a number."""


def checked_by_witness(rest: Data, obligation: Obligation, weights: Weights) -> int:
    """Of how many inputs it is: one; raises `Rejected`."""
    require(obligation.quantifier == "exists", "a witness shows that something exists, no more")
    (found,) = only(rest, "input")
    given = an_object(found)
    bounds = {bound.name: bound for bound in obligation.binders}
    require({*given} == {*bounds}, "it is an input of other binders")
    values = {name: entries(bounds[name], given[name]) for name in bounds}
    claim = asked(obligation, weights)
    flat = [value for name in claim.binders for value in values[name]]
    shown(claim, weights, flat)
    return 1


def entries(bound: Bound, found: object) -> list[Known]:
    """What a binder is there: codes as numbers, or real numbers as text, within their box."""
    values = a_list(found)
    require(len(values) == bound.type.entries, "an input has another size")
    match bound.values:
        case Words():
            side = bound.type.sort.size if isinstance(bound.type.sort, Index) else 0
            return [a_number(value, side) for value in values]
        case Reals(box=box):
            numbers = [a_fraction(value) for value in values]
            inside = all(low <= x <= high for x, (low, high) in zip(numbers, box, strict=True))
            require(inside, "an input is outside the domain")
            return list(numbers)


def a_fraction(value: object) -> Fraction:
    """A rational number, written as text."""
    text = a_text(value)
    parts = text.removeprefix("-").split("/")
    plain = all(part.isdecimal() and part.isascii() for part in parts)
    require(plain and len(parts) <= 2 and len(text) <= LONGEST, "a number is expected")
    require(len(parts) == 1 or int(parts[1]) > 0, "what is divided by is zero")
    return Fraction(text)


def shown(claim: Asked, weights: Weights, values: list[Known]) -> None:
    """Raise `Rejected` unless an input meets the conditions and the goal: in fractions, or enclosed."""
    known = exactly(claim, weights, values)
    if known is None:
        known = enclosed(claim, weights, values) is Outcome.RIGHT
    require(known, "an input is no witness")


def exactly(claim: Asked, weights: Weights, values: list[Known]) -> bool | None:
    """Whether an input meets the conditions and the goal; None where fractions cannot tell."""
    found: dict[int, Known] = {}
    try:
        for place in claim.plan.needed(claim.roots):
            node = claim.plan.nodes[place]
            match node:
                case Letter(position=position):
                    found[place] = values[position]
                case Power() | Denominator() | Ratio():
                    return None
                case _:
                    found[place] = value_of(node, found.__getitem__, weights)
    except Rejected:
        return None
    return all(found[root] for root in claim.roots)


def enclosed(claim: Asked, weights: Weights, values: list[Known]) -> Outcome:
    """What an input comes to in enclosures; raises `Rejected` where that is open, or it is wrong."""
    plan, math = claim.plan, WholeVectors(FINE)
    numbers: dict[int, Whole] = {}
    codes: dict[int, list[int]] = {}
    for node, axis in plan.leaves.items():
        if plan.real[node]:
            numbers[node] = math.number(Fraction(values[axis]))
        else:
            codes[node] = [int(values[axis])]
    alike = planned(plan.nodes, plan.real, plan.leaves, [1] * len(plan.sizes))
    return Alone(replace(claim, plan=alike), weights, [0] * len(values), numbers, codes).outcome()
