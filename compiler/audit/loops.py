"""The words of any length that meet the conditions, sorted by what is discrete of them, with loops.

The circuit for one more letter is to be the circuit before it with the same step taken once more. Two
lengths are read, and what is computed at each place of both is compared as written, form by form: then
the words of both lengths go through one machine, whose loop is the step between the ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circ.compiler.audit.divided import Parts
from circ.compiler.audit.entries import Known, Letter
from circ.compiler.audit.forms import Forms
from circ.compiler.audit.machine import (
    DEAD,
    MOST_STATES,
    MOST_STEPS,
    Layers,
    Step,
    beforehand,
    ended,
    layered,
    stepped,
)
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.tensor import Weights

SHORT = 5
"""Letters of the shorter words that are read: two to begin, two steps to compare, and a last one."""

BEGIN = 2
"""Letters before the first step of the loop."""


@dataclass(frozen=True, slots=True)
class Loops:
    """Words of three letters and more: two to begin, any number of steps, and one that ends.

    The start is state 0 of `begin[0]`, and `begin[1]` leads to the states of `step`, which leads from
    these to these. A word that ends with letter c in state s is of class `ends[s][c]`, or `DEAD` where
    it does not meet the conditions; `classes` has the values of each class.
    """

    begin: tuple[Step, Step]
    step: Step
    ends: Step
    classes: list[tuple[Known, ...]]

    def from_length(self, length: int) -> set[int]:
        """The classes of words of so many letters and more, of at least three."""
        reached = {state for row in self.begin[1] for state in row}
        for _ in range(length - BEGIN - 1):
            reached = {after for state in reached for after in self.step[state]}
        waiting = list(reached)
        while waiting:
            fresh = {*self.step[waiting.pop()]} - reached
            reached |= fresh
            waiting.extend(fresh)
        return {kind for state in reached for kind in self.ends[state]} - {DEAD}

    def leading_to(self, kind: int) -> list[bool]:
        """The states of the loop from which words of a class go on."""
        before: list[list[int]] = [[] for _ in self.step]
        for state, row in enumerate(self.step):
            for after in row:
                before[after].append(state)
        waiting = [state for state, row in enumerate(self.ends) if kind in row]
        found = [False] * len(self.step)
        while waiting:
            state = waiting.pop()
            if not found[state]:
                found[state] = True
                waiting.extend(before[state])
        return found


def loops(short: Parts, long: Parts, weights: Weights) -> Loops:
    """The machine of a claim read at `SHORT` letters and at one more; raises `Rejected`."""
    near, far = (layered(x.nodes, x.word, [*x.plain, *x.values]) for x in (short, long))
    require(len(short.plain) == len(long.plain), "its conditions differ from length to length")
    require_alike(near, far)
    known = beforehand(near, weights)
    first, begin = stepped(near, 0, [()], known, weights)
    second, next_begin = stepped(near, 1, first, known, weights)
    states, step = closed(near, second, known, weights)
    last, ends = stepped(near, SHORT - 1, states, known, weights)
    classes: dict[tuple[Known, ...], int] = {}
    kinds: list[int] = []
    for state in last:
        values = ended(near, state, known, len(short.plain))
        kinds.append(DEAD if values is None else classes.setdefault(values, len(classes)))
    sorted_ends = [[kinds[place] for place in row] for row in ends]
    return Loops((begin, next_begin), step, sorted_ends, list(classes))


def closed(
    layers: Layers, fresh: Sequence[tuple[Known, ...]], known: list[Known], weights: Weights
) -> tuple[list[tuple[Known, ...]], Step]:
    """All states that steps lead to, the `fresh` ones first, and where each letter leads."""
    places = {state: place for place, state in enumerate(fresh)}
    found: Step = []
    waiting = list(fresh)
    while waiting:
        require(len(places) <= MOST_STATES, "its words need too many states to be audited")
        tried = len(places) * layers.word.letters
        require(tried <= MOST_STEPS, "its words need too many states to be audited")
        after, step = stepped(layers, BEGIN, waiting, known, weights)
        waiting = [state for state in after if state not in places]
        for state in waiting:
            places[state] = len(places)
        found += [[places[after[place]] for place in row] for row in step]
    return list(places), found


def includes(language: Loops, kind: int, steps: Sequence[Step]) -> None:
    """Raise `Rejected` unless four other steps lead every word of a class to the end."""
    *begin, step, ends = steps
    alive = language.leading_to(kind)
    lively = [any(alive[after] for after in row) for row in language.begin[1]]
    pairs = [(0, 0)]
    for mine, its, ahead in zip(language.begin, begin, (lively, alive), strict=True):
        pairs = [pair for one, other in pairs for pair in led(mine[one], its[other], ahead)]
    seen, waiting = set[tuple[int, int]](), pairs
    while waiting:
        one, other = pair = waiting.pop()
        if pair not in seen:
            seen.add(pair)
            waiting.extend(led(language.step[one], step[other], alive))
            for found, after in zip(language.ends[one], ends[other], strict=True):
                require(found != kind or after != DEAD, "a word of a class is left out")


def led(mine: Sequence[int], its: Sequence[int], alive: Sequence[bool]) -> set[tuple[int, int]]:
    """Where letters lead in both automata, if words of the class go on from there."""
    found = {pair for pair in zip(mine, its, strict=True) if alive[pair[0]]}
    require(all(other != DEAD for _, other in found), "a word of a class is left out")
    return found


# --- the same at every place ----------------------------------------------------------------------


def require_alike(near: Layers, far: Layers) -> None:
    """Raise `Rejected` unless each letter is read in the same way, at all places between the ends."""
    forms = Forms()
    short, long = programs(near, forms), programs(far, forms)
    between = [*short[BEGIN:-1], *long[BEGIN:-1]]
    same = between.count(between[0]) == len(between)
    ends = short[:BEGIN] == long[:BEGIN] and short[-1] == long[-1]
    if not (same and ends):
        raise Rejected("what a letter does differs from place to place, or from length to length")


Program = tuple[int, tuple[int, ...]]
"""How many values are known before a letter, and the form of each that is known after it."""


def programs(layers: Layers, forms: Forms) -> list[Program]:
    """What is computed at each position, from what was carried there and the letter."""
    constants: dict[int, int] = {}
    at: list[list[int]] = [[] for _ in range(layers.word.length)]
    for place, last in enumerate(layers.last):
        if last < 0:
            constants[place] = forms.of(layers.nodes[place], constants)
        else:
            at[last].append(place)
    carried = [*layers.carried[:-1], layers.wanted]
    return [
        program(layers, carried[p], carried[p + 1], at[p], constants, forms)
        for p in range(layers.word.length)
    ]


def program(
    layers: Layers, before: Sequence[int], after: Sequence[int], fresh: Sequence[int],
    constants: dict[int, int], forms: Forms,
) -> Program:  # fmt: skip
    """What is known after one letter, in terms of what was known before it."""
    found = dict(constants)
    for k, place in enumerate(before):
        found[place] = forms.given("carried", k)
    for place in fresh:
        node = layers.nodes[place]
        letter = isinstance(node, Letter)
        found[place] = forms.given("letter", 0) if letter else forms.of(node, found)
    return len(before), tuple(found[place] for place in after)
