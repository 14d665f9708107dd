"""Closed forms: sums of exponentials are zero just where they are, and comparisons say so."""

from __future__ import annotations

from fractions import Fraction
from math import exp, isclose, sqrt
from random import Random

import pytest

from circ.compiler.builder import (
    Builder,
    combine,
    matmul,
    number,
    reals,
    reindex,
    stack,
    take,
    times,
)
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Comparison,
    Input,
    Max,
    Real,
    Relu,
    Smooth,
    Softmax,
    Wire,
    WireType,
)
from circ.compiler.readings import exponentials, surds
from circ.compiler.readings.choices import EITHER, FALSE, TRUE, Choices
from circ.compiler.readings.closed import Forms, NotClosed
from circ.compiler.readings.exponentials import ExpSum
from circ.compiler.readings.reference import at_point, enclose, intervals
from circ.compiler.readings.ties import every_choice
from tests.agreement import naive

TINY = Fraction(1, 2**2000)
"""Less than the bits that any enclosure of a circuit is asked for."""


def power(a: Fraction | int) -> ExpSum:
    """e^a of a rational number."""
    return exponentials.power(surds.of_rational(Fraction(a)))


def summed(*terms: tuple[int | Fraction, ExpSum]) -> ExpSum:
    """Σ q x."""
    return exponentials.combined((Fraction(q), x) for q, x in terms)


class TestNumbers:
    """Exact zero tests of sums of roots and of exponentials."""

    def test_roots_are_written_in_one_way(self) -> None:
        """√8 is 2√2, √2 √3 is √6, √(1/2) is √2 / 2, and a root times itself is what is under it."""
        two, three = surds.root(Fraction(2)), surds.root(Fraction(3))
        assert two is not None and three is not None
        assert surds.root(Fraction(8)) == surds.collected((d, 2 * q) for d, q in two.parts)
        assert surds.root(Fraction(1, 2)) == surds.collected((d, q / 2) for d, q in two.parts)
        assert surds.product(two, three) == surds.root(Fraction(6))
        assert surds.product(two, two) == surds.of_rational(Fraction(2))
        assert surds.root(Fraction(2**61 - 1)) is None

    def test_bounds_of_roots_hold(self) -> None:
        """Of random multiples of roots, as floats have them."""
        chance = Random(0)
        for _ in range(200):
            under, q = (
                chance.randint(1, 999),
                Fraction(chance.randint(-99, 99), chance.randint(1, 9)),
            )
            root = surds.root(Fraction(under))
            assert root is not None
            low, high = surds.bounds(surds.product(root, surds.of_rational(q)), 60)
            assert low <= high <= low + 2
            assert isclose(low / 2**60, float(q) * sqrt(under), rel_tol=1e-12, abs_tol=1e-12)

    def test_a_sum_is_zero_where_each_power_cancels(self) -> None:
        """2 e - e - e is, and e^√8 - e^(2√2); e - e^(1 + 2^-2000) is not, and negative."""
        eight, two = surds.root(Fraction(8)), surds.root(Fraction(2))
        assert eight is not None and two is not None
        double = surds.collected((d, 2 * q) for d, q in two.parts)
        assert summed((2, power(1)), (-1, power(1)), (-1, power(1))).zero
        assert summed((1, exponentials.power(eight)), (-1, exponentials.power(double))).zero
        assert exponentials.sign(summed((1, power(1)), (-1, power(1 + TINY)))) == -1

    def test_signs_are_those_of_floats(self) -> None:
        """Of random sums that are not close to zero; a product has the product of the signs."""
        chance = Random(1)

        def drawn() -> tuple[ExpSum, float]:
            pairs = [
                (chance.randint(-5, 5), Fraction(chance.randint(-20, 20), 7)) for _ in range(4)
            ]
            return summed(*((q, power(a)) for q, a in pairs)), sum(q * exp(a) for q, a in pairs)

        for _ in range(200):
            (x, a), (y, b) = drawn(), drawn()
            if min(abs(a), abs(b)) > 1e-6:
                assert exponentials.sign(x) == (1 if a > 0 else -1)
                assert exponentials.sign(exponentials.product(x, y)) == (1 if a * b > 0 else -1)

    def test_what_takes_too_many_bits_is_not_told(self) -> None:
        """Two powers that differ by 2^-100000 have no sign here."""
        beyond = 1 + Fraction(1, 2**100_000)
        assert exponentials.sign(summed((1, power(1)), (-1, power(beyond)))) is None


def shares(b: Builder) -> Wire:
    """The softmax of an input of three scores."""
    return b.add(Softmax(b.add(Input("x", WireType(Real(), (3,))))))


def compared(op: Comparison, x: list[Fraction | int]) -> frozenset[int]:
    """Whether the first of three shares is so beside the second."""
    b = Builder()
    share = shares(b)
    circuit = b.circuit({"y": b.add(Compare(op, take(b, share, [0]), take(b, share, [1])))})
    return truth(circuit, x)


def truth(circuit: Circuit, x: list[Fraction | int]) -> frozenset[int]:
    """What the reference says of the output `y` at a point."""
    value = enclose(circuit, at_point(circuit, {"x": x}), {})["y"]
    assert isinstance(value, Choices)
    return value.sets[0]


