"""Indices, as one truth a value: letters of words, entries of tables, and what `Argmax` picks."""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.smt.encoding import Choice, OneHot
from circ.compiler.smt.formula import (
    FALSE,
    TRUE,
    Affine,
    Formula,
    Truth,
    conjunction,
    difference,
    disjunction,
    implication,
)
from circ.compiler.smt.script import Script, bounds, exactly_one, sign, truth_of

Choices = dict[tuple[Affine, ...], Choice]
"""What was picked, by the scores: equal scores, equal choice."""


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
    if scores in choices:
        return choices[scores].chosen
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
    choices[scores] = Choice(scores, chosen)
    return chosen


def unbeaten(s: Script, scores: Sequence[Affine]) -> list[int]:
    """The indices whose score no other score always exceeds."""
    floor = max(bounds(s, score)[0] for score in scores)
    likely = [i for i, score in enumerate(scores) if bounds(s, score)[1] >= floor]

    def beaten(i: int) -> bool:
        return any(bounds(s, difference(scores[i], scores[j]))[1] < 0 for j in likely)

    return [i for i in likely if not beaten(i)]
