"""What a letter adds to a number about words of any length is compared place by place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from circ.compiler.audit.columns import Head, Total
from circ.compiler.audit.fixed import Fixed, fixed_point
from circ.compiler.audit.once import Once
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.turns import folded

LENGTH = 5

MATH = fixed_point(64)


def column(value: float) -> Fixed:
    """A column of its own, whatever others come to."""
    return MATH.number(Fraction(value))


Made = Callable[[int], Total[Fixed]]
"""A number about words of so many letters."""

ZERO, REST, FIRST, EACH, LAST = MATH.zero, *map(column, (0.5, 1, 2, 3))


def plain(length: int) -> Total[Fixed]:
    """A sum over positions."""
    terms = {0: FIRST, **dict.fromkeys(range(1, length - 1), EACH), length - 1: LAST}
    return Total(None, terms, REST)


def averaged(length: int) -> Total[Fixed]:
    """What attention from the last position reads, whose letter is known."""
    places = (*range(length - 1), None)
    powers = (FIRST, *[EACH] * (length - 2), LAST)
    return Total(Head(places, powers), dict(enumerate(powers)), REST)


@pytest.mark.parametrize("made", [plain, averaged])
def test_a_number_is_as_if_of_four_letters(made: Made) -> None:
    """A first one, two that stand for all between, and a last one."""
    near, far = made(LENGTH), made(LENGTH + 1)
    found = folded(near, far, LENGTH, ZERO)
    assert found.rest is REST
    assert {id(x) for x in found.terms.values()} == {id(FIRST), id(EACH), id(LAST)}
    if found.head is None:
        assert found.terms == {0: FIRST, 1: EACH, 2: EACH, 3: LAST}
    else:
        assert sorted(map(str, found.head.places)) == ["0", "1", "2", "None"]


@pytest.mark.parametrize("made", [plain, averaged])
@pytest.mark.parametrize("length", [LENGTH, LENGTH + 1])
def test_no_place_may_add_anything_else(made: Made, length: int) -> None:
    """Neither another term at some place of either length, nor another rest; the same value is not
    enough, if it was computed in another way."""
    sides = {n: made(n) for n in (LENGTH, LENGTH + 1)}
    total = sides[length]
    others = [replace(total, rest=column(0.5))]
    for slot in total.terms:
        others.append(replace(total, terms={**total.terms, slot: column(2)}))
        left = {key: term for key, term in total.terms.items() if key != slot}
        others.append(replace(total, terms=left))
    if total.head is not None:
        for slot in range(length):
            powers = [*total.head.powers]
            powers[slot] = column(2)
            others.append(replace(total, head=replace(total.head, powers=tuple(powers))))
    for other in others:
        changed = {**sides, length: other}
        with pytest.raises(Rejected, match="differs"):
            folded(changed[LENGTH], changed[LENGTH + 1], LENGTH, ZERO)


def test_what_is_computed_alike_is_one_column() -> None:
    """In whatever order a sum is written; and nothing else is."""
    math = Once(MATH)
    two, third = math.number(Fraction(2)), math.number(Fraction(1, 3))
    sums = [math.dot(pairs) for pairs in ([(two, third), (two, two)], [(two, two), (third, two)])]
    assert sums[0] is sums[1]
    assert math.curve("exp", two) is math.curve("exp", math.number(Fraction(4, 2)))
    assert math.largest([two, third]) is math.largest([third, two])
    assert math.pick([two, third], [[0, 1]]) is math.pick([two, third], [[0, 1]])

    different = [
        math.dot([(two, third)]), math.dot([(two, third), (two, third)]), math.dot([(two, two)]),
        *sums[:1], math.curve("exp", two), math.curve("recip", two), math.curve("exp", third),
        math.largest([two, third]), math.largest([two, sums[0]]), math.number(Fraction(3)),
        math.pick([two, third], [[0, 1]]), math.pick([third, two], [[0, 1]]),
        math.pick([two, third], [[1, 1]]),
    ]  # fmt: skip
    assert len({id(x) for x in different}) == len(different)
