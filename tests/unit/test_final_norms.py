"""Final norms: a positive factor of both sides of a comparison goes, and nothing else does."""

from __future__ import annotations

from array import array
from fractions import Fraction

import pytest

from circ.compiler.builder import Builder, codes, combine, matmul, number, reals, take, times
from circ.compiler.finding import Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Index,
    Input,
    Lookup,
    Real,
    Relu,
    Smooth,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.obligation import Obligation
from circ.compiler.signs import Sign, sign_of, surely_positive
from circ.compiler.tensor import Tensor
from circ.runtime.engines import automata, enumeration
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE

LETTERS, LENGTH = 3, 5

READ = "m/read"
ZERO = Tensor((2,), "F32", array("d", [0, 0]))
WEIGHTS = {"m/zero": ZERO, READ: Tensor((), "F32", array("d", [1]))}


def table(b: Builder, rows: list[list[Fraction | int | float]]) -> Wire:
    """A constant matrix."""
    entries = [Fraction(x) for row in rows for x in row]
    return reals(b, entries, (len(rows), len(rows[0])))


def read(b: Builder) -> Wire:
    """What a head reads of a word: two numbers, the first of them the larger on every word."""
    letters = b.add(Input("s", WireType(Index(LETTERS), (LENGTH,))))
    scores = b.add(Lookup(reals(b, map(Fraction, (1, 0, 2)), (LETTERS,)), (letters,)))
    values = b.add(Lookup(table(b, [[1, 0.5], [-0.5, -1], [0.25, -2]]), (letters,)))
    return matmul(b, b.add(Softmax(scores)), values)


def scale(b: Builder, x: Wire) -> Wire:
    """1/√(mean of squares + 1/1000)."""
    share = Fraction(1, b.shape(x)[0])
    under = combine(b, (share, matmul(b, x, x)), (1, number(b, Fraction(1, 1000))))
    return b.add(Smooth("recip", b.add(Smooth("sqrt", under))))


def decided(b: Builder, goal: Wire) -> tuple[Finding, Finding]:
    """What shortest paths say of all words, and what going through them does."""
    claim = Obligation("c", "forall", b.circuit({"goal": goal}), (word(LETTERS, LENGTH),), NOWHERE)
    engines = (automata.decide, enumeration.decide)
    paths, words = (engine(claim, WEIGHTS, Limits(), silent) for engine in engines)
    return paths, words


def exceeds(b: Builder, x: Wire, by: Fraction | int = 0) -> Wire:
    """Whether the first of two entries is larger than the second, by more than so much."""
    second = take(b, x, [1])
    return b.add(
        Compare("<", combine(b, (1, second), (1, number(b, by))) if by else second, take(b, x, [0]))
    )


class TestWhatGoes:
    """The verdict is that of what stands before the norm; its margin is not, and is not told."""

    @pytest.mark.parametrize("behind", ["nothing", "gain", "relu", "zeros", "argmax", "square"])
    def test_a_norm_goes_through(self, behind: str) -> None:
        """What is linear and fixed, ReLUs, maxima, a shift of zeros, and a second factor."""
        b = Builder()
        x = read(b)
        normed = times(b, scale(b, x), x)
        match behind:
            case "gain":
                normed = times(b, normed, reals(b, [Fraction(3), Fraction(2)], (2,)))
            case "relu":
                shifted = table(b, [[1, 0], [-1, 2]])
                normed = b.add(Relu(matmul(b, shifted, normed)))
            case "zeros":
                normed = combine(b, (1, normed), (1, b.add(Weight("m/zero", (2,)))))
            case "square":
                normed = times(b, scale(b, x), normed)
            case _:
                pass
        goal = exceeds(b, normed)
        if behind == "argmax":
            goal = b.add(Compare("==", b.add(Argmax(normed)), codes(b, [0], 2, ())))
        paths, words = decided(b, goal)
        assert type(paths) is type(words)
        assert isinstance(paths, Holds | Fails)
        assert not isinstance(paths, Holds) or paths.margin is None

    def test_a_centred_one_goes_too(self) -> None:
        """Taking off the mean is linear: (x - mean) / √(variance + ε)."""
        b = Builder()
        x = read(b)
        centred = combine(b, (1, x), (-1, matmul(b, table(b, [[0.5, 0.5], [0.5, 0.5]]), x)))
        paths, words = decided(b, exceeds(b, times(b, scale(b, centred), centred)))
        assert isinstance(paths, Holds) and isinstance(words, Holds)


