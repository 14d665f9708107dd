"""What an audit takes the order of letters to say nothing of: told from the circuit, and never believed."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction
from math import nextafter

import pytest

from circ.compiler.audit import names
from circ.compiler.audit.alike import require_alike
from circ.compiler.audit.bound import asked
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import (
    Builder,
    both,
    codes,
    combine,
    either,
    implies,
    matmul,
    number,
    reals,
    stack,
    take,
    times,
    total,
    truth,
)
from circ.compiler.ir import (
    Argmax,
    Compare,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Relu,
    Softmax,
    Weight,
    Wire,
)
from circ.compiler.ir import WireType as Type
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.tensor import Tensor
from tests.unit.obligations import NOWHERE
from tests.unit.test_unordered import (
    LENGTH,
    LETTERS,
    added_one_by_one,
    attended,
    behind,
    beside,
    beside_both_ends,
    few_zeros,
    first_leads,
    folded,
    in_a_ring,
    is_zero,
    largest,
    mean,
    only_earlier,
    outweighed,
    placed,
    read_at_largest,
    scores,
    somewhere,
    totalled,
    two_layers,
    vectors,
    weighted,
    zeros_to_the_end,
)

Build = Callable[[Builder, Wire], Wire]
"""Something said of a word."""

LAST = LENGTH - 1

THIRD = 1 / 3
"""A weight of a checkpoint, and the next float above it."""

SHARES = {
    "m/even": Tensor((LENGTH,), "F64", array("d", [THIRD] * LENGTH)),
    "m/odd": Tensor((LENGTH,), "F64", array("d", [THIRD] * LAST + [nextafter(THIRD, 1)])),
}


def claim_of(goal: Build, where: Build | None = None) -> Obligation:
    """A claim about every word, or about those that meet a condition."""
    b = Builder()
    s = b.add(Input("s", Type(Index(LETTERS), (LENGTH,))))
    outputs = {"where": where(b, s)} if where else {}
    bound = Bound("s", Type(Index(LETTERS), (LENGTH,)), Words(("a", "b", "c")))
    return Obligation("c", "forall", b.circuit(outputs | {"goal": goal(b, s)}), (bound,), NOWHERE)


def alike(claim: Obligation, apart: int | None) -> bool:
    """Whether an audit takes the order of letters to say nothing, those at a position aside."""
    found = asked(claim, SHARES)
    try:
        require_alike(found.plan, found.roots, SHARES, apart)
    except Rejected:
        return False
    return True


def shared(key: str) -> Build:
    """A truth about a sum of vectors with weights of a checkpoint."""
    return lambda b, s: behind(b, matmul(b, b.add(Weight(key, (LENGTH,))), vectors(b, s)))


def all_but(position: int, goal: Build) -> Build:
    """A truth, or that letter 0 does not stand at a position."""
    return lambda b, s: implies(b, is_zero(b, s, position), goal(b, s))


def of_two_sums(*moved: int) -> Build:
    """A truth about two sums of products, in one of which letters may stand elsewhere."""

    def build(b: Builder, s: Wire) -> Wire:
        x = scores(b, s)
        other = stack(b, [take(b, x, [p]) for p in moved])
        return b.add(Compare("<", matmul(b, x, x), matmul(b, x, other)))

    return build


def mean_of(numbers: Build) -> Build:
    """A truth about a sum of what is said of each position."""
    return lambda b, s: b.add(Compare("<", number(b, 3), total(b, numbers(b, s))))


def rectified(shifts: list[int]) -> Build:
    """A ReLU of a number for each position, to which something is added."""

    def build(b: Builder, s: Wire) -> Wire:
        more = reals(b, [Fraction(x, 7) for x in shifts], (LENGTH,))
        return b.add(Relu(combine(b, (1, scores(b, s)), (1, more))))

    return build


def gated(gate: Build) -> Build:
    """What is said of each position, times a number for it."""
    return lambda b, s: times(b, scores(b, s), gate(b, s))


def softly(b: Builder, s: Wire) -> Wire:
    """Shares of the positions."""
    return b.add(Softmax(scores(b, s)))


def twice(even: list[int], odd: list[int]) -> Build:
    """A sum of vectors beside the same with other weights."""

    def build(b: Builder, s: Wire) -> Wire:
        sums = [weighted(b, vectors(b, s), *some) for some in (even, odd)]
        return behind(b, combine(b, *((1, x) for x in sums)))

    return build


def halves(b: Builder, s: Wire) -> Wire:
    """A sum of two sums of some letters each."""
    x = vectors(b, s)
    some, others = (
        combine(b, *((1, take(b, x, [p])) for p in part)) for part in ((0, 3), (1, 2, 4))
    )
    return behind(b, combine(b, (2, some), (2, others)))


def leads(b: Builder, s: Wire) -> Wire:
    """Which entry of the mean leads, whatever breaks ties."""
    return b.add(Compare("==", b.add(Argmax(mean(b, s))), codes(b, [1], 2, ())))


def nowhere_or_everywhere(b: Builder, s: Wire) -> Wire:
    """Letter 0 stands at no position, or at all; said in parts."""
    zeros = [is_zero(b, s, p) for p in range(LENGTH)]
    first = both(b, both(b, *zeros[:2]), both(b, *zeros[2:]))
    return either(b, first, b.add(Not(either(b, either(b, *zeros[3:]), *zeros[:3]))))


def somewhere_of_two(b: Builder, s: Wire) -> Wire:
    """Letter 0 stands at one of two positions, and at all others."""
    zeros = [is_zero(b, s, p) for p in range(LENGTH)]
    return both(b, either(b, *zeros[:2]), *zeros[2:])


def above_the_largest(b: Builder, s: Wire) -> Wire:
    """The largest of the largest of some positions."""
    x = scores(b, s)
    some = b.add(Max(stack(b, [take(b, x, [p]) for p in (0, 1)])))
    others = [take(b, x, [p]) for p in (2, 3, 4)]
    return b.add(Compare("<", b.add(Max(stack(b, [some, *others]))), number(b, 1)))


def picked(b: Builder, s: Wire) -> Wire:
    """A number looked up for the letters at two positions, one of them the last."""
    table = reals(b, map(Fraction, (0, 1, 2, 3, 4, 5, 6, 7, 8)), (LETTERS, LETTERS))
    ways = [b.add(Lookup(table, (take(b, s, [p]), take(b, s, [LAST])))) for p in range(LENGTH - 1)]
    return b.add(Compare("<", combine(b, *((1, x) for x in ways)), number(b, 20)))


@pytest.mark.parametrize(
    ("goal", "apart"),
    [
        (totalled(vectors, *[Fraction(1, LENGTH)] * LENGTH), None),
        (totalled(placed, *[1] * LENGTH), None),
        (beside(LAST), LAST),
        (beside(0), 0),
        (beside(2), 2),
        (attended(LAST, vectors), LAST),
        (attended(1, vectors), 1),
        (two_layers, None),
        (largest, None),
        (added_one_by_one, None),
        (added_one_by_one, 0),
        (few_zeros, None),
        (somewhere, None),
        (shared("m/even"), None),
        (shared("m/odd"), LAST),
        (of_two_sums(0, 1, 2, 3, 4), None),
        (mean_of(rectified([1] * LENGTH)), None),
        (mean_of(rectified([1, 1, 1, 2, 1])), 3),
        (mean_of(gated(softly)), None),
        (twice([1] * LENGTH, [2] * LENGTH), None),
        (halves, None),
        (leads, None),
        (nowhere_or_everywhere, None),
        (above_the_largest, None),
        (picked, LAST),
        (all_but(3, totalled(vectors, *[1] * LENGTH)), 3),
    ],
)
def test_what_sees_counts_alone_is_recognised(goal: Build, apart: int | None) -> None:
    """Means and attention, sums in any order and in parts, maxima, counts, what positions add to a mean;
    one position told apart where that is read beside them. It is the same of a condition."""
    assert alike(claim_of(goal), apart)
    assert alike(claim_of(lambda b, _: truth(b, True), where=goal), apart)


@pytest.mark.parametrize(
    "goal",
    [
        attended(LAST, placed),
        totalled(vectors, 1, 1, 2, 2, 2),
        totalled(vectors, 1, 1, 1, 2, 2),
        beside_both_ends,
        only_earlier,
        folded,
        first_leads,
        read_at_largest,
        in_a_ring,
        zeros_to_the_end,
        of_two_sums(1, 2, 3, 4, 0),
        of_two_sums(1, 0, 3, 2, 4),
        mean_of(rectified([1, 1, 2, 2, 2])),
        mean_of(gated(rectified([0, 1, 2, 3, 4]))),
        twice([1, 1, 1, 2, 2], [2, 2, 2, 1, 2]),
        somewhere_of_two,
    ],
)
def test_what_sees_the_order_is_not(goal: Build) -> None:
    """Positions in scores, weights that differ, two positions read, masks, folds, neighbours, letters
    swapped in one of two places: whichever position is told apart, as a goal and as a condition."""
    for apart in (None, *range(LENGTH)):
        assert not alike(claim_of(goal), apart)
        assert not alike(claim_of(lambda b, _: truth(b, True), where=goal), apart)


@pytest.mark.parametrize(
    ("goal", "apart"),
    [
        (shared("m/odd"), LAST),
        (beside(2), 2),
        (attended(1, vectors), 1),
        (all_but(0, totalled(vectors, *[1] * LENGTH)), 0),
        (mean_of(rectified([1, 1, 1, 2, 1])), 3),
        (outweighed, 2),
        (picked, LAST),
    ],
)
def test_one_position_is_told_apart_and_no_other(goal: Build, apart: int) -> None:
    """A weight that differs in its last bit, a position read beside a mean or that asks, a condition on
    one letter: the order matters with any other position told apart, or none."""
    for other in (None, *range(LENGTH)):
        assert alike(claim_of(goal), other) == (other == apart)


def test_one_part_that_sees_the_order_is_enough() -> None:
    """A goal that sees counts under a condition that sees one position, and the other way round."""
    counts, order = totalled(vectors, *[1] * LENGTH), folded
    for goal, where in ((counts, order), (order, counts)):
        assert not alike(claim_of(goal, where), None)
        assert alike(claim_of(counts, counts), None)


def test_what_is_written_out_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sums are not written out, their order is not known to say nothing."""
    monkeypatch.setattr(names, "MOST_TERMS", 0)
    assert alike(claim_of(mean_of(softly)), None)
    assert not alike(claim_of(added_one_by_one), None)


def test_nothing_cancels() -> None:
    """A number less itself reads what the number reads: it might be defined nowhere."""

    def nothing(b: Builder, s: Wire) -> Wire:
        x = take(b, scores(b, s), [1])
        rest = combine(b, (1, x), (-1, x))
        return b.add(Compare("<=", combine(b, (1, rest), (1, total(b, mean(b, s)))), number(b, 9)))

    assert alike(claim_of(nothing), 1)
    assert not alike(claim_of(nothing), None)
