"""When a truth holds, whatever breaks ties: clauses, in each of which one comparison has to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from circ.compiler.audit.entries import (
    Given,
    Join,
    Known,
    Leader,
    Letter,
    Negation,
    Nodes,
    Order,
    Pick,
)
from circ.compiler.audit.known import value_of
from circ.compiler.audit.rejected import Rejected, require

MOST_CLAUSES = 1 << 16
MOST_OUTCOMES = 1 << 12


@dataclass(frozen=True, slots=True)
class Beats:
    """Node `more` is larger than node `less`, or at least as large where not `strict`."""

    more: int
    less: int
    strict: bool


class Unsettled(Exception):
    """A value that is not known."""


Clause = tuple[Beats, ...]
Formula = tuple[Clause, ...]


def places_of(formula: Iterable[Clause]) -> set[int]:
    """The numbers that a formula compares."""
    return {place for clause in formula for beats in clause for place in (beats.more, beats.less)}


@dataclass(slots=True)
class Truths:
    """Reads truths where the values of some nodes are known."""

    nodes: Nodes
    given: Mapping[int, Known]
    found: dict[int, Known | None] = field(default_factory=dict[int, "Known | None"])

    def known(self, place: int) -> Known | None:
        """The value of a node, if what is given says it."""
        if place in self.given:
            return self.given[place]
        if place not in self.found:
            self.found[place] = self.worked_out(place)
        return self.found[place]

    def worked_out(self, place: int) -> Known | None:
        """As `known`; a number that is not given is none of its matters."""
        node = self.nodes.nodes[place]
        if isinstance(node, Given):
            return node.value
        if self.nodes.real[place] or isinstance(node, Letter | Leader):
            return None
        try:
            return value_of(node, self.required, {})
        except Unsettled:
            return None

    def required(self, place: int) -> Known:
        """The value of a node; raises `Unsettled` where it is not known."""
        found = self.known(place)
        if found is None:
            raise Unsettled
        return found

    def formula(self, place: int, wanted: bool) -> Formula:
        """When a truth is as wanted; raises `Rejected` where that is not understood."""
        value = self.known(place)
        if value is not None:
            return () if bool(value) == wanted else ((),)
        node = self.nodes.nodes[place]
        match node:
            case Negation(part=part):
                return self.formula(part, not wanted)
            case Join(name=name, parts=parts):
                found = (self.formula(part, wanted) for part in parts)
                return both(found) if (name == "all") == wanted else either(found)
            case Order(left=left) if self.nodes.real[left]:
                return compared(node, wanted)
            case Pick(indices=(index,), sides=(2,)):
                ways = [(bool(k), part) for k, part in enumerate(node.parts)]
                return both(
                    either([self.formula(index, not way), self.formula(part, wanted)])
                    for way, part in ways
                )
            case _:
                return self.by_leaders(place, wanted)

    def by_leaders(self, place: int, wanted: bool) -> Formula:
        """A truth that the leaders of some rows decide: nothing that spoils it may lead."""
        leaders = sorted(self.leaders(place))
        rows = [leader.row for _, leader in leaders]
        sides = [range(len(row)) for row in rows]
        require(prod(map(len, sides)) <= MOST_OUTCOMES, "a truth depends on too many indices")
        spoilt = [way for way in product(*sides) if self.outcome(place, leaders, way) != wanted]
        if len(rows) == 1:
            barred = {way[0] for way in spoilt}
            return tuple(kept_from(rows[0], bar, barred) for bar in sorted(barred))
        return both(
            either([(kept_from(row, bar, {bar}),) for row, bar in zip(rows, way, strict=True)])
            for way in spoilt
        )

    def leaders(self, place: int) -> set[tuple[int, Leader]]:
        """The leaders behind a discrete node."""
        found, seen, waiting = set[tuple[int, Leader]](), set[int](), [place]
        while waiting:
            at = waiting.pop()
            node = self.nodes.nodes[at]
            if at in seen or self.known(at) is not None:
                continue
            seen.add(at)
            if isinstance(node, Leader):
                found.add((at, node))
            else:
                parts = self.nodes.parts[at]
                if not parts or any(self.nodes.real[part] for part in parts):
                    raise Rejected("a truth that is no comparison and no choice of a leader")
                waiting.extend(parts)
        return found

    def outcome(
        self, place: int, leaders: Sequence[tuple[int, Leader]], way: Sequence[int]
    ) -> bool:
        """What the truth is where these lead."""
        given = {at: k for (at, _), k in zip(leaders, way, strict=True)}
        inner = Truths(self.nodes, {**self.given, **given})
        found = inner.known(place)
        require(found is not None, "a truth rests on what is not known")
        return bool(found)


def compared(node: Order, wanted: bool) -> Formula:
    """A comparison of numbers."""
    if node.name == "==":
        sides = Beats(node.left, node.right, not wanted), Beats(node.right, node.left, not wanted)
        return tuple((side,) for side in sides) if wanted else (sides,)
    more, less = (node.right, node.left) if wanted else (node.left, node.right)
    return ((Beats(more, less, (node.name == "<") == wanted),),)


def kept_from(row: Sequence[int], bar: int, barred: set[int]) -> Clause:
    """That an entry of a row which is not barred is larger than the one at `bar`."""
    return tuple(Beats(row[k], row[bar], True) for k in range(len(row)) if k not in barred)


def both(parts: Iterable[Formula]) -> Formula:
    """All of these."""
    found = tuple(dict.fromkeys(clause for part in parts for clause in part))
    require(len(found) <= MOST_CLAUSES, "the goal has too many parts")
    return ((),) if () in found else found


def either(parts: Iterable[Formula]) -> Formula:
    """One of these."""
    found: Formula = ((),)
    for part in parts:
        require(len(found) * len(part) <= MOST_CLAUSES, "the goal has too many alternatives")
        found = tuple(dict.fromkeys(tuple(dict.fromkeys(a + b)) for a in found for b in part))
    return found


def class_formula(
    nodes: Nodes, options: Iterable[tuple[int, bool]], given: Mapping[int, Known]
) -> Formula:
    """When one of the options is as said."""
    truths = Truths(nodes, given)
    return either(truths.formula(place, wanted) for place, wanted in options)
