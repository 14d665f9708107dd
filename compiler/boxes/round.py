"""One round of branch and bound: nodes are bounded, clauses closed, boxes cut, and what is left split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.boxes.back import Charges, Trace, charges_of
from circ.compiler.boxes.bounds import Laid, Nodes, Tight, contradicted, laid, tighten
from circ.compiler.boxes.judge import (
    Asked,
    Halves,
    Sides,
    asked,
    beside,
    cut,
    excluded,
    mixed_halves,
    phase_halves,
    row_halves,
    sizes,
    smallest,
    weighed,
)
from circ.compiler.boxes.lines import values
from circ.compiler.boxes.net import BoolArray, FloatArray, IntArray, Net
from circ.compiler.boxes.place import HOST, Place
from circ.compiler.boxes.read import Problem
from circ.compiler.boxes.split import blame, split, whole

NEARLY = 1e-9
"""A node that is undecided by so little, by the size of its numbers, is no better decided in parts."""

ROUNDED = 4.0
"""So is one that lacks no more than this many times what rounding is charged."""

CUTS = 2
"""How often each half-space cuts a box: a cut by one makes room for another."""

MIXES = 2
"""How often rows and phases are put together before they are bounded, with the best weights so far."""

HEAVIEST = 2.0**60
"""The greatest weight of a phase beside rows of weight 1: no number comes near to overflow."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A problem made ready for any number of rounds; `there` is its net where rows are taken back."""

    problem: Problem
    charges: Charges
    asks: Asked
    there: Laid

    @property
    def net(self) -> Net:
        """Its net."""
        return self.problem.net


def prepared(problem: Problem, place: Place = HOST) -> Question:
    """A problem with what rounding may cost in it, for rounds at a place."""
    net = problem.net
    reach = [np.maximum(np.abs(net.low), np.abs(net.high))]
    for layer in net.layers:
        low, high = values(layer.kind, layer.low, layer.high)
        reach.append(np.maximum(np.abs(low), np.abs(high)))
    charges = charges_of(net.layers, reach)
    return Question(problem, charges, asked(problem, reach), laid(net, charges, place))


def root(question: Question) -> Nodes:
    """The whole box."""
    net = question.net
    under = np.concatenate([np.zeros(0), *(layer.low for layer in net.layers)])
    over = np.concatenate([np.zeros(0), *(layer.high for layer in net.layers)])
    open_clauses = np.ones((1, len(question.problem.clauses)), np.bool_)
    phase = np.zeros((1, len(under)), np.int8)
    box = (net.low[None].copy(), net.high[None].copy())
    unbounded = np.full(1, -np.inf)
    return Nodes(*box, under[None], over[None], phase, open_clauses, np.ones(1), unbounded)


