"""What of a claim is discrete, and what is about the numbers of a network.

The values of some discrete nodes sort the words into classes. In a class they are known, and what is
left of the goal compares numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from circ.compiler.audit.clauses import Formula, class_formula
from circ.compiler.audit.entries import (
    Curve,
    Given,
    Known,
    Leader,
    Letter,
    Nodes,
    Pick,
    Rectified,
    Share,
    Stored,
    entries,
)
from circ.compiler.audit.factors import Scaled, scaled_sides, without_factors
from circ.compiler.audit.machine import Machine, Word, machine
from circ.compiler.audit.rejected import Rejected
from circ.compiler.ir import Index
from circ.compiler.obligation import Obligation, Words
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Claim:
    """On every word one of `options` is as said; in a class, `values` are known.

    `weighed` are the conditions about the network, which are among the options. `scaled` has the
    positive factors of the numbers that are compared.
    """

    nodes: Nodes
    word: Word
    options: tuple[tuple[int, bool], ...]
    values: tuple[int, ...]
    weighed: tuple[int, ...]
    language: Machine
    scaled: Mapping[int, Scaled]

    def formula(self, given: Mapping[int, Known]) -> Formula:
        """When one of the options is as said, in a class."""
        return self.formula_of(self.options, given)

    def formula_of(
        self, options: Iterable[tuple[int, bool]], given: Mapping[int, Known]
    ) -> Formula:
        """When one of some truths is as said, by comparisons without common positive factors."""
        return without_factors(class_formula(self.nodes, options, given), self.scaled)


@dataclass(frozen=True, slots=True)
class Parts:
    """A claim as `Claim` has it; of the conditions, those that are `plain` are about no network."""

    nodes: Nodes
    word: Word
    plain: tuple[int, ...]
    options: tuple[tuple[int, bool], ...]
    values: tuple[int, ...]
    weighed: tuple[int, ...]


def divided(obligation: Obligation, weights: Weights) -> Claim:
    """A claim about one word; raises `Rejected` for another, or one of too many states."""
    found = taken_apart(obligation)
    language = machine(found.nodes, found.word, found.plain, found.values, weights)
    wide = [several(mask) for mask in positions(found.nodes)]
    scaled = scaled_sides(found.nodes, wide, weights)
    return Claim(
        found.nodes, found.word, found.options, found.values, found.weighed, language, scaled
    )


def taken_apart(obligation: Obligation) -> Parts:
    """A claim about one word, its words not looked at; raises `Rejected` for another."""
    word = word_of(obligation)
    outputs = obligation.circuit.outputs
    wires = [outputs[name] for name in (*obligation.conditions, "goal")]
    nodes, found = entries(obligation.circuit, wires)
    *conditions, goal = [found[wire][0] for wire in wires]
    reads = positions(nodes)
    network = learned(nodes, reads)
    weighed = tuple(node for node in conditions if network[node])
    plain = tuple(node for node in conditions if not network[node])
    values = functions(nodes, [*weighed, goal], network, reads)
    options = (*((node, False) for node in weighed), (goal, True))
    return Parts(nodes, word, plain, options, tuple(values), weighed)


def word_of(obligation: Obligation) -> Word:
    """The letters and the length of the one word that a claim is about."""
    if len(obligation.binders) != 1 or obligation.quantifier != "forall":
        raise Rejected("it is not about all words of one binder")
    (bound,) = obligation.binders
    if not isinstance(bound.values, Words) or not isinstance(bound.type.sort, Index):
        raise Rejected("it is not about words")
    if [*obligation.circuit.inputs] != [bound.name]:
        raise Rejected("it reads more than its word")
    if not bound.type.entries:
        raise Rejected("its words have no letter")
    return Word(bound.type.sort.size, bound.type.entries)


def positions(nodes: Nodes) -> list[int]:
    """The positions that each node reads: bit p stands for position p."""
    found: list[int] = []
    for node, parts in zip(nodes.nodes, nodes.parts, strict=True):
        mask = 1 << node.position if isinstance(node, Letter) else 0
        for part in parts:
            mask |= found[part]
        found.append(mask)
    return found


def several(mask: int) -> bool:
    """Whether it stands for more than one position."""
    return mask & (mask - 1) != 0


def learned(nodes: Nodes, reads: Sequence[int]) -> list[bool]:
    """The nodes behind which a smooth function stands, or several positions meet in weights, or are
    compared there for the largest."""
    weighed: list[bool] = []
    found: list[bool] = []
    for place, node in enumerate(nodes.nodes):
        parts = nodes.parts[place]
        weighed.append(isinstance(node, Stored) or any(weighed[part] for part in parts))
        compares = nodes.real[place] or isinstance(node, Leader)
        meets = compares and weighed[place] and several(reads[place])
        smooth = isinstance(node, Curve | Share)
        found.append(meets or smooth or any(found[part] for part in parts))
    return found


def at_leader(nodes: Nodes, place: int, reads: Sequence[int]) -> tuple[int, ...]:
    """What stands at the indices of scores that read a position each, besides one that asks."""
    match nodes.nodes[place]:
        case Pick(indices=(index,), parts=parts):
            pass
        case _:
            return ()
    leader = nodes.nodes[index]
    if not isinstance(leader, Leader) or any(reads[x].bit_count() > 2 for x in leader.row):
        return ()
    return parts


def functions(
    nodes: Nodes, roots: Iterable[int], network: Sequence[bool], reads: Sequence[int]
) -> list[int]:
    """The nodes whose values sort the words: what numbers read of several positions, and what
    decides between numbers or beside them."""
    found, seen = set[int](), set[int]()
    waiting = list(roots)
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        if not network[place]:
            found.add(place)
            continue
        parts = nodes.parts[place]
        joins = not nodes.real[place] or any(network[part] for part in parts)
        chosen = at_leader(nodes, place, reads)
        for part in parts:
            decides = joins and not nodes.real[part] and part not in chosen
            if network[part]:
                waiting.append(part)
            elif several(reads[part]) or decides:
                found.add(part)
    return sorted(place for place in found if not isinstance(nodes.nodes[place], Given))


def set_apart(nodes: Nodes, values: Sequence[int]) -> list[bool]:
    """The nodes that some values, the phase of a ReLU, or a leader bear on."""
    found: list[bool] = []
    own = {*values}
    for place, node in enumerate(nodes.nodes):
        bent = isinstance(node, Rectified | Leader) or place in own
        found.append(bent or any(found[part] for part in nodes.parts[place]))
    return found
