"""The search's bounds and the audit's are of one method, written twice: no search is behind the audit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from circ.compiler.audit.parts.back import Part
from circ.compiler.audit.parts.exact import children, half_of, multipliers, tightened, whole
from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Net, net_of
from circ.compiler.audit.parts.nodes import AtInput, Node, Tighten, Weighed
from circ.compiler.audit.parts.reading import claim_of
from circ.compiler.boxes.bounds import Nodes, tighten
from circ.compiler.boxes.judge import smallest
from circ.compiler.boxes.net import Net as SearchNet
from circ.compiler.boxes.read import read
from circ.compiler.boxes.round import judged, prepared, root
from circ.compiler.boxes.split import halved
from circ.compiler.builder import Builder, either
from circ.compiler.ir import Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from tests.agreement.test_certificates_of_boxes import net, outputs
from tests.unit.obligations import box, less, obligation, pick

ENDS = ((-1.03125, 0.99609375), (-0.98046875, 0.51953125))
"""No unit's bounds are as far from 0 on either side, which would leave two lines that are as good."""


OFF = 1e-9
"""More than rounding takes."""

HALF = Fraction((ENDS[1][0] + ENDS[1][1]) / 2)


def claim(weights: Weights) -> Obligation:
    """That one output is at most a number, or the other at most another."""

    def goal(b: Builder, wires: dict[str, Wire]) -> Wire:
        y = outputs(b, wires["x"], weights)
        return either(b, less(b, pick(b, y, 0), Fraction(1, 2)), less(b, pick(b, y, 1), 2))

    return obligation([box("x", *ENDS)], goal)


def test_the_search_bounds_no_less_tightly() -> None:
    """On the whole box and on both halves of it: what open ReLUs are of, and each comparison of the claim.
    It is ahead by what it knows of the whole box besides, and on most nets by nothing."""
    alike = ahead = 0
    for seed in range(24):
        weights = net(seed)
        about = claim(weights)
        question, audited = prepared(read(about, weights)), net_of(claim_of(about, weights))
        if len(audited.clauses[0].const) < 2 or not same_units(question.net, audited):
            continue
        alike += 1
        split = Node((Tighten(None),), AtInput(1, HALF))
        parts = [whole(audited), *children(audited, whole(audited), split)]
        nodes = [root(question), *single(halved(root(question), np.array([1])))]
        for part, one in zip(parts, nodes, strict=True):
            tight = tighten(question.net, question.there, one)
            bounded = tightened(audited, part, None)
            low, high = zip(*open_rows(audited, bounded), strict=True)
            pairs = judged(question, one, tight)
            shown = smallest(pairs.halves, one.low, one.high)[0, :2]
            wanted = np.array(rows(audited, bounded))
            assert (one.under[0] >= np.array(low) - OFF).all()
            assert (one.over[0] <= np.array(high) + OFF).all()
            assert (shown >= wanted - OFF).all()
            assert pairs.bound[0] >= wanted.max() - OFF
            ahead += bool(np.abs(shown - wanted).max() > OFF)
    assert alike > 6
    assert ahead < alike


def same_units(own: SearchNet, audited: Net) -> bool:
    """Whether both have the same open ReLUs: the search may leave out one that nothing depends on, or have
    how far it is from another in its place."""
    kinds = {layer.kind for layer in own.layers}
    return kinds == {"relu"} and own.entries == len(open_rows(audited, whole(audited)))


def single(nodes: Nodes) -> list[Nodes]:
    """Nodes one by one."""
    return [nodes.take(np.array([k])) for k in range(len(nodes))]


def open_rows(audited: Net, part: Part) -> list[tuple[float, float]]:
    """The bounds of what ReLUs are of that may be on either side of 0 on the whole box."""
    return [
        (float(Fraction(low, 1 << VALUE)), float(Fraction(high, 1 << VALUE)))
        for number, layer in enumerate(audited.layers, 1)
        for k, (low, high) in enumerate(zip(part.low[number], part.high[number], strict=True))
        if layer.low[k] < 0 < layer.high[k]
    ]


def rows(audited: Net, part: Part) -> list[float]:
    """What each comparison is above."""
    weights = [Weighed(0, (Fraction(k == 0), Fraction(k == 1)), ()) for k in range(2)]
    return [
        float(half_of(audited, part, by).least(part)[0] / Fraction(2) ** bits)
        for by in weights
        for bits in [multipliers(audited, by)[1] + VALUE + WEIGHT]
    ]