class TestComparisons:
    """The exact reference decides what enclosures cannot."""

    @pytest.mark.parametrize(("op", "tied"), [("<", FALSE), ("<=", TRUE), ("==", TRUE)])
    def test_equal_shares_are_equal(self, op: Comparison, tied: frozenset[int]) -> None:
        """Two of three scores are equal, so that no share is rational; a hair apart they differ."""
        assert compared(op, [1, 1, 0]) == tied
        assert compared(op, [1, 1 + TINY, 0]) == (FALSE if op == "==" else TRUE)
        assert compared(op, [1 + TINY, 1, 0]) == FALSE

    def test_values_that_cancel_make_zero(self) -> None:
        """Shares times 1, -1 and 0, behind a ReLU and a maximum as well."""
        b = Builder()
        read = matmul(b, shares(b), reals(b, map(Fraction, (1, -1, 0)), (3,)))
        most = b.add(Max(stack(b, [b.add(Relu(read)), number(b, -1)])))
        circuit = b.circuit({"y": b.add(Compare("<=", most, number(b, 0)))})
        assert truth(circuit, [1, 1, 0]) == TRUE
        assert truth(circuit, [1 + TINY, 1, 0]) == FALSE

    def test_scores_over_a_root_are_told_apart(self) -> None:
        """With scores divided by √3: equal ones tie, and 3/√3 is √3."""
        b = Builder()
        x = b.add(Input("x", WireType(Real(), (3,))))
        root = b.add(Smooth("sqrt", number(b, 3)))
        scores = times(b, b.add(Smooth("recip", root)), x)
        share = b.add(Smooth("exp", scores))
        one = b.add(Compare("==", take(b, share, [0]), take(b, share, [1])))
        other = b.add(Compare("==", take(b, share, [2]), b.add(Smooth("exp", root))))
        circuit = b.circuit({"y": one, "z": other})
        found = enclose(circuit, at_point(circuit, {"x": [1, 1, 3]}), {})
        assert all(isinstance(v, Choices) and v.sets == (TRUE,) for v in found.values())
        assert truth(circuit, [1, 2, 3]) == FALSE

    def test_a_norm_is_no_obstacle(self) -> None:
        """Shares over the root of the mean of their squares: equal where the shares are."""
        b = Builder()
        share = shares(b)
        under = combine(
            b, (Fraction(1, 3), matmul(b, share, share)), (1, number(b, Fraction(1, 100)))
        )
        normed = times(b, b.add(Smooth("recip", b.add(Smooth("sqrt", under)))), share)
        sides = take(b, normed, [0]), take(b, normed, [1])
        circuit = b.circuit({"y": b.add(Compare("<", *sides)), "best": b.add(Argmax(normed))})
        assert truth(circuit, [1, 1, 0]) == FALSE
        ways = every_choice(circuit, at_point(circuit, {"x": [1, 1, 0]}), {})
        assert [naive.known(one.outputs["best"]) for one in ways] == [[0], [1]]

    def test_two_norms_are_not_taken_for_one(self) -> None:
        """Equal shares over the roots of different sums are not equal, though both have a root."""
        b = Builder()
        share = shares(b)
        square = matmul(b, share, share)
        roots = [b.add(Smooth("sqrt", combine(b, (k, square), (1, number(b, 1))))) for k in (1, 2)]
        sides = [times(b, root, take(b, share, [k])) for k, root in enumerate(roots)]
        circuit = b.circuit({"y": b.add(Compare("<", *sides))})
        assert truth(circuit, [1, 1, 0]) == TRUE
        more = b.add(
            Compare("==", b.add(Relu(combine(b, (1, sides[0]), (-1, sides[1])))), number(b, 0))
        )
        assert truth(b.circuit({"y": more}), [1, 1, 0]) == TRUE
        forms = Forms(circuit, intervals(circuit, at_point(circuit, {"x": [1, 1, 0]}), {}))
        with pytest.raises(NotClosed):
            forms.order(*(forms.entries(side)[0] for side in sides))

    def test_shares_of_two_rows_are_brought_over_one_denominator(self) -> None:
        """Half of e / (e + 1) is e / (e + e + 1 + 1); and that is less than e / (e + e + 1)."""
        b = Builder()
        x = b.add(Input("x", WireType(Real(), (3,))))
        rows = [reindex(b, [x], source, (len(source),)) for source in ((0, 2), (0, 1, 2, 2))]
        few, many = (take(b, b.add(Softmax(row)), [0]) for row in rows)
        same = b.add(Compare("==", combine(b, (Fraction(1, 2), few)), many))
        circuit = b.circuit(
            {"y": same, "z": b.add(Compare("<", many, take(b, b.add(Softmax(x)), [0])))}
        )
        found = enclose(circuit, at_point(circuit, {"x": [1, 1, 0]}), {})
        assert all(isinstance(v, Choices) and v.sets == (TRUE,) for v in found.values())
        assert truth(circuit, [1 + TINY, 1, 0]) == FALSE

    def test_powers_of_powers_stay_open(self) -> None:
        """The theorem says nothing of exponents that are no algebraic numbers."""
        b = Builder()
        share = b.add(Softmax(shares(b)))
        sides = take(b, share, [0]), take(b, share, [1])
        circuit = b.circuit({"y": b.add(Compare("<=", *sides))})
        assert truth(circuit, [1, 1, 0]) == EITHER
