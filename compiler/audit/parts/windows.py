"""The parts of a certificate checked in doubles, many lines at a time.

Lines that are read together are sorted by how far they are below what was read before, and each such
level is checked at once. What doubles do not confirm is checked in whole numbers, from the whole box on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from circ.compiler.audit.parts.exact import children, whole
from circ.compiler.audit.parts.layers import Net
from circ.compiler.audit.parts.many import Many, at_input, at_unit, cut, many
from circ.compiler.audit.parts.nodes import (
    AtInput,
    AtUnit,
    Cut,
    Node,
    Shut,
    Step,
    Tighten,
    Weighed,
    node_of,
)
from circ.compiler.audit.parts.planes import BELOW, FloatParts, stacked
from circ.compiler.audit.record import DEEPEST, Data
from circ.compiler.audit.rejected import NotKnown, require

WINDOW = 1 << 12
"""Most lines at a time; fewer where parts are large."""

NUMBERS = 1 << 22
"""About as many numbers are kept of the parts of so many lines."""

MOST_SAID = 1 << 20
"""No more lines are read at a time once they say so many numbers."""


Wires = frozenset[int] | None
"""Whose units are bounded anew: all where None."""


@dataclass(slots=True, eq=False)
class Place:
    """A part that was read: the one that it is half of, and which half; its level, and its row there.

    `doubtful`: doubles do not show what it says. `kept` is what is known of it, for later windows.
    """

    node: Node
    parent: Place | None
    side: int
    depth: int
    level: int
    row: int
    doubtful: bool = False
    kept: FloatParts | None = field(default=None, repr=False)


@dataclass(slots=True)
class Windows:
    """Checks parts as they are read. `waiting` are halves that are still to be read, the next one last."""

    many: Many
    records: Iterator[Data]
    waiting: list[tuple[Place | None, int]] = field(default_factory=lambda: [(None, 0)])
    found: int = 0

    def run(self) -> int:
        """How many parts there are that are split no more; raises `Rejected`."""
        numbers = 2 * self.many.floats.width + 3 * len(self.many.floats.ends[0])
        most = max(16, min(WINDOW, NUMBERS // max(numbers, 1)))
        self.window(1)
        while self.waiting:
            self.window(most)
        return self.found

    def window(self, most: int) -> None:
        """Read so many lines, and check them."""
        levels, before = self.read(most), FloatParts.none(self.many.floats)
        needed = {id(parent) for parent, _ in self.waiting}
        for level in levels:
            before = self.checked(level, before)
            for place in level:
                if id(place) in needed:
                    place.kept = before.take(np.array([place.row]))

    def read(self, most: int) -> list[list[Place]]:
        """So many lines by level; those whose other half was read in a window before are the first."""
        levels, fresh, said = list[list[Place]](), set[int](), 0
        while self.waiting and len(fresh) < most and said < MOST_SAID:
            data = next(self.records, None)
            require(data is not None, "a part of the box is missing")
            assert data is not None
            parent, side = self.waiting.pop()
            inside = parent is not None and id(parent) in fresh
            level = parent.level + 1 if parent is not None and inside else 0
            if level == len(levels):
                levels.append([])
            depth = parent.depth + 1 if parent is not None else 0
            require(depth < DEEPEST, "a proof has splits too deep in splits")
            place = Place(node_of(data), parent, side, depth, level, len(levels[level]))
            said += size_of(place.node)
            fresh.add(id(place))
            levels[level].append(place)
            if place.node.split is not None:
                self.waiting += [(place, 1), (place, 0)]
        return levels

    def checked(self, level: Sequence[Place], before: FloatParts) -> FloatParts:
        """What is known of a level after its steps; raises `Rejected`."""
        parts = self.begun(level, before)
        stepping, k = level, 0
        while stepping := [place for place in stepping if k < len(place.node.steps)]:
            self.step(stepping, parts, k)
            k += 1
        if level[0].parent is None:
            self.many.charge(parts.under[0], parts.over[0])
        for place in level:
            if place.node.split is None:
                self.found += 1
            if place.doubtful or (place.node.split is None and parts.left[place.row].any()):
                self.exactly(place)
                parts.left[place.row] &= place.node.split is not None
        return parts

    def begun(self, level: Sequence[Place], before: FloatParts) -> FloatParts:
        """A level as it is split from the one before, or from what was read earlier."""
        parents = [place.parent for place in level if place.parent is not None]
        if not parents:
            return self.many.whole()
        if level[0].level:
            parts = before.take(np.array([parent.row for parent in parents]))
        else:
            parts = stacked([parent.kept for parent in parents if parent.kept is not None])
        sides = np.array([place.side for place in level])
        self.halve(parts, [parent.node.split for parent in parents], sides)
        return parts

    def halve(
        self, parts: FloatParts, splits: Sequence[AtInput | AtUnit | None], sides: np.ndarray
    ) -> None:
        """Each part made the half of it that its side says."""
        inputs = [(k, s) for k, s in enumerate(splits) if isinstance(s, AtInput)]
        units = [(k, s.unit) for k, s in enumerate(splits) if isinstance(s, AtUnit)]
        require(all(s.place < self.many.floats.width for _, s in inputs), "there is no such input")
        chosen = np.array([k for k, _ in inputs], np.int64)
        place = np.array([s.place for _, s in inputs], np.int64)
        at = np.array([float(s.at) for _, s in inputs])
        at_input(self.many, parts, chosen, place, at, sides[chosen])
        names, layers = self.many.net.names, self.many.floats.layers
        require(all(unit in names for _, unit in units), "there is no such unit")
        found = [names[unit] for _, unit in units]
        kinds = [layers[layer - 1].kind for layer, _ in found]
        require({*kinds} <= {"relu", "step"}, "a unit has no phase")
        chosen = np.array([k for k, _ in units], np.int64)
        row = np.array([self.many.row_at(*own) for own in found], np.int64)
        below = np.array([BELOW if kind == "step" else 0.0 for kind in kinds])
        at_unit(self.many, parts, chosen, row, below, sides[chosen])

    # --- steps --------------------------------------------------------------------------------

    def step(self, level: Sequence[Place], parts: FloatParts, k: int) -> None:
        """The k-th step of each part."""
        steps = [(place, place.node.steps[k]) for place in level]
        tight = [(place, step.wires) for place, step in steps if isinstance(step, Tighten)]
        self.tighten(tight, parts)
        self.shut([(place, step.by) for place, step in steps if isinstance(step, Shut)], parts)
        self.cut([(place, step.by) for place, step in steps if isinstance(step, Cut)], parts)

    def tighten(self, wanted: Sequence[tuple[Place, Wires]], parts: FloatParts) -> None:
        """Units that are bounded anew."""
        if not wanted:
            return
        masks = {wires: self.many.rows_for(wires) for wires in {wires for _, wires in wanted}}
        at = np.array([place.row for place, _ in wanted])
        own = parts.take(at)
        self.many.tighten(own, np.stack([masks[wires] for _, wires in wanted]))
        parts.under[at], parts.over[at], parts.left[at] = own.under, own.over, own.left

    def shut(self, sums: Sequence[tuple[Place, Weighed]], parts: FloatParts) -> None:
        """Clauses that are shown to hold, or are for the time being taken to: what is in doubt is checked
        in whole numbers, with all steps of its part, before anything is read of its halves."""
        if not sums:
            return
        at = np.array([place.row for place, _ in sums])
        halves = self.many.weighed(parts, at, [by for _, by in sums])
        sure = halves.least(parts.low[at], parts.high[at]) > 0
        for (place, by), above in zip(sums, sure.tolist(), strict=True):
            if not above and parts.left[place.row].any():
                place.doubtful = True
            parts.left[place.row, slice(None) if by.clause is None else by.clause] = False

    def cut(self, sums: Sequence[tuple[Place, Weighed]], parts: FloatParts) -> None:
        """Boxes that are made smaller."""
        if not sums:
            return
        at = np.array([place.row for place, _ in sums])
        halves = self.many.weighed(parts, at, [by for _, by in sums])
        for place, by in sums:
            left = parts.left[place.row].copy()
            left[slice(None) if by.clause is None else by.clause] = False
            require(not left.any(), "a part is cut by one clause while others are left")
        cut(self.many, parts, at, halves)

    def exactly(self, place: Place) -> None:
        """Check a part in whole numbers, as its ancestors leave it; raises `Rejected`."""
        path = [place]
        while path[-1].parent is not None:
            path.append(path[-1].parent)
        net, part = self.many.net, whole(self.many.net)
        while len(path) > 1:
            part = children(net, part, path.pop().node)[path[-1].side]
        children(net, part, place.node)


def size_of(node: Node) -> int:
    """About how many numbers a line says."""
    return sum(map(size_of_step, node.steps))


def size_of_step(step: Step) -> int:
    """The same of a step."""
    match step:
        case Tighten(wires=wires):
            return 1 + len(wires or ())
        case Shut(by=by) | Cut(by=by):
            return 1 + len(by.rows) + 3 * len(by.phases)
        case _:
            assert_never(step)


def in_doubles(net: Net) -> Callable[[Iterator[Data]], int] | None:
    """What goes through the parts of a certificate fast; None where doubles cannot hold the numbers.

    It says how many parts there are, and raises `Rejected`.
    """
    try:
        ready = many(net)
    except NotKnown:
        return None

    def gone_through(records: Iterator[Data]) -> int:
        with np.errstate(all="ignore"):  # what overflows is above nothing
            return Windows(ready, records).run()

    return gone_through
