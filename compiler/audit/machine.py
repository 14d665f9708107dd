"""The words that meet the conditions, sorted by what is discrete of them, as a layered machine.

A state after p letters is what later letters need of them: the values of the nodes that read these
letters alone and that something later reads. What joins many parts joins them in the order of the
word, so that little has to be kept. States that lead on alike are one state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from circ.compiler.audit.entries import (
    Given,
    Join,
    Known,
    Letter,
    Linear,
    Node,
    Nodes,
    Pick,
    Products,
)
from circ.compiler.audit.known import value_of
from circ.compiler.audit.moved import moved
from circ.compiler.audit.rejected import require
from circ.compiler.tensor import Weights

MOST_STATES = 1 << 16
"""Of one layer."""

MOST_STEPS = 1 << 23
"""Letters tried in all states."""

DEAD = -1
"""Where no word goes on."""

Step = list[list[int]]
"""For each state of a layer the state after it by letter, or `DEAD`."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The start is state 0 of layer 0, if any word is accepted; `classes[s]` is what a last state says."""

    steps: list[Step]
    classes: list[tuple[Known, ...]]

    def count(self) -> int:
        """How many words it accepts."""
        ways = [1] * len(self.classes)
        for step in reversed(self.steps):
            ways = [sum(ways[after] for after in row if after != DEAD) for row in step]
        return ways[0] if ways else 0

    def class_of(self, word: Sequence[int]) -> int:
        """The class of a word, `DEAD` where it is not accepted."""
        state = 0 if self.classes else DEAD
        for step, letter in zip(self.steps, word, strict=True):
            state = DEAD if state == DEAD else step[state][letter]
        return state

    def leading_to(self, kind: int) -> list[list[bool]]:
        """For each layer, the states from which words of a class go on; the last layer too."""
        found = [[place == kind for place in range(len(self.classes))]]
        for step in reversed(self.steps):
            leads = [*found[-1], False].__getitem__  # the last stands for `DEAD`, which is -1
            found.append([any(map(leads, row)) for row in step])
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Word:
    """So many letters at so many positions."""

    letters: int
    length: int


def machine(
    nodes: Nodes, word: Word, conditions: Sequence[int], values: Sequence[int], weights: Weights
) -> Machine:
    """The words on which all conditions hold, by the values of some nodes."""
    layers = layered(nodes, word, [*conditions, *values])
    known = beforehand(layers, weights)
    states: list[tuple[Known, ...]] = [()]
    steps: list[Step] = []
    tried = 0
    for position in range(word.length):
        tried += len(states) * word.letters
        require(tried <= MOST_STEPS, "its words need too many states to be audited")
        states, step = stepped(layers, position, states, known, weights)
        require(len(states) <= MOST_STATES, "its words need too many states to be audited")
        steps.append(step)
    found = [ended(layers, state, known, len(conditions)) for state in states]
    return merged(steps, found)


def layered(nodes: Nodes, word: Word, wanted: Sequence[int]) -> Layers:
    """What some nodes are computed from, letter by letter."""
    chain, places = chained(nodes, wanted)
    return laid(chain, word, [places[node] for node in wanted])


def beforehand(layers: Layers, weights: Weights) -> list[Known]:
    """The values of all nodes that read no letter; room for those of the others."""
    known: list[Known] = []
    for node, last in zip(layers.nodes, layers.last, strict=True):
        known.append(value_of(node, known.__getitem__, weights) if last < 0 else False)
    return known


def ended(
    layers: Layers, state: Sequence[Known], known: list[Known], conditions: int
) -> tuple[Known, ...] | None:
    """The values after a word that leads to a state, None where it does not meet the conditions."""
    put(known, layers.carried[layers.word.length], state)
    outcome = [known[place] for place in layers.wanted]
    return tuple(outcome[conditions:]) if all(outcome[:conditions]) else None


def put(known: list[Known], places: Sequence[int], values: Sequence[Known]) -> None:
    """Write values at places."""
    for place, value in zip(places, values, strict=True):
        known[place] = value


# --- one letter more ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layers:
    """Nodes in order, the last position that each reads (-1 for none), and those wanted at the end.

    `carried[p]` are those that are known before position p and read from there on.
    """

    nodes: list[Node]
    last: list[int]
    wanted: list[int]
    word: Word
    carried: list[list[int]]


def laid(nodes: Nodes, word: Word, wanted: list[int]) -> Layers:
    """Nodes by the positions that they read."""
    last = reading(nodes)
    until = [-1] * len(nodes.nodes)
    for place, parts in enumerate(nodes.parts):
        for part in parts:
            until[part] = max(until[part], last[place])
    for place in wanted:
        until[place] = word.length
    kept: list[list[int]] = [[] for _ in range(word.length + 1)]
    for place, first in enumerate(last):
        for position in range(first + 1, until[place] + 1 if first >= 0 else 0):
            kept[position].append(place)
    return Layers(nodes.nodes, last, wanted, word, kept)


