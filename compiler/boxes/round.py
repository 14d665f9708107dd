"""One round of branch and bound: nodes are bounded, clauses closed, boxes cut, and what is left split."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from circ.compiler.boxes.back import Charges, Trace, charges_of
from circ.compiler.boxes.bounds import Nodes, Tight, contradicted, tighten
from circ.compiler.boxes.judge import (
    Asked,
    Halves,
    asked,
    beside,
    cut,
    mixed_halves,
    phase_halves,
    row_halves,
    sizes,
    smallest,
    weighed,
)
from circ.compiler.boxes.lines import values
from circ.compiler.boxes.net import BoolArray, FloatArray, IntArray, Net
from circ.compiler.boxes.read import Problem
from circ.compiler.boxes.split import blame, split

NEARLY = 1e-9
"""A node that is undecided by so little, by the size of its numbers, is no better decided in parts."""

CUTS = 2
"""How often each half-space cuts a box: a cut by one makes room for another."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A problem made ready for any number of rounds."""

    problem: Problem
    charges: Charges
    asks: Asked

    @property
    def net(self) -> Net:
        """Its net."""
        return self.problem.net


def prepared(problem: Problem) -> Question:
    """A problem with what rounding may cost in it."""
    net = problem.net
    reach = [np.maximum(np.abs(net.low), np.abs(net.high))]
    for layer in net.layers:
        low, high = values(layer.kind, layer.low, layer.high)
        reach.append(np.maximum(np.abs(low), np.abs(high)))
    return Question(problem, charges_of(net.layers, reach), asked(problem, reach))


def root(question: Question) -> Nodes:
    """The whole box."""
    net = question.net
    under = np.concatenate([np.zeros(0), *(layer.low for layer in net.layers)])
    over = np.concatenate([np.zeros(0), *(layer.high for layer in net.layers)])
    open_clauses = np.ones((1, len(question.problem.clauses)), np.bool_)
    phase = np.zeros((1, len(under)), np.int8)
    box = (net.low[None].copy(), net.high[None].copy())
    return Nodes(*box, under[None], over[None], phase, open_clauses, np.ones(1))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Open clauses of nodes: `node` and `clause` of each, and whether they were `closed`.

    `bound` is what some row was shown to exceed, `first` what the first one was; `near` says that next to
    nothing is lacking.
    """

    node: IntArray = field(repr=False)
    clause: IntArray = field(repr=False)
    closed: BoolArray = field(repr=False)
    near: BoolArray = field(repr=False)
    bound: FloatArray = field(repr=False)
    first: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    halves: Halves
    traces: list[Trace] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What a round leaves: nodes still to be decided, before they are split and after.

    `tight` are those that are not split: bounds cannot decide them. `least` is the least value that
    some node could not be shown to exceed; `first` is below what the first row of a clause can be in any
    that is split, `first_tight` in any that is not.
    """

    live: Nodes
    children: Nodes
    tight: Nodes
    least: float
    first: float
    first_tight: float


def a_round(question: Question, nodes: Nodes) -> Left:
    """Bound, close, cut and split nodes (which are changed)."""
    net = question.net
    tight = tighten(net, question.charges, nodes)
    nodes.open[contradicted(nodes)] = False
    pairs = judged(question, nodes, tight)
    nodes.open[pairs.node, pairs.clause] = ~pairs.closed
    shrink(nodes, pairs)
    nodes.open[(nodes.low > nodes.high).any(1)] = False
    live = np.asarray(nodes.open.any(1))
    if not live.any():
        none = nodes.take(live)
        return Left(none, none, none, np.inf, np.inf, np.inf)
    still = nodes.open[pairs.node, pairs.clause]
    rows = pairs.weights[:, : question.asks.there.shape[1]] * still[:, None]
    of_rows = [rows[trace.pair, trace.row] for trace in pairs.traces]
    found = blame(net, nodes, tight, pairs.traces, pairs.node, of_rows)
    effect = np.zeros_like(nodes.low)
    slopes = pairs.halves.slopes[:, : rows.shape[1]]
    np.add.at(effect, pairs.node, np.abs(np.einsum("pr,prk->pk", rows, slopes)))
    close = live.copy()
    close[pairs.node[still & ~pairs.near]] = False
    parted = live & ~close
    children = split(net, nodes.take(parted), found.take(parted), effect[parted])
    least, firsts = float(pairs.bound[still].min()), np.where(still, pairs.first, np.inf)
    of_tight = close[pairs.node]
    lowest = (float(firsts.min(where=part, initial=np.inf)) for part in (~of_tight, of_tight))
    return Left(nodes.take(live), children, nodes.take(close), least, *lowest)