class TestWhatStays:
    """Shortest paths say what is in the way, or agree with all words."""

    def stuck(self, b: Builder, goal: Wire) -> str:
        """Why shortest paths are stuck."""
        paths, _ = decided(b, goal)
        assert isinstance(paths, Stuck)
        return paths.reason

    def test_a_difference_that_is_asked_for(self) -> None:
        """By more than 1/10, say: the norm changes how large a difference is."""
        b = Builder()
        x = read(b)
        normed = times(b, scale(b, x), x)
        reason = self.stuck(b, exceeds(b, normed, Fraction(1, 10)))
        assert reason.startswith("a divisor reads several positions, and not all")

    def test_a_shift_behind_the_norm(self) -> None:
        """A bias that differs from read-out to read-out is added to what is normed."""
        b = Builder()
        x = read(b)
        shift = reals(b, [Fraction(-1), Fraction(0)], (2,))
        normed = combine(b, (1, times(b, scale(b, x), x)), (1, shift))
        assert self.stuck(b, exceeds(b, normed)).startswith("a divisor reads several positions")

    def test_norms_of_two_vectors(self) -> None:
        """Each side has a norm of its own."""
        b = Builder()
        x = read(b)
        other = combine(b, (2, x), (1, reals(b, [Fraction(1), Fraction(0)], (2,))))
        sides = [times(b, scale(b, y), take(b, y, [k])) for k, y in enumerate((x, other))]
        assert self.stuck(b, b.add(Compare("<", sides[1], sides[0])))

    @pytest.mark.parametrize("shift", [-1, Fraction(-1, 4), 0])
    def test_a_factor_that_may_be_negative(self, shift: Fraction | int) -> None:
        """a r > b r is not a > b where r, read by the head as well, is negative on some word."""
        b = Builder()
        x = read(b)
        factor = combine(b, (1, take(b, x, [0])), (1, number(b, shift)))
        paths, words = decided(b, exceeds(b, times(b, factor, x)))
        assert isinstance(paths, Stuck)
        assert isinstance(words, Fails)

    def test_a_factor_that_is_zero_on_some_word(self) -> None:
        """A ReLU is not negative, but nothing is more than itself where it is zero."""
        b = Builder()
        x = read(b)
        paths, words = decided(b, exceeds(b, times(b, b.add(Relu(take(b, x, [1]))), x)))
        assert not isinstance(paths, Holds)
        assert isinstance(words, Fails)


def test_signs_are_read_off_the_operations() -> None:
    """What is squared, rectified or an exponential; sums, products and means of those."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    square, one = matmul(b, x, x), number(b, 1)
    above = combine(b, (Fraction(1, 2), square), (1, one))
    expected = {
        x: Sign.UNKNOWN,
        square: Sign.NOT_NEGATIVE,
        matmul(b, x, reals(b, [Fraction(1)] * 2, (2,))): Sign.UNKNOWN,
        above: Sign.APART,
        combine(b, (1, square), (-1, one)): Sign.UNKNOWN,
        combine(b, (1, square), (-1, number(b, -1))): Sign.APART,
        times(b, x, x): Sign.NOT_NEGATIVE,
        b.add(Relu(x)): Sign.NOT_NEGATIVE,
        b.add(Softmax(x)): Sign.POSITIVE,
        b.add(Smooth("exp", x)): Sign.POSITIVE,
        b.add(Smooth("exp", square)): Sign.APART,
        b.add(Smooth("sqrt", square)): Sign.NOT_NEGATIVE,
        b.add(Smooth("recip", above)): Sign.POSITIVE,
        b.add(Smooth("recip", square)): Sign.UNKNOWN,
        b.add(Weight(READ, ())): Sign.UNKNOWN,
    }
    assert {wire: sign_of(b.ops, b.types, wire) for wire in expected} == expected
    inner = b.add(Smooth("exp", b.add(Smooth("recip", square))))
    assert sign_of(b.ops, b.types, inner) == Sign.POSITIVE
    assert not surely_positive(b.ops, b.types, inner)


@pytest.mark.parametrize("behind", ["a norm", "a norm, doubled", "nothing", "the same"])
def test_indices_of_different_scores_stay_apart(behind: str) -> None:
    """Where all entries tie, a vector and a multiple of it may have different indices."""
    b = Builder()
    letters = b.add(Input("s", WireType(Index(LETTERS), (LENGTH,))))
    scores = b.add(Lookup(reals(b, map(Fraction, (1, 0, 2)), (LETTERS,)), (letters,)))
    values = b.add(Lookup(table(b, [[1, 1], [2, 2], [3, 3]]), (letters,)))
    x = matmul(b, b.add(Softmax(scores)), values)
    one = times(b, scale(b, x), x)
    match behind:
        case "a norm" | "a norm, doubled":
            under = combine(b, (1, matmul(b, x, x)), (1, number(b, 2)))
            other = times(b, b.add(Smooth("recip", b.add(Smooth("sqrt", under)))), x)
        case "nothing":
            other = x
        case _:
            other = one
    if behind == "a norm, doubled":
        one, other = (combine(b, (2, y)) for y in (one, other))
    paths, words = decided(b, b.add(Compare("==", b.add(Argmax(one)), b.add(Argmax(other)))))
    assert isinstance(words, Holds if behind == "the same" else Fails)
    assert isinstance(paths, Holds) == (behind == "the same")
