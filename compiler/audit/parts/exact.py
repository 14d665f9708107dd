"""The steps of a proof on one part of the box, checked in whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from circ.compiler.audit.parts.back import Half, Part, Sum, taken_back
from circ.compiler.audit.parts.layers import VALUE, Layer, Net, Rows, down, up
from circ.compiler.audit.parts.nodes import (
    AtInput,
    AtUnit,
    Cut,
    Node,
    Shut,
    Step,
    Tighten,
    Weighed,
)
from circ.compiler.audit.record import DEEPEST
from circ.compiler.audit.rejected import NotKnown, Rejected, require

FINE = (44, 36, 28, 20)
"""Rows are added up in multiples of 2^-44, and of more where numbers get too large for that."""

SEEN = Fraction(1, 1 << FINE[-1])
"""The least number that is above 0 in all of these."""

MARGIN = "a clause is not shown on a part of the box"


def whole(net: Net) -> Part:
    """All of the box."""
    low = (net.box[0], *(layer.low for layer in net.layers))
    high = (net.box[1], *(layer.high for layer in net.layers))
    return Part(low, high, {}, frozenset(range(len(net.clauses))))


def children(net: Net, part: Part, node: Node) -> tuple[Part, ...]:
    """The parts that are left to be shown, the first one first; raises `Rejected`."""
    for step in node.steps:
        part = after(net, part, step)
    if node.split is None:
        require(not part.left, MARGIN)
        return ()
    require(part.depth < DEEPEST, "a proof has splits too deep in splits")
    part = replace(part, depth=part.depth + 1)
    match node.split:
        case AtInput(place=place, at=at):
            require(place < len(part.low[0]), "a part is split at an input that is not there")
            low, high = [*part.low[0]], [*part.high[0]]
            low[place], high[place] = (
                max(low[place], down(at, VALUE)),
                min(high[place], up(at, VALUE)),
            )
            below = replace(part, high=(high, *part.high[1:]))
            return below, replace(part, low=(low, *part.low[1:]))
        case AtUnit(unit=name):
            require(name in net.names, "a part is split at a unit that is not there")
            layer, place = net.names[name]
            return phased(net, part, layer, place, 1), phased(net, part, layer, place, -1)
        case _:
            assert_never(node.split)


def phased(net: Net, part: Part, layer: int, place: int, side: int) -> Part:
    """A part in which what a unit is of is on one side of 0; where it never is, nothing is left."""
    kind = net.layers[layer - 1].kind if layer else "linear"
    require(kind in ("relu", "step"), "a unit has no phase")
    low, high = [*part.low[layer]], [*part.high[layer]]
    if side > 0:
        low[place] = max(low[place], 0)
    else:
        high[place] = min(high[place], -1 if kind == "step" else 0)
    phases = {**part.phases, (layer, place): side}
    lows, highs = [*part.low], [*part.high]
    lows[layer], highs[layer] = low, high
    left = part.left if low[place] <= high[place] else frozenset[int]()
    return replace(part, low=tuple(lows), high=tuple(highs), phases=phases, left=left)


def after(net: Net, part: Part, step: Step) -> Part:
    """A part after one step of its proof; raises `Rejected` where that does not hold."""
    match step:
        case Tighten(wires=wires):
            return tightened(net, part, wires)
        case Shut(by=by):
            half = half_of(net, part, by)
            least = half.least(part)
            require(least > 0 or (least == 0 and weak(net, by)), MARGIN)
            return replace(
                part, left=part.left - {by.clause} if by.clause is not None else frozenset()
            )
        case Cut(by=by):
            lone = by.clause is None or part.left <= {by.clause}
            require(lone, "a part is cut by one clause while others are left")
            return cut(part, half_of(net, part, by))
        case _:
            assert_never(step)


def weak(net: Net, by: Weighed) -> bool:
    """Whether a row with a multiplier is that of a weak comparison: it is below 0 where that fails.

    Multipliers that no rounding makes 0 are meant.
    """
    if by.clause is None:
        return False
    pairs = zip(by.rows, net.strict[by.clause], strict=True)
    return any(factor >= SEEN and not strict for factor, strict in pairs)


def half_of(net: Net, part: Part, by: Weighed) -> Half:
    """What is nowhere above a weighted sum of a clause's rows and of phases, on a part."""

    def begun(fine: int) -> tuple[Sum, int]:
        rows = Sum(fine)
        if by.clause is not None:
            require(by.clause < len(net.clauses), "there is no such clause")
            given = net.clauses[by.clause]
            require(len(by.rows) == len(given.const), "there is a multiplier for each comparison")
            rows.rows(given, [down(factor, fine) for factor in by.rows])
        else:
            require(not by.rows, "without a clause there are no rows")
        for name, factor in by.phases:
            at = net.names.get(name)
            require(at is not None and at in part.phases, "a unit's phase is not known")
            assert at is not None
            layer, place = at
            extra = rows.extra.setdefault(layer, {})
            extra[place] = extra.get(place, 0) - part.phases[at] * down(factor, fine)
        return rows, len(net.layers)

    return tried(net, part, begun)