def judged(question: Question, nodes: Nodes, tight: Tight) -> Pairs:
    """The open clauses of nodes, and what half-spaces say of them."""
    net, asks = question.net, question.asks
    node, clause = np.nonzero(nodes.open)
    traces = list[Trace]()
    rows = row_halves(net, question.charges, tight, asks, node, clause, traces)
    low, high = nodes.low[node], nodes.high[node]
    each = smallest(rows, low, high)
    most = each.argmax(1)
    least = each[np.arange(len(node)), most]
    weights = np.zeros_like(each)
    weights[np.arange(len(node)), most] = 1.0
    phases = phase_halves(tight.forms, nodes, [layer.start for layer in net.layers])
    halves = beside(rows, phases.take(node))
    closed = least > 0
    near = least > -NEARLY * sizes(rows, low, high)[np.arange(len(node)), most]
    hard = np.flatnonzero(~closed)
    several = asks.there.shape[1] > 1
    if len(hard) and (several or nodes.phase[node[hard]].any()):
        found = weighed(halves.take(hard), low[hard], high[hard])
        closed[hard], near[hard] = found.least > 0, near[hard] | (found.least > -NEARLY)
        by = found.weights[:, : weights.shape[1]]
        told = by.sum(1) > 0
        weights[hard[told]] = by[told] / by[told].max(1, keepdims=True)
        if several:
            halves = mixed(question, nodes, tight, (node, clause), halves, weights, closed, near)
    return Pairs(node, clause, closed, near, least, each[:, 0], weights, halves, traces)


def mixed(
    question: Question,
    nodes: Nodes,
    tight: Tight,
    pairs: tuple[IntArray, IntArray],
    halves: Halves,
    weights: FloatArray,
    closed: BoolArray,
    near: BoolArray,
) -> Halves:
    """The half-spaces, and that of each hard pair's rows put together.

    What that closes, or nearly so, is set in `closed` and `near`.
    """
    node, clause = pairs
    hard = np.flatnonzero(~closed)
    if not len(hard):
        return halves
    found = mixed_halves(
        question.net,
        question.charges,
        tight,
        question.asks,
        node[hard],
        clause[hard],
        weights[hard],
    )
    more = beside(halves, Halves.none(len(node), 1, nodes.low.shape[1]))
    more.slopes[hard, -1:], more.consts[hard, -1:] = found.slopes, found.consts
    low, high = nodes.low[node[hard]], nodes.high[node[hard]]
    again = weighed(more.take(hard), low, high)
    closed[hard], near[hard] = again.least > 0, near[hard] | (again.least > -NEARLY)
    return more


def shrink(nodes: Nodes, pairs: Pairs) -> None:
    """Cut the boxes of nodes with one open clause to what its half-spaces leave."""
    lone = nodes.open[pairs.node, pairs.clause] & (nodes.open.sum(1) == 1)[pairs.node]
    which = np.flatnonzero(lone)
    at = pairs.node[which]
    low, high = nodes.low[at], nodes.high[at]
    for _ in range(CUTS):
        for row in range(pairs.halves.consts.shape[1]):
            cut(low, high, pairs.halves.slopes[which, row], pairs.halves.consts[which, row])
    nodes.low[at], nodes.high[at] = low, high
