"""What shows a claim on the parts of a box: where bounds are taken anew, boxes cut, clauses shut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.audit.parts.arrays import BoolArray, IntArray
from circ.compiler.audit.parts.many import Many, at_input, at_unit, cut
from circ.compiler.audit.parts.planes import BELOW, FloatParts
from circ.runtime.certificates.opening import Data
from circ.runtime.certificates.skeleton import Bone
from circ.runtime.certificates.sums import Weighted, each_half, phases_of, sought, told
from circ.runtime.certificates.work import NoCertificate

TRIES = 3
"""How often a part is bounded anew, and cut in between, before it is split once more."""

WORTH = 0.95
"""A box is cut where one of its sides gets shorter than this share of it."""

DEEPEST = 120
"""Most splits of a part."""

BATCH = 256
"""Parts at a time."""


@dataclass(slots=True, eq=False)
class Shown:
    """A part with its steps, and its halves, where it has any; `split` says at what."""

    bone: Bone
    steps: list[Data] = field(default_factory=list[Data])
    split: Data = field(default_factory=Data)
    halves: tuple[Shown, Shown] | None = None


def shown(many: Many, whole: Bone, tick: Callable[[], None]) -> Shown:
    """The steps of all parts; raises `NoCertificate`."""
    top = Shown(whole)
    stack = [(many.whole(), [top])]
    while stack:
        parts, wanted = stack.pop()
        if len(wanted) > BATCH:
            for some in (np.arange(BATCH, len(wanted)), np.arange(BATCH)):
                stack.append((parts.take(some), [wanted[k] for k in some]))
            continue
        tick()
        Proving(many, parts, wanted).run()
        if parts.left.any():
            stack.append(halved(many, parts, wanted))
    return top


@dataclass(slots=True)
class Proving:
    """Finds the steps of some parts, and changes these in place as the steps do."""

    many: Many
    parts: FloatParts
    wanted: list[Shown]

    def run(self) -> None:
        """Shut what can be shut; of parts that are not halved, everything, or halve them."""
        leaf = np.array([part.bone.halves is None for part in self.wanted])
        self.bound(np.flatnonzero(~leaf))
        self.shut_as_told()
        self.cut_as_told()
        for k in range(TRIES):
            if k:
                self.cut(np.flatnonzero(leaf & self.parts.left.any(1)))
            self.bound(np.flatnonzero(leaf & self.parts.left.any(1)))
            self.shut_as_told()
            self.shut(leaf)
        for place in np.flatnonzero(leaf & self.parts.left.any(1)):
            self.halve(int(place))

    def bound(self, at: IntArray) -> None:
        """Take the bounds of some parts anew."""
        wanted = np.zeros(self.parts.under.shape, np.bool_)
        wanted[at] = True
        self.many.tighten(self.parts, wanted)
        for k in map(int, at):
            self.wanted[k].steps.append({"bounds": None})

    def shut_as_told(self) -> None:
        """Shut what the search's sums shut."""
        left = self.parts.left
        pairs = [
            (k, x)
            for k, part in enumerate(self.wanted)
            for x in part.bone.told
            if left[k, x.clause]
        ]
        if pairs:
            self.shut_by(told(self.many, self.parts, pairs))

    def cut_as_told(self) -> None:
        """Cut boxes by the search's sums."""
        lone = self.parts.left.sum(1) == 1
        pairs = [
            (k, part.bone.cut)
            for k, part in enumerate(self.wanted)
            if part.bone.cut is not None and lone[k] and self.parts.left[k, part.bone.cut.clause]
        ]
        if pairs:
            self.cut_by(told(self.many, self.parts, pairs))

    def shut(self, some: BoolArray) -> None:
        """Shut what can be shut of some parts."""
        at, clause = np.nonzero(self.parts.left & some[:, None])
        if len(at):
            self.shut_by(sought(self.many, self.parts, at, clause))

    def shut_by(self, sums: Weighted) -> None:
        """Shut what sums shut."""
        for k in np.flatnonzero(sums.above()).tolist():
            at, clause = int(sums.at[k]), int(sums.clause[k])
            self.wanted[at].steps.append({"shut": sums.said(k)})
            self.parts.left[at, clause] = False

    def cut(self, at: IntArray) -> None:
        """Cut the boxes of parts with one clause left by a weighted sum of its rows."""
        lone = at[self.parts.left[at].sum(1) == 1]
        if not len(lone):
            return
        self.cut_by(sought(self.many, self.parts, lone, self.parts.left[lone].argmax(1)))

    def cut_by(self, sums: Weighted) -> None:
        """Cut boxes by sums, where that leaves out enough."""
        at, (low, high) = sums.at, (self.parts.low, self.parts.high)
        before = high[at] - low[at]
        found = self.parts.take(at)
        cut(self.many, found, np.arange(len(at)), sums.together())
        after = found.high - found.low
        worth = (after < before * WORTH).any(1)
        for k in np.flatnonzero(worth).tolist():
            self.wanted[int(at[k])].steps.append({"cut": sums.said(k)})
        own = at[worth]
        low[own], high[own] = found.low[worth], found.high[worth]
        self.parts.left[own] = found.left[worth]

    def halve(self, place: int) -> None:
        """Have a part split at the input that moves its rows most."""
        bone = self.wanted[place].bone
        if bone.depth >= DEEPEST:
            raise NoCertificate("a part of the box is not shown by what shows it to the search")
        one = np.array([place])
        clause = self.parts.left[one].argmax(1)
        halves = each_half(self.many, self.parts, one, clause, phases_of(self.parts, one))
        low, high = self.parts.low[place], self.parts.high[place]
        bone.place = int((np.abs(halves.slopes[0]).sum(0) * (high - low)).argmax())
        bone.at = float(low[bone.place] / 2 + high[bone.place] / 2)
        bone.halves = Bone(bone.depth + 1, 0.0), Bone(bone.depth + 1, 0.0)


def halved(many: Many, parts: FloatParts, wanted: list[Shown]) -> tuple[FloatParts, list[Shown]]:
    """Both halves of the parts of which something is left."""
    own = np.flatnonzero(parts.left.any(1))
    found, side = parts.take(np.repeat(own, 2)), np.arange(2 * len(own)) % 2
    bones = [wanted[k].bone for k in own for _ in range(2)]
    rows = np.array([-1 if bone.row is None else bone.row for bone in bones], np.int64)
    chosen = np.flatnonzero(rows < 0)
    place = np.array([bones[k].place for k in chosen], np.int64)
    halfway = np.array([bones[k].at for k in chosen])
    at_input(many, found, chosen, place, halfway, side[chosen])
    chosen = np.flatnonzero(rows >= 0)
    steps = many.rows_of("step")[rows[chosen]]
    at_unit(many, found, chosen, rows[chosen], np.where(steps, BELOW, 0.0), side[chosen])
    names = many.named_rows
    fresh = list[Shown]()
    for k in own:
        part = wanted[k]
        bone = part.bone
        assert bone.halves is not None
        if bone.row is None:
            part.split = {"input": [bone.place, bone.at]}
        else:
            part.split = {"unit": [*names[bone.row]]}
        part.halves = Shown(bone.halves[0]), Shown(bone.halves[1])
        fresh += part.halves
    return found, fresh


def lines_of(top: Shown) -> list[Data]:
    """The parts as lines, each before its halves."""
    found, waiting = list[Data](), [top]
    while waiting:
        part = waiting.pop()
        found.append({"steps": part.steps} | part.split)
        waiting += reversed(part.halves or ())
    return found
