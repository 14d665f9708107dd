"""Where a node is split: at the input, the unit's phase or the guard that explains most of what is loose.

What a unit's lines leave open weighs as much as its coefficient in the clauses' rows. That is charged
to the unit, and to the inputs in proportion to their part in its pre-activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from circ.compiler.boxes.back import Trace
from circ.compiler.boxes.bounds import Nodes, Tight, joined
from circ.compiler.boxes.judge import MOST_PHASES
from circ.compiler.boxes.lines import gaps
from circ.compiler.boxes.net import PAIRED, BoolArray, FloatArray, IntArray, Net

BELOW = -(2.0**-600)
"""The bound of a pre-activation that is taken to be below 0: its unit's lines then say so, and nothing
else is concluded from it (`contradicted`)."""

GUARDS_FIRST = 4.0
"""An undecided guard counts this much more: no narrower input makes its lines any closer."""


@dataclass(frozen=True, slots=True, eq=False)
class Blame:
    """What is loose, charged to pre-activations [nodes, all of them] and inputs [nodes, inputs]."""

    units: FloatArray = field(repr=False)
    inputs: FloatArray = field(repr=False)

    def take(self, chosen: BoolArray) -> Blame:
        """What is charged in some nodes."""
        return Blame(self.units[chosen], self.inputs[chosen])


def blame(
    net: Net,
    nodes: Nodes,
    tight: Tight,
    traces: Sequence[Trace],
    node: IntArray,
    weights: Sequence[FloatArray],
) -> Blame:
    """Charge what the rows of the traces leave open; `node` is that of each pair, `weights` of each
    row of a trace (0 for pairs that are settled)."""
    units, inputs = np.zeros_like(nodes.under), np.zeros_like(nodes.low)
    width = nodes.high - nodes.low
    for place, layer in enumerate(net.layers, 1):
        charged = np.zeros((len(nodes), layer.units))
        low, high = nodes.under[:, layer.place], nodes.over[:, layer.place]
        below, above = gaps(layer.kind, low, high)
        for trace, by in zip(traces, weights, strict=True):
            coefficients = trace.coefficients.get(place)
            (used,) = np.nonzero(by)
            if coefficients is not None and len(used):
                at = node[trace.pair[used]]
                part = coefficients[used] * by[used, None]
                loose = np.maximum(part, 0) * below[at] - np.minimum(part, 0) * above[at]
                add_runs(charged, at, loose)
        if layer.kind in PAIRED:
            charged = np.concatenate([charged, charged], axis=1) / 2
        units[:, layer.place] = charged
        form = tight.forms[place - 1]
        if form is not None:
            part = (np.abs(form.below.slopes) + np.abs(form.above.slopes)) * width[form.node]
            part /= part.sum(1, keepdims=True) + 1e-300
            add_runs(inputs, form.node, part * charged[form.node, form.entry][:, None])
    return Blame(units, inputs)


def add_runs(total: FloatArray, at: IntArray, rows: FloatArray) -> None:
    """Add each row to that of `total` which `at` names; it never falls."""
    (starts,) = np.nonzero(np.diff(at, prepend=-1))
    total[at[starts]] += np.add.reduceat(rows, starts)


def split(net: Net, nodes: Nodes, found: Blame, effect: FloatArray) -> Nodes:
    """Both halves of each node; `effect` [nodes, inputs] is what inputs do to the rows themselves."""
    many = np.arange(len(nodes))
    by_input = np.where(nodes.high > nodes.low, found.inputs, -1.0)
    flat = by_input.max(1) <= 0
    wide = np.where(nodes.high > nodes.low, effect * (nodes.high - nodes.low) + 1e-300, -1.0)
    by_input[flat] = wide[flat]
    axis = by_input.argmax(1)
    if not net.entries:
        return halved(nodes, axis)
    by_unit = by_phase(net, nodes, found)
    unit = by_unit.argmax(1)
    phased = by_unit[many, unit] > np.where(flat, 0.0, by_input[many, axis])
    halves = [halved(nodes.take(~phased), axis[~phased]), *sided(nodes.take(phased), unit[phased])]
    return joined(halves)


def by_phase(net: Net, nodes: Nodes, found: Blame) -> FloatArray:
    """What telling each unit's phase apart is worth: 0 where that cannot be done."""
    worth: FloatArray = found.units * (nodes.phase == 0)
    worth[np.count_nonzero(nodes.phase, axis=1) >= MOST_PHASES] = 0.0
    for layer in net.layers:
        if layer.kind == "step":
            worth[:, layer.place] *= GUARDS_FIRST
        elif layer.kind != "relu":
            worth[:, layer.place] = 0.0
    return np.asarray(worth)


def whole(net: Net, nodes: Nodes, found: Blame) -> BoolArray:
    """Which nodes have no parts: points, none of whose units has a phase to tell apart."""
    points = ~(nodes.high > nodes.low).any(1)
    return np.asarray(points & ~by_phase(net, nodes, found).any(1))


def halved(nodes: Nodes, axis: IntArray) -> Nodes:
    """Nodes cut in the middle of one input each. What halves have in common is copied where they are joined."""
    many = np.arange(len(nodes))
    low, high = nodes.low.copy(), nodes.high.copy()
    middle = nodes.low[many, axis] / 2 + nodes.high[many, axis] / 2
    high[many, axis] = middle
    low[many, axis] = middle
    share = nodes.share / 2
    rest = (nodes.under, nodes.over, nodes.phase, nodes.open, share, nodes.bound)
    first = Nodes(nodes.low, high, *rest)
    return joined([first, Nodes(low, nodes.high, *rest)])


def sided(nodes: Nodes, unit: IntArray) -> tuple[Nodes, Nodes]:
    """Nodes on either side of 0 of one pre-activation each."""
    many = np.arange(len(nodes))
    share = nodes.share / 2
    on, off = nodes.phase.copy(), nodes.phase.copy()
    on[many, unit], off[many, unit] = 1, -1
    under, over = nodes.under.copy(), nodes.over.copy()
    under[many, unit] = np.maximum(under[many, unit], 0)
    over[many, unit] = np.minimum(over[many, unit], BELOW)
    half = replace(nodes, share=share)
    return replace(half, under=under, phase=on), replace(half, over=over, phase=off)
