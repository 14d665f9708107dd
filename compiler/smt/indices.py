"""Indices, as one truth a value: letters of words, entries of tables, and what `Argmax` picks.

What `TopK` keeps is one truth an entry, too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

from circ.compiler.smt.encoding import Choice, OneHot
from circ.compiler.smt.formula import (
    FALSE,
    TRUE,
    ZERO,
    Affine,
    Formula,
    Sign,
    Truth,
    combined,
    conjunction,
    constant,
    difference,
    disjunction,
    implication,
    negation,
)
from circ.compiler.smt.script import Script, bounds, exactly_one, one_of, sign, truth_of

Choices = dict[tuple[int, tuple[Affine, ...]], Choice]
"""What was picked, by how many are and the scores: equal scores, equal choice."""


def one_hot(code: int, size: int) -> OneHot:
    """A known index."""
    return tuple(Truth(i == code) for i in range(size))


def letter(s: Script, name: str, members: Sequence[str]) -> OneHot:
    """A variable index: a Boolean variable for each member."""
    flags = tuple(s.flag(f"{name}={i}", member) for i, member in enumerate(members))
    exactly_one(s, flags)
    return flags if len(flags) > 1 else (TRUE,)


def code_of(s: Script, options: Sequence[tuple[Formula, OneHot]], note: str) -> OneHot:
    """The index whose truth holds."""
    guards = [guard for guard, _ in options]
    members = zip(*(hot for _, hot in options), strict=True)
    return tuple(truth_of(s, [*zip(guards, row, strict=True)], note) for row in members)


def same(left: OneHot, right: OneHot) -> Formula:
    """Whether two indices have the same value."""
    return disjunction(conjunction(pair) for pair in zip(left, right, strict=True))


def leader(s: Script, choices: Choices, scores: tuple[Affine, ...], note: str) -> OneHot:
    """The index that the choice function picks for these scores; noted where it is not decided."""
    if (1, scores) in choices:
        return choices[1, scores].chosen
    rivals = unbeaten(s, scores)
    if len(rivals) == 1:
        return one_hot(rivals[0], len(scores))
    kind = s.name("choice")
    flags = {i: s.flag(f"{kind}={i}", note) for i in rivals}
    exactly_one(s, [*flags.values()])
    for i, flag in flags.items():
        for j in rivals:
            most = sign(s, "<=", difference(scores[j], scores[i]))
            s.hold(implication(flag, most))
    chosen = tuple(flags.get(i, FALSE) for i in range(len(scores)))
    choices[1, scores] = Choice(scores, chosen)
    return chosen


def kept(
    s: Script, choices: Choices, scores: tuple[Affine, ...], count: int, note: str
) -> tuple[Affine, ...]:
    """1 for each of the `count` largest scores, else 0; noted where it is not decided.

    Any set of `count` in which no score is below one outside is kept by some choice function.
    """
    if count == 1:
        flags = leader(s, choices, scores, note)
        return tuple(marked(s, flag, note) for flag in flags)
    known = settled(s, scores, count)
    if None not in known:
        return tuple(constant(int(mark is True)) for mark in known)
    if (count, scores) not in choices:
        flags = ordered(s, scores, known, note)
        choices[count, scores] = Choice(scores, flags, count)
        total = combined((Fraction(1), marked(s, flag, note)) for flag in flags)
        s.hold(Sign("==", difference(total, constant(count))))
    return tuple(marked(s, flag, note) for flag in choices[count, scores].chosen)


def ordered(
    s: Script, scores: Sequence[Affine], known: Sequence[bool | None], note: str
) -> tuple[Formula, ...]:
    """For each score whether it is kept; of no two the lower one alone."""
    kind = s.name("choice")
    flags = [
        s.flag(f"{kind}={i}", note) if mark is None else Truth(mark) for i, mark in enumerate(known)
    ]
    for i, j in permutations(range(len(scores)), 2):
        if known[i] is not False and known[j] is not True:
            least = sign(s, "<=", difference(scores[j], scores[i]))
            s.hold(disjunction([negation(flags[i]), flags[j], least]))
    return tuple(flags)


def marked(s: Script, flag: Formula, note: str) -> Affine:
    """1 where a truth holds, else 0."""
    return one_of(s, [(flag, constant(1)), (negation(flag), ZERO)], note)


def settled(s: Script, scores: Sequence[Affine], count: int) -> list[bool | None]:
    """Whether each score is among the `count` largest; None where ranges do not decide it."""
    ranges = [bounds(s, score) for score in scores]
    lows, highs = (sorted(column) for column in zip(*ranges, strict=True))
    size = len(scores)
    sure = [size - bisect_left(highs, low) <= count for low, _ in ranges]
    able = [size - bisect_right(lows, high) < count for _, high in ranges]
    pairs = zip(sure, able, strict=True)
    return [True if must else None if may else False for must, may in pairs]


def unbeaten(s: Script, scores: Sequence[Affine]) -> list[int]:
    """The indices whose score no other score always exceeds."""
    floor = max(bounds(s, score)[0] for score in scores)
    likely = [i for i, score in enumerate(scores) if bounds(s, score)[1] >= floor]

    def beaten(i: int) -> bool:
        return any(bounds(s, difference(scores[i], scores[j]))[1] < 0 for j in likely)

    return [i for i in likely if not beaten(i)]
