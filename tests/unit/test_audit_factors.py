"""Positive factors in an audit: what has one on both sides is compared without, and nothing else is."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction

import pytest

from circ.compiler.audit.entries import Curve, Given, Letter, Linear, Nodes, Pick, Products
from circ.compiler.audit.factors import positive_curves
from circ.compiler.builder import Builder, codes, combine, matmul, number, reals, take, times
from circ.compiler.finding import Fails, Holds, Limits, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Comparison,
    Index,
    Input,
    Lookup,
    Smooth,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from circ.runtime.engines import enumeration
from tests.agreement.certified import accepted, certificate, stamped
from tests.agreement.corruption import joined, records
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE

LETTERS, LENGTH = 3, 4

WEIGHTS = {"m/zero": Tensor((2,), "F32", array("d", [0, 0]))}

EPSILON = Fraction(1, 1000)


def table(b: Builder, rows: list[list[float]]) -> Wire:
    """A constant matrix."""
    return reals(b, [Fraction(x) for row in rows for x in row], (len(rows), len(rows[0])))


def read(b: Builder) -> Wire:
    """What a head reads of a word: two numbers, the first of them the larger on every word."""
    letters = b.add(Input("s", WireType(Index(LETTERS), (LENGTH,))))
    scores = b.add(Lookup(reals(b, map(Fraction, (1, 0, 2)), (LETTERS,)), (letters,)))
    values = b.add(Lookup(table(b, [[1, 0.5], [-0.5, -1], [0.25, -2]]), (letters,)))
    return matmul(b, b.add(Softmax(scores)), values)


def root(b: Builder, x: Wire, epsilon: Fraction = EPSILON, sign: int = 1) -> Wire:
    """√(±Σ x² + ε)."""
    return b.add(Smooth("sqrt", combine(b, (sign, matmul(b, x, x)), (1, number(b, epsilon)))))


def inverse(b: Builder, x: Wire) -> Wire:
    """1/x."""
    return b.add(Smooth("recip", x))


def norm(b: Builder, x: Wire) -> Wire:
    """x / √(Σ x² + ε)."""
    return times(b, inverse(b, root(b, x)), x)


def first_is_more(b: Builder, x: Wire, op: Comparison = "<") -> Wire:
    """Whether the first of two entries is the larger."""
    return b.add(Compare(op, take(b, x, [1]), take(b, x, [0])))


def claim(b: Builder, goal: Wire) -> Obligation:
    """On every word."""
    return Obligation("c", "forall", b.circuit({"goal": goal}), (word(LETTERS, LENGTH),), NOWHERE)


def holds(question: Obligation, data: bytes) -> bool:
    """Whether an audit takes a certificate; fast and exactly it says the same."""
    found = accepted(question, WEIGHTS, data)
    assert accepted(question, WEIGHTS, data, exact=False) == found
    return found


def is_true(question: Obligation) -> bool:
    """Whether every word is as claimed."""
    found = enumeration.decide(question, WEIGHTS, Limits(), silent)
    assert isinstance(found, Holds | Fails)
    return isinstance(found, Holds)


def of_the_bare(question: Obligation) -> bytes:
    """The certificate of a > b, as if it were of another claim."""
    b = Builder()
    data = certificate(claim(b, first_is_more(b, read(b))), WEIGHTS)
    assert data is not None
    return joined(stamped(records(data), question, WEIGHTS))


Making = Callable[[Builder, Wire], Wire]
"""A goal about what a head reads."""


def gained(b: Builder, x: Wire) -> Wire:
    """A gain of each entry, and a read-out."""
    gain = times(b, norm(b, x), reals(b, [Fraction(2), Fraction(4)], (2,)))
    return first_is_more(b, matmul(b, table(b, [[0.5, 0], [0, 0.25]]), gain))


def centred(b: Builder, x: Wire) -> Wire:
    """(x - mean) / √(variance + ε)."""
    off = combine(b, (1, x), (-1, matmul(b, table(b, [[0.5, 0.5], [0.5, 0.5]]), x)))
    return first_is_more(b, norm(b, off))


def leading(b: Builder, x: Wire) -> Wire:
    """Which is the largest."""
    return b.add(Compare("==", b.add(Argmax(norm(b, x))), codes(b, [0], 2, ())))


def above_zero(b: Builder, x: Wire) -> Wire:
    """A difference is above zero."""
    n = norm(b, x)
    difference = combine(b, (1, take(b, n, [0])), (-1, take(b, n, [1])))
    return b.add(Compare("<", number(b, 0), difference))


GOOD: dict[str, Making] = {
    "a norm": lambda b, x: first_is_more(b, norm(b, x)),
    "at least": lambda b, x: first_is_more(b, norm(b, x), "<="),
    "a gain": gained,
    "centred": centred,
    "the largest": leading,
    "above zero": above_zero,
    "a root": lambda b, x: first_is_more(b, times(b, root(b, x), x)),
    "an exponential": lambda b, x: first_is_more(
        b, times(b, b.add(Smooth("exp", take(b, x, [0]))), x)
    ),
    "twice": lambda b, x: first_is_more(b, times(b, root(b, x), norm(b, x))),
    "a shift of zeros": lambda b, x: first_is_more(
        b, combine(b, (1, norm(b, x)), (1, b.add(Weight("m/zero", (2,)))))
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_both_sides_have_goes(name: str) -> None:
    """What a norm multiplies is compared as it stands before it, by the same potentials."""
    b = Builder()
    question = claim(b, GOOD[name](b, read(b)))
    assert is_true(question)
    data = certificate(question, WEIGHTS)
    assert data is not None
    assert holds(question, data)
    assert name == "at least" or holds(question, of_the_bare(question))


def test_heads_that_are_added_have_lines_behind_a_norm() -> None:
    """A norm of what two heads read goes as well; each head has its lines then."""
    b = Builder()
    first = read(b)
    letters = b.add(Input("s", WireType(Index(LETTERS), (LENGTH,))))
    scores = b.add(Lookup(reals(b, map(Fraction, (0, 1, 0)), (LETTERS,)), (letters,)))
    values = b.add(Lookup(table(b, [[0.25, 0], [0, 0.125], [0.5, 0.25]]), (letters,)))
    both = combine(b, (1, first), (1, matmul(b, b.add(Softmax(scores)), values)))
    question = claim(b, first_is_more(b, norm(b, both)))
    assert is_true(question)
    data = certificate(question, WEIGHTS)
    assert data is not None
    assert b'"lines"' in data
    assert holds(question, data)


def by_sign(shift: float) -> Making:
    """A factor 1/(x₀ + shift)."""
    return lambda b, x: first_is_more(
        b,
        times(b, inverse(b, combine(b, (1, take(b, x, [0])), (1, number(b, Fraction(shift))))), x),
    )


def two_norms(b: Builder, x: Wire) -> Wire:
    """Each side has a norm of its own."""
    other = combine(b, (1, x), (1, reals(b, [Fraction(-3), Fraction(0)], (2,))))
    left, right = (times(b, inverse(b, root(b, y)), x) for y in (x, other))
    return b.add(Compare("<", take(b, right, [1]), take(b, left, [0])))


def shifted(b: Builder, x: Wire) -> Wire:
    """A bias is added behind the norm."""
    bias = reals(b, [Fraction(-2), Fraction(0)], (2,))
    return first_is_more(b, combine(b, (1, norm(b, x)), (1, bias)))


def one_side(b: Builder, x: Wire) -> Wire:
    """The factor is of one side alone."""
    less = times(b, inverse(b, root(b, x, Fraction(9))), take(b, x, [1]))
    return b.add(Compare("<", less, take(b, x, [0])))


def apart(b: Builder, x: Wire) -> Wire:
    """By more than 3/2: a norm changes by how much."""
    low = combine(b, (1, take(b, norm(b, x), [1])), (1, number(b, Fraction(3, 2))))
    return b.add(Compare("<", low, take(b, norm(b, x), [0])))


def to_the_root(b: Builder, x: Wire) -> Wire:
    """A root of what may be negative: of x₀ + 3 it is not, but nothing in its form says so."""
    under = combine(b, (1, take(b, x, [0])), (1, number(b, 3)))
    return first_is_more(b, times(b, b.add(Smooth("sqrt", under)), x))


def behind_another(b: Builder, x: Wire) -> Wire:
    """1/√(y² + ε) of y = 1/x₀, which is positive where it is defined."""
    inner = inverse(b, combine(b, (1, take(b, x, [0])), (1, number(b, 3))))
    under = combine(b, (1, times(b, inner, inner)), (1, number(b, 1)))
    return first_is_more(b, times(b, inverse(b, under), x))


BAD: dict[str, tuple[Making, bool]] = {
    "an inverse of any sign": (by_sign(-2), False),
    "two norms": (two_norms, False),
    "a bias": (shifted, False),
    "one side": (one_side, False),
    "by how much": (apart, False),
    "a square taken off": (
        lambda b, x: first_is_more(b, times(b, root(b, x, Fraction(9), -1), x)),
        True,
    ),
    "no epsilon": (lambda b, x: first_is_more(b, times(b, root(b, x, Fraction(0)), x)), True),
    "a root of any sign": (to_the_root, True),
    "what may be undefined": (behind_another, True),
}
"""Goals, and whether they are true, which an audit does not know."""


@pytest.mark.parametrize("name", BAD)
def test_what_differs_or_may_be_negative_stays(name: str) -> None:
    """Factors of no known sign, factors that differ and what is added: there is no certificate, and
    that of a > b is not taken for one."""
    making, true = BAD[name]
    b = Builder()
    question = claim(b, making(b, read(b)))
    assert is_true(question) == true
    assert certificate(question, WEIGHTS) is None
    assert not holds(question, of_the_bare(question))


def test_a_factor_that_is_zero_on_a_word_stays() -> None:
    """a r > b r fails where r = √(Σ x²) is zero, though a = b + 1 is more than b."""
    b = Builder()
    letters = b.add(Input("s", WireType(Index(LETTERS), (LENGTH,))))
    x = b.add(Lookup(table(b, [[1], [-1], [0.5]]), (letters,)))
    total = matmul(b, reals(b, [Fraction(1)] * LENGTH, (LENGTH,)), x)
    more = combine(b, (1, total), (1, reals(b, [Fraction(1)], (1,))))
    factor = root(b, total, Fraction(0))
    sides = [take(b, times(b, factor, y), [0]) for y in (total, more)]
    question = claim(b, b.add(Compare("<", *sides)))
    assert not is_true(question)
    assert certificate(question, WEIGHTS) is None


def test_what_is_positive_is_read_off_the_nodes() -> None:
    """Squares, known numbers, roots and inverses, their sums with known factors and their products."""
    nodes = Nodes()

    def add(node: Pick | Given | Linear | Products | Curve) -> int:
        return nodes.add(node, real=True)

    letter = nodes.add(Letter(0), real=False)
    three, one = add(Given(Fraction(3), True)), add(Given(1, True))
    less = add(Given(Fraction(-1, 2), True))
    x = add(Pick((letter,), (2,), (one, less)))
    y = add(Linear(((1, x), (1, three))))
    square, mixed = add(Products(((x, x), (y, y)))), add(Products(((x, y),)))
    above = add(Linear(((2, square), (1, one))))
    good = {
        add(Curve("recip", add(Curve("sqrt", above)))),
        add(Curve("sqrt", add(Products(((above, above), (one, square)))))),
        add(Curve("sqrt", add(Linear(((1, square), (0, x), (Fraction(1, 2), three)))))),
        add(Curve("exp", mixed)),
    }
    good |= {place for place, node in enumerate(nodes.nodes) if node == Curve("sqrt", above)}
    under = [
        square,
        mixed,
        y,
        add(Linear(((-1, square), (1, three)))),
        add(Linear(((1, square), (1, less)))),
        add(Linear(((1, square), (-1, one)))),
        add(Products(((above, mixed),))),
        add(Products(((above, less),))),
        add(Products(())),
        add(Curve("recip", square)),
    ]
    for place in under:
        add(Curve("sqrt", place))
        add(Curve("recip", place))
    add(Curve("exp", add(Curve("recip", x))))
    assert positive_curves(nodes, [True] * len(nodes.nodes)) == good
    assert not positive_curves(nodes, [False] * len(nodes.nodes))