@dataclass(slots=True, eq=False)
class Pairs:
    """Open clauses of nodes: `node` and `clause` of each, and whether they were `closed`.

    `bound` is what some row was shown to exceed, `first` what the first one was; `near` says that next to
    nothing is lacking. `halves` are those of rows, then of phases (`sides`), then of what was mixed of
    these; `weights` [pairs, rows and phases] are the best that were found, and `owed` [pairs, rows] what
    rounding was charged.
    """

    node: IntArray = field(repr=False)
    clause: IntArray = field(repr=False)
    closed: BoolArray = field(repr=False)
    near: BoolArray = field(repr=False)
    bound: FloatArray = field(repr=False)
    first: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    owed: FloatArray = field(repr=False)
    halves: Halves
    sides: Sides
    traces: list[Trace] = field(repr=False)

    @property
    def by_row(self) -> FloatArray:
        """The weights of rows."""
        return self.weights[:, : self.owed.shape[1]]


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What a round leaves: nodes still to be decided, before they are split and after.

    `tight` are those that are not split: bounds cannot decide them. `first` is below what the first row of
    a clause can be in any that is split, `first_tight` in any that is not. `pairs` are what was judged.
    """

    live: Nodes
    children: Nodes
    tight: Nodes
    first: float
    first_tight: float
    pairs: Pairs


def a_round(question: Question, nodes: Nodes) -> Left:
    """Bound, close, cut and split nodes (which are changed)."""
    net = question.net
    tight = tighten(net, question.there, nodes)
    nodes.open[contradicted(nodes)] = False
    pairs = judged(question, nodes, tight)
    nodes.open[pairs.node, pairs.clause] = ~pairs.closed
    shrink(nodes, pairs)
    live = np.asarray(nodes.open.any(1))
    if not live.any():
        none = nodes.take(live)
        return Left(none, none, none, np.inf, np.inf, pairs)
    still = nodes.open[pairs.node, pairs.clause]
    rows = pairs.by_row * still[:, None]
    of_rows = [rows[trace.pair, trace.row] for trace in pairs.traces]
    found = blame(net, nodes, tight, pairs.traces, pairs.node, of_rows)
    effect = np.zeros_like(nodes.low)
    slopes = pairs.halves.slopes[:, : rows.shape[1]]
    np.add.at(effect, pairs.node, np.abs(np.einsum("pr,prk->pk", rows, slopes)))
    # Nodes have a bound that holds all the time: Ctrl-C may end the round here.
    bound = np.full(len(nodes), np.inf)
    np.minimum.at(bound, pairs.node[still], pairs.bound[still])
    nodes.bound[live] = bound[live]
    close = live.copy()
    near = still & pairs.near
    near[near] = ~told_by_none(question, nodes, pairs, np.flatnonzero(near))
    close[pairs.node[still & ~near]] = False
    close |= live & whole(net, nodes, found)
    parted = live & ~close
    children = split(net, nodes.take(parted), found.take(parted), effect[parted])
    firsts, of_tight = np.where(still, pairs.first, np.inf), close[pairs.node]
    first, first_tight = (
        float(firsts.min(where=part, initial=np.inf)) for part in (~of_tight, of_tight)
    )
    return Left(nodes.take(live), children, nodes.take(close), first, first_tight, pairs)


def judged(question: Question, nodes: Nodes, tight: Tight) -> Pairs:
    """The open clauses of nodes, and what half-spaces say of them."""
    net, asks = question.net, question.asks
    node, clause = np.nonzero(nodes.open)
    traces = list[Trace]()
    rows = row_halves(net, question.charges, tight, asks, node, clause, traces)
    low, high = nodes.low[node], nodes.high[node]
    each = smallest(rows, low, high)
    most = np.arange(len(node)), each.argmax(1)
    phases, sides = phase_halves(tight.forms, nodes, [layer.start for layer in net.layers])
    halves = beside(rows, phases.take(node))
    weights = np.zeros(halves.consts.shape)
    weights[most] = 1.0
    owed = owed_by(traces, asks.slack[clause])
    closed = (each[most] > 0) | excluded(asks, net, nodes, node, clause)
    near = each[most] > -np.maximum(NEARLY * sizes(rows, low, high), ROUNDED * owed)[most]
    told = closed, near, each[most], each[:, 0], weights, owed
    pairs = Pairs(node, clause, *told, halves, sides.take(node), traces)
    combine(question, nodes, tight, pairs)
    return pairs


def combine(question: Question, nodes: Nodes, tight: Tight, pairs: Pairs) -> None:
    """Close pairs by combinations of rows and phases.

    The half-spaces are combined with the best weights; what these name is then put together before it is
    bounded, which gives one more half-space, and so on.
    """
    worth = (question.asks.there.sum(1) > 1)[pairs.clause] | (pairs.sides.sign != 0).any(1)
    mixes = list[FloatArray]()
    for _ in range(MIXES):
        hard = np.flatnonzero(worth & ~pairs.closed)
        if not len(hard):
            return
        weigh(nodes, pairs, hard, mixes)
        hard = hard[~pairs.closed[hard]]
        if not len(hard):
            return
        mix(question, nodes, tight, pairs, hard)
        mixes.append(pairs.weights.copy())
    hard = np.flatnonzero(worth & ~pairs.closed)
    if len(hard):
        weigh(nodes, pairs, hard, mixes)


def weigh(nodes: Nodes, pairs: Pairs, hard: IntArray, mixes: Sequence[FloatArray]) -> None:
    """Find the best weights of some pairs, and what they say; `mixes` are those of the mixtures so far."""
    at = pairs.node[hard]
    found = weighed(pairs.halves.take(hard), nodes.low[at], nodes.high[at])
    terms, rows = pairs.weights.shape[1], pairs.owed.shape[1]
    by = found.weights[:, :terms]
    for k, mixture in enumerate(mixes, terms):
        by = by + found.weights[:, k, None] * mixture[hard]
    pairs.closed[hard] = found.least > 0
    owed = (by[:, :rows] * pairs.owed[hard]).sum(1)
    pairs.near[hard] |= found.least > -np.maximum(NEARLY, ROUNDED * owed)
    most = by[:, :rows].max(1)
    told = most > 0
    pairs.weights[hard[told]] = np.minimum(by[told] / most[told, None], HEAVIEST)


def mix(question: Question, nodes: Nodes, tight: Tight, pairs: Pairs, hard: IntArray) -> None:
    """One more half-space of each of some pairs: all that its weights name, bounded together."""
    found = mixed_halves(
        question.net,
        question.charges,
        tight,
        question.asks,
        pairs.node[hard],
        pairs.clause[hard],
        pairs.by_row[hard],
        (pairs.sides.take(hard), pairs.weights[hard, pairs.owed.shape[1] :]),
    )
    room = Halves.none(len(pairs.node), 1, nodes.low.shape[1])
    room.slopes[hard], room.consts[hard] = found.slopes, found.consts
    pairs.halves = beside(pairs.halves, room)


def owed_by(traces: Sequence[Trace], slack: FloatArray) -> FloatArray:
    """What each row of each pair was lowered by for rounding; `slack` [pairs, rows] is a part of it."""
    owed = slack.copy()
    for trace in traces:
        owed[trace.pair, trace.row] += trace.owed
    return owed


def shrink(nodes: Nodes, pairs: Pairs) -> None:
    """Cut the boxes of nodes to what the half-spaces of any of their open clauses leave.

    A clause whose half-spaces leave nothing is closed.
    """
    which = np.flatnonzero(nodes.open[pairs.node, pairs.clause])
    at = pairs.node[which]
    low, high = nodes.low[at], nodes.high[at]
    for _ in range(CUTS):
        for row in range(pairs.halves.consts.shape[1]):
            cut(low, high, pairs.halves.slopes[which, row], pairs.halves.consts[which, row])
    empty = (low > high).any(1)
    nodes.open[at[empty], pairs.clause[which[empty]]] = False
    at, low, high = at[~empty], low[~empty], high[~empty]
    if len(at):  # pairs come node by node
        first = np.flatnonzero(np.diff(at, prepend=-1))
        nodes.low[at[first]] = np.minimum.reduceat(low, first)
        nodes.high[at[first]] = np.maximum.reduceat(high, first)


def told_by_none(question: Question, nodes: Nodes, pairs: Pairs, which: IntArray) -> BoolArray:
    """Which of some pairs have a row that is next to nothing on all of its node's box, and another that is not.

    A box that was cut to the edge of a condition lies on it: that nearly nothing is lacking there says
    nothing of the other rows.
    """
    many, halves, node = pairs.owed.shape[1], pairs.halves.take(which), pairs.node[which]
    rows = Halves(halves.slopes[:, :many], halves.consts[:, :many])
    low, high = nodes.low[node], nodes.high[node]
    room = np.maximum(NEARLY * sizes(rows, low, high), ROUNDED * pairs.owed[which])
    spread = np.einsum("prk,pk->pr", np.abs(rows.slopes), high - low)
    flat = (spread <= room) & (np.abs(smallest(rows, low, high)) <= room)
    there = question.asks.there[pairs.clause[which]]
    return np.asarray((flat & there).any(1) & (~flat & there).any(1))
