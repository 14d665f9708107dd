"""How a box is parted so that each part is shown by bounds: a search on the audit's reading of a claim.

Only the splits are kept. The search is that of `circ.compiler.boxes`, given the audit's units, so that
both speak of the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from circ.compiler.audit.parts.many import Many
from circ.compiler.boxes.bounds import Nodes, joined
from circ.compiler.boxes.net import FloatArray, IntArray, Layer, Net, Row
from circ.compiler.boxes.read import Problem
from circ.compiler.boxes.round import Pairs, Question, a_round, prepared, root
from circ.runtime.certificates.work import NoCertificate

BATCH = 512
"""Parts of a round."""

NUMBERS = 1 << 22
"""About as many numbers are kept of the parts of a round at most."""

SMALL = 2.0**-40
"""A part with so small a share of the work is not decided by bounds."""

UNDECIDED = "bounds do not decide a part of the box"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A clause with multipliers [rows], and those of phases, by rows of all layers."""

    clause: int
    rows: FloatArray = field(repr=False)
    phases: tuple[tuple[int, float], ...]


@dataclass(slots=True, eq=False)
class Bone:
    """A part: the half of which other, and how it is halved itself, once that is known.

    `row` is that of the unit, or None where it is halved `at` a number of an input. `told` are the sums
    by which the search closed clauses there, `cut` is one that left out a part of the box.
    """

    depth: int
    share: float
    place: int = -1
    row: int | None = None
    at: float = 0.0
    halves: tuple[Bone, Bone] | None = None
    told: list[Told] = field(default_factory=list["Told"])
    cut: Told | None = None


def problem_of(many: Many, under: FloatArray, over: FloatArray) -> Problem:
    """The claim as the search has it; rows of layers are from `under` to `over`."""
    floats = many.floats
    layers = tuple(
        Layer(
            layer.kind,
            layer.rows.parts,
            layer.rows.const,
            layer.rows.slack,
            under[layer.place],
            over[layer.place],
            layer.place.start,
        )
        for layer in floats.layers
    )
    rows, clauses = list[Row](), list[tuple[int, ...]]()
    for matrix in floats.clauses:
        start = len(rows)
        for k in range(len(matrix.const)):
            maps = tuple((j, part[k]) for j, part in matrix.parts)
            rows.append(Row(maps, float(matrix.const[k]), float(matrix.slack[k])))
        clauses.append(tuple(range(start, len(rows))))
    net = Net(floats.box[0], floats.box[1], layers)
    return Problem(net, tuple(rows), (False,) * len(rows), tuple(clauses))


@dataclass(slots=True)
class Parting:
    """Rounds over a stack of parts until none is left; `tick` may raise to stop."""

    question: Question
    tick: Callable[[], None]
    stack: list[tuple[Nodes, list[Bone]]] = field(default_factory=list[tuple[Nodes, "list[Bone]"]])
    parts: int = 0

    def round(self) -> None:
        """One round over the top of the stack."""
        nodes, bones = self.top()
        self.parts += len(bones)
        self.tick()
        # A half has half of its part's share: so a part's number is found again in its halves.
        nodes = replace(nodes, share=2.0 * np.arange(len(bones), dtype=np.float64))
        left = a_round(self.question, nodes)
        tell(left.pairs, bones)
        if len(left.tight):
            raise NoCertificate("bounds come too near to zero on a part of the box")
        if not len(left.children):
            return
        parents = left.children.share.astype(np.int64)
        fresh = [Bone(bones[k].depth + 1, bones[k].share / 2) for k in map(int, parents)]
        if fresh[0].share < SMALL:
            raise NoCertificate(UNDECIDED)
        self.record(nodes, left.children, parents, bones, fresh)
        self.stack.append((left.children, fresh))

    def record(
        self,
        nodes: Nodes,
        children: Nodes,
        parents: IntArray,
        bones: list[Bone],
        fresh: list[Bone],
    ) -> None:
        """How parts are halved, as their halves show it."""
        first = dict[int, int]()
        for k, parent in enumerate(parents.tolist()):
            if parent not in first:
                first[parent] = k
                continue
            a, b, bone = first[parent], k, bones[int(parent)]
            differ = np.flatnonzero(children.phase[a] != children.phase[b])
            if len(differ):
                bone.row = int(differ[0])
                if children.phase[a, bone.row] < 0:
                    a, b = b, a
            else:
                apart = np.flatnonzero(children.high[a] != children.high[b])
                if not len(apart):  # no double is between its ends
                    raise NoCertificate(UNDECIDED)
                bone.place = int(apart[0])
                if children.low[a, bone.place] > children.low[b, bone.place]:
                    a, b = b, a
                bone.at = float(children.high[a, bone.place])
            bone.halves = fresh[a], fresh[b]

    def top(self) -> tuple[Nodes, list[Bone]]:
        """The parts of the next round, taken off the stack."""
        net = self.question.net
        most = max(8, min(BATCH, NUMBERS // (4 * (net.entries + len(net.low)))))
        nodes, bones, count = list[Nodes](), list[Bone](), 0
        while self.stack and count < most:
            part, own = self.stack.pop()
            room = most - count
            if len(own) > room:
                keep = len(own) - room
                self.stack.append((part.take(np.arange(keep)), own[:keep]))
                part, own = part.take(np.arange(keep, len(own))), own[keep:]
            nodes.append(part)
            bones += own
            count += len(own)
        return joined(nodes), bones


def tell(pairs: Pairs, bones: Sequence[Bone]) -> None:
    """Have parts say what closed their clauses, and what cut the boxes of those with one clause left."""
    rows, sides = pairs.owed.shape[1], pairs.sides
    left = np.bincount(pairs.node[~pairs.closed], minlength=len(bones))
    for k in np.flatnonzero(pairs.closed | (left[pairs.node] == 1)):
        by = pairs.weights[k]
        phases = zip(sides.place[k], sides.sign[k], by[rows:], strict=True)
        told = tuple((int(row), float(much)) for row, sign, much in phases if sign and much > 0)
        found, bone = Told(int(pairs.clause[k]), by[:rows], told), bones[int(pairs.node[k])]
        if pairs.closed[k]:
            bone.told.append(found)
        else:
            bone.cut = found


def skeleton(many: Many, under: FloatArray, over: FloatArray, tick: Callable[[], None]) -> Bone:
    """How the whole box is parted; raises `NoCertificate` where bounds do not decide the claim."""
    question = prepared(problem_of(many, under, over))
    whole = Bone(0, 1.0)
    search = Parting(question, tick, [(root(question), [whole])])
    while search.stack:
        search.round()
    return whole
