"""The steps of a proof on one part of the box, checked in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from circ.compiler.audit.parts.back import FINE, Columns, HalfSpaces, Part, of_sums
from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Ends, Layer, Net, down, up
from circ.compiler.audit.parts.lines import Between, lines_in
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
from circ.compiler.audit.rejected import require

CHUNK = 128
"""So many rows are bounded at once."""

NEARLY = 1 << VALUE - 30
"""What is above 0 by less may be open in doubles: it is bounded anew here, too."""

MARGIN = "a clause is not shown on a part of the box"


def whole(net: Net) -> Part:
    """All of the box."""
    low = (net.box[0], *(layer.low for layer in net.layers))
    high = (net.box[1], *(layer.high for layer in net.layers))
    return Part(low, high, {}, frozenset(range(len(net.clauses))))


def children(net: Net, part: Part, node: Node) -> tuple[Part, ...]:
    """The parts that are left to be shown, the first one first; raises `Rejected`."""
    for step in node.steps:
        if part.left:  # else whole numbers saw earlier than doubles that there is nothing to show
            part = after(net, part, step)
    if node.split is None:
        require(not part.left, MARGIN)
        return ()
    require(part.depth < DEEPEST, "a proof has splits too deep in splits")
    part = replace(part, depth=part.depth + 1)
    match node.split:
        case AtInput(place=place, at=at):
            require(place < len(part.low[0]), "a part is split at an input that is not there")
            above = confined(part, place, low=down(at, VALUE))
            return confined(part, place, high=up(at, VALUE)), above
        case AtUnit(unit=name):
            require(name in net.names, "a part is split at a unit that is not there")
            layer, place = net.names[name]
            return phased(net, part, layer, place, 1), phased(net, part, layer, place, -1)
        case _:
            assert_never(node.split)


def confined(part: Part, place: int, low: int | None = None, high: int | None = None) -> Part:
    """A part in which an input is not below one number, or not above one; nothing is left where that cannot be."""
    lows, highs = [*part.low[0]], [*part.high[0]]
    lows[place] = lows[place] if low is None else max(lows[place], low)
    highs[place] = highs[place] if high is None else min(highs[place], high)
    left = part.left if lows[place] <= highs[place] else frozenset[int]()
    return replace(part, low=(lows, *part.low[1:]), high=(highs, *part.high[1:]), left=left)


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
            (least,) = half_of(net, part, by).least(part)
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


def multipliers(net: Net, by: Weighed) -> tuple[Sequence[int], int]:
    """Those of rows, then those of phases, as whole numbers of 2^-bits: the largest that they make of a
    coefficient is about 1."""
    own = [] if by.clause is None else [net.clauses[by.clause]] * len(by.rows)
    own += [net.layers[net.names[name][0] - 1].rows for name, _ in by.phases]
    every = [*by.rows, *(factor for _, factor in by.phases)]
    most = max((x * rows.most for x, rows in zip(every, own, strict=True)), default=Fraction(0))
    bits = FINE + WEIGHT - most.numerator.bit_length() + most.denominator.bit_length()
    return [int(factor * Fraction(2) ** bits) for factor in every], bits


def weak(net: Net, by: Weighed) -> bool:
    """Whether a row with a multiplier is that of a weak comparison: it is below 0 where that fails."""
    if by.clause is None:
        return False
    pairs = zip(multipliers(net, by)[0], net.strict[by.clause], strict=False)
    return any(factor > 0 and not strict for factor, strict in pairs)


def half_of(net: Net, part: Part, by: Weighed) -> HalfSpaces:
    """What is nowhere above a weighted sum of a clause's rows and of phases, on a part."""
    if by.clause is not None:
        require(by.clause < len(net.clauses), "there is no such clause")
    given = 0 if by.clause is None else len(net.clauses[by.clause].const)
    require(len(by.rows) == given, "there is a multiplier for each comparison")
    known = (net.names.get(name) in part.phases for name, _ in by.phases)
    require(all(known), "a unit's phase is not known")
    factors, _ = multipliers(net, by)

    def begin(sums: Columns) -> None:
        if by.clause is not None:
            for place, factor in enumerate(factors[: len(by.rows)]):
                sums.row(net.clauses[by.clause], place, factor, factor)
        for (name, _), factor in zip(by.phases, factors[len(by.rows) :], strict=True):
            layer, place = net.names[name]
            rows = net.layers[layer - 1].rows
            sums.row(rows, place, -part.phases[layer, place] * factor, factor)

    return of_sums(net, part, lines_of(net, part), 1, begin)