def stepped(
    layers: Layers,
    position: int,
    states: Sequence[tuple[Known, ...]],
    known: list[Known],
    weights: Weights,
) -> tuple[list[tuple[Known, ...]], Step]:
    """The states after one more letter, and where each letter leads."""
    before, after = layers.carried[position], layers.carried[position + 1]
    fresh = [n for n, p in enumerate(layers.last) if p == position]
    letters = [n for n in fresh if isinstance(layers.nodes[n], Letter)]
    ready = [
        (n, reader(layers, n, known, weights))
        for n in fresh
        if not isinstance(layers.nodes[n], Letter)
    ]
    found: dict[tuple[Known, ...], int] = {}
    step: Step = []
    for state in states:
        put(known, before, state)
        row: list[int] = []
        for letter in range(layers.word.letters):
            for place in letters:
                known[place] = letter
            for place, read in ready:
                known[place] = read()
            row.append(found.setdefault(tuple([known[n] for n in after]), len(found)))
        step.append(row)
    return list(found), step


def reader(layers: Layers, place: int, known: list[Known], weights: Weights) -> Callable[[], Known]:
    """What works out a node from what is known; a table that no letter changes is laid out once."""
    node = layers.nodes[place]
    if not isinstance(node, Pick) or any(layers.last[part] >= 0 for part in node.parts):
        return partial(value_of, node, known.__getitem__, weights)
    table = [known[part] for part in node.parts]
    ways = list(zip(node.indices, node.sides, strict=True))

    def picked() -> Known:
        at = 0
        for index, side in ways:
            at = at * side + int(known[index])
        return table[at]

    return picked


def reading(nodes: Nodes) -> list[int]:
    """The last position that each node reads, -1 for none."""
    found: list[int] = []
    for node, parts in zip(nodes.nodes, nodes.parts, strict=True):
        at = node.position if isinstance(node, Letter) else -1
        found.append(max([at, *[found[part] for part in parts]]))
    return found


def chained(nodes: Nodes, wanted: Sequence[int]) -> tuple[Nodes, dict[int, int]]:
    """What some nodes are computed from, sums and connectives two at a time in the word's order."""
    needed, waiting = set[int](), list(wanted)
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed.add(place)
            waiting.extend(nodes.parts[place])
    last = reading(nodes)
    chain = Nodes()
    places: dict[int, int] = {}
    for place in sorted(needed):
        node = nodes.nodes[place]
        places[place] = linked(chain, node, nodes.real[place], places, last)
    return chain, places


def linked(chain: Nodes, node: Node, real: bool, places: dict[int, int], last: list[int]) -> int:
    """One node, as a chain where it joins several parts."""
    match node:
        case Join(name=name, parts=parts) if len(parts) > 1:
            first, *rest = (places[part] for part in sorted(parts, key=last.__getitem__))
            for part in rest:
                first = chain.add(Join(name, (first, part)), real=real)
            return first
        case Linear(terms=terms):
            return added(chain, [(last[x], c, places[x]) for c, x in terms])
        case Products(pairs=pairs):
            products = [
                (max(last[x], last[y]), Fraction(1), times(chain, places[x], places[y]))
                for x, y in pairs
            ]
            return added(chain, products)
        case _:
            return chain.add(moved(node, places), real=real)


def times(chain: Nodes, x: int, y: int) -> int:
    """A product."""
    return chain.add(Products(((x, y),)), real=True)


def added(chain: Nodes, terms: Sequence[tuple[int, Fraction | int, int]]) -> int:
    """A sum, one term after the other by the last position that each reads."""
    total = chain.add(Given(0, True), real=True)
    for _, c, part in sorted(terms):
        factor = c.numerator if c.denominator == 1 else c
        total = chain.add(Linear(((1, total), (factor, part))), real=True)
    return total


# --- the smallest machine -------------------------------------------------------------------------


def merged(steps: Sequence[Step], ends: Sequence[tuple[Known, ...] | None]) -> Machine:
    """States that lead on alike are one; those from which no word is accepted are `DEAD`."""
    classes: dict[tuple[Known, ...], int] = {}
    names = [DEAD if end is None else classes.setdefault(end, len(classes)) for end in ends]
    found: list[Step] = []
    for step in reversed(steps):
        rows: dict[tuple[int, ...], int] = {}
        named: list[int] = []
        name = [
            *names,
            DEAD,
        ].__getitem__  # the last stands for a letter that is `DEAD`, which is -1
        for row in step:
            key = tuple(map(name, row))
            dead = max(key) == DEAD
            named.append(DEAD if dead else rows.setdefault(key, len(rows)))
        found.append([list(row) for row in rows])
        names = named
    return Machine(found[::-1], list(classes))


def includes(language: Machine, kind: int, steps: Sequence[Step], states: Sequence[int]) -> None:
    """Raise `Rejected` unless other steps lead every word of a class to some end.

    `states` says how many states each layer of the other has, the last too.
    """
    alive = language.leading_to(kind)
    pairs = {(0, 0)}
    require(alive[0][:1] == [True] and states[0] > 0, "a class has no word")
    for position, step in enumerate(language.steps):
        ahead, other = alive[position + 1], steps[position]
        found: set[tuple[int, int]] = set()
        for mine, its in pairs:
            found.update(zip(step[mine], other[its], strict=True))
        pairs = {(after, then) for after, then in found if after != DEAD and ahead[after]}
        require(all(then != DEAD for _, then in pairs), "a word of a class is left out")