def tried(net: Net, part: Part, begun: Callable[[int], tuple[Sum, int]]) -> Half:
    """A sum taken back, as finely as its numbers allow; `begun` has it, and the last layer it reads.

    Its numbers are then in multiples of 2^-44, whatever they were added up in.
    """
    for fine in FINE:
        try:
            found = taken_back(net, part, *begun(fine))
        except NotKnown:
            continue
        more = FINE[0] - fine
        return Half([by << more for by in found.slopes], found.const << more)
    raise Rejected("the numbers of a proof are too large")


def tightened(net: Net, part: Part, wires: frozenset[int] | None) -> Part:
    """The units of some wires bounded anew, layer by layer."""
    for number, layer in enumerate(net.layers, 1):
        chosen = opened(layer, part.low[number], part.high[number], wires)
        if not chosen:
            continue
        low, high = [*part.low[number]], [*part.high[number]]
        for place in chosen:
            least, most = (least_of(net, part, layer.rows, number, place, sign) for sign in (1, -1))
            low[place], high[place] = max(low[place], least), min(high[place], -most)
        if any(low[place] > high[place] for place in chosen):
            return replace(part, left=frozenset())
        lows, highs = [*part.low], [*part.high]
        lows[number], highs[number] = low, high
        part = replace(part, low=tuple(lows), high=tuple(highs))
    return part


def opened(
    layer: Layer, low: Sequence[int], high: Sequence[int], wires: frozenset[int] | None
) -> list[int]:
    """The rows of a layer whose bounds might tell more."""
    own = [k for k, wire in enumerate(layer.wires) if wires is None or wire in wires]
    match layer.kind:
        case "linear":
            return []
        case "relu" | "step":
            return [k for k in own if low[k] < 0 <= high[k]]
        case "product":
            half = layer.units
            return [
                k
                for k in own
                if low[k % half] < high[k % half] and low[k % half + half] < high[k % half + half]
            ]


def least_of(net: Net, part: Part, rows: Rows, number: int, place: int, sign: int) -> int:
    """The least value of a row on a part, or of its negative, rounded down."""

    def begun(fine: int) -> tuple[Sum, int]:
        found = Sum(fine)
        found.row(rows, place, sign)
        return found, number - 1

    return tried(net, part, begun).least(part) >> FINE[0]


def cut(part: Part, half: Half) -> Part:
    """What a half-space leaves of a part's box: inputs at which it is at most 0."""
    low, high = [*part.low[0]], [*part.high[0]]
    least = half.least(part)
    for k, by in enumerate(half.slopes):
        if by > 0:
            high[k] = min(high[k], -((least - by * low[k]) // by))
        elif by < 0:
            low[k] = max(low[k], (least - by * part.high[0][k]) // -by)
    left = part.left if all(a <= b for a, b in zip(low, high, strict=True)) else frozenset[int]()
    return replace(part, low=(low, *part.low[1:]), high=(high, *part.high[1:]), left=left)