def tightened(net: Net, part: Part, wires: frozenset[int] | None) -> Part:
    """The units of some wires bounded anew, layer by layer."""
    lows, highs, lines = [*part.low], [*part.high], list[Sequence[Between]]()
    for number, layer in enumerate(net.layers, 1):
        low, high = lows[number], highs[number] = [*lows[number]], [*highs[number]]
        phases = phases_in(part, number)
        chosen = opened(layer, low, high, phases, wires)
        for start in range(0, len(chosen), CHUNK):
            places = chosen[start : start + CHUNK]
            begun = replace(part, low=tuple(lows), high=tuple(highs))
            least, most = bounds(net, begun, lines, number, places)
            for place, x, y in zip(places, least, most, strict=True):
                low[place], high[place] = max(low[place], x), min(high[place], y)
        lines.append(lines_in(layer, low, high, phases))
        if any(low[place] > high[place] for place in chosen):
            return replace(part, left=frozenset())
    return replace(part, low=tuple(lows), high=tuple(highs))


def bounds(
    net: Net, part: Part, lines: Sequence[Sequence[Between]], number: int, places: Sequence[int]
) -> Ends:
    """The least and the greatest values of some rows of a layer, rounded outwards; `lines` are those of all
    layers before."""
    rows = net.layers[number - 1].rows
    fine = FINE + max(0, WEIGHT - rows.most.bit_length())
    found = of_sums(net, part, lines, 2 * len(places), lambda sums: sums.each(rows, places, fine))
    least = [x >> fine + WEIGHT for x in found.least(part)]
    return least[: len(places)], [-x for x in least[len(places) :]]


def lines_of(net: Net, part: Part) -> list[Sequence[Between]]:
    """The lines of all layers on a part."""
    every = enumerate(zip(net.layers, part.low[1:], part.high[1:], strict=True), 1)
    return [lines_in(*own, phases_in(part, number)) for number, own in every]


def phases_in(part: Part, number: int) -> dict[int, int]:
    """The phases of a layer's units, by place."""
    return {place: side for (layer, place), side in part.phases.items() if layer == number}


def opened(
    layer: Layer,
    low: Sequence[int],
    high: Sequence[int],
    phases: Mapping[int, int],
    wires: frozenset[int] | None,
) -> list[int]:
    """The rows of a layer whose bounds might tell more."""
    own = [k for k, wire in enumerate(layer.wires) if wires is None or wire in wires]
    match layer.kind:
        case "linear":
            return []
        case "relu" | "step":
            return [
                k for k in own if low[k] < (0 if phases.get(k) == 1 else NEARLY) and high[k] >= 0
            ]
        case "product":
            half = layer.units
            return [
                k
                for k in own
                if low[k % half] < high[k % half] and low[k % half + half] < high[k % half + half]
            ]


def cut(part: Part, half: HalfSpaces) -> Part:
    """What a half-space leaves of a part's box: inputs at which it is at most 0."""
    low, high = [*part.low[0]], [*part.high[0]]
    (least,) = half.least(part)
    for k, (by,) in enumerate(half.slopes):
        if by > 0:
            high[k] = min(high[k], -((least - by * low[k]) // by))
        elif by < 0:
            low[k] = max(low[k], (least - by * part.high[0][k]) // -by)
    some = least <= 0 and all(a <= b for a, b in zip(low, high, strict=True))
    left = part.left if some else frozenset[int]()
    return replace(part, low=(low, *part.low[1:]), high=(high, *part.high[1:]), left=left)
