"""One input, looked at alone: in more bits, and with ties broken in every way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from circ.compiler.audit.bound import Asked
from circ.compiler.audit.entries import Leader
from circ.compiler.audit.evaluated import Evaluator, Filling, Space
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.vectors import OPEN
from circ.compiler.audit.whole_vectors import FINE, Whole, WholeVectors
from circ.compiler.tensor import Weights

MOST_WAYS = 256
"""Ways to break the ties of one input."""


class Outcome(Enum):
    """What an input comes to, whatever breaks ties."""

    OUTSIDE = "it does not meet the conditions"
    RIGHT = "it meets the conditions and the goal"


def alone(claim: Asked, weights: Weights, number: int) -> Outcome:
    """What an input of a claim about words comes to; raises `Rejected` where that is open, or wrong."""
    plan = claim.plan
    word = [number // plan.step(axis) % size for axis, size in enumerate(plan.sizes)]
    return alone_at(claim, weights, word)


def alone_at(claim: Asked, weights: Weights, word: Sequence[int]) -> Outcome:
    """As `alone`, of an input by its letters."""
    math, plan = WholeVectors(FINE), claim.plan
    codes = {node: math.span(0, plan.sizes[axis]) for node, axis in plan.leaves.items()}
    return Alone(claim, weights, word, {}, codes).outcome()


@dataclass(slots=True)
class Alone:
    """An input by its letters, and the columns that its entries are of."""

    claim: Asked
    weights: Weights
    word: Sequence[int]
    numbers: Mapping[int, Whole]
    codes: Mapping[int, list[int]]
    math: WholeVectors = field(default_factory=lambda: WholeVectors(FINE))

    def outcome(self) -> Outcome:
        """What it comes to, the same for every way to break ties; raises `Rejected`.

        A node is taken to lead in any way its scores allow, apart from what other nodes do: those are
        all the choice functions there are, and perhaps more.
        """
        waiting: list[dict[int, int]] = [{}]
        found: set[Outcome] = set()
        ways = 0
        while waiting:
            given = waiting.pop()
            ways += 1
            require(ways <= MOST_WAYS, "ties at an input break in too many ways")
            one = self.one_way(given)
            if isinstance(one, Outcome):
                found.add(one)
            else:
                node, leaders = one
                waiting.extend({**given, node: leader} for leader in leaders)
        require(len(found) == 1, "whether an input meets the conditions hangs on a tie")
        return found.pop()

    def one_way(self, given: Mapping[int, int]) -> Outcome | tuple[int, list[int]]:
        """What it comes to where some nodes lead as given; or a node that may lead in several ways."""
        claim = self.claim
        evaluator = Evaluator(
            claim.plan, self.math, self.weights, self.numbers, self.codes, 0, given
        )
        met, doubt = looked_at(evaluator, self.word, claim.conditions)
        if met == [0]:
            return Outcome.OUTSIDE
        if met == [1]:
            right, doubt = looked_at(evaluator, self.word, (claim.goal,))
            some = ", ties broken in some way" if given else ""
            require(right != [0], f"the goal does not hold at an input{some}")
            if right == [1]:
                return Outcome.RIGHT
        if doubt is None:
            raise Rejected("an input is too close to call")
        return doubt


def looked_at(
    evaluator: Evaluator[Whole, list[int]], word: Sequence[int], roots: tuple[int, ...]
) -> tuple[list[int], tuple[int, list[int]] | None]:
    """Whether some nodes hold at an input, and the first that may lead in several ways."""
    space = Space[Whole, list[int]]({axis: [letter] for axis, letter in enumerate(word)}, 1)
    filling = Filling(evaluator, {}, space)
    order = evaluator.plan.needed(roots)
    filling.fill(order, {*order})
    found = evaluator.math.joined("all", [[1], *(space.codes[root] for root in roots)])
    for node in order:
        op = evaluator.plan.nodes[node]
        if isinstance(op, Leader) and space.codes[node] == [OPEN]:
            row = [space.reals[part] for part in op.row]
            return found, (node, leaders(row))
    return found, None


def leaders(row: list[Whole]) -> list[int]:
    """Every index that may be one of a largest."""
    if any(x.open for x in row):
        return list(range(len(row)))
    best = max(x.mid[0] - x.rad for x in row)
    return [k for k, x in enumerate(row) if x.mid[0] + x.rad >= best]
