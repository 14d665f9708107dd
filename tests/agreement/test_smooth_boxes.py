"""Bounds through smooth functions are held to the exact reference at many points."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, combine, matmul, number, reals, stack, take, times
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import Compare, Input, Real, Relu, Smooth, Softmax, Wire, WireType
from circ.compiler.obligation import Bound, Obligation, Reals
from circ.compiler.trial import trial
from circ.runtime.engines import boxes
from tests.agreement.box_claims import at, box_claims, logistic
from tests.agreement.test_boxes import witnesses
from tests.agreement.test_smt import within
from tests.unit.obligations import NOWHERE

SECONDS = 0.3
WIDTH = 2
SIDE = 5

EIGHTHS = st.integers(-16, 16).map(lambda n: Fraction(n, 8))
Box = tuple[tuple[Fraction, Fraction], ...]


def decided(claim: Obligation, seconds: float = SECONDS) -> Finding:
    """What the engine finds."""
    return boxes.decide(claim, {}, Limits(timeout=seconds), silent)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_point_contradicts_its_verdict(data: st.DataObject) -> None:
    """Of random claims, their numbers hard on floats: no point refutes what it proves, or is in a domain
    that it calls empty; and an input that it gives refutes, as enclosures certify."""
    claim = data.draw(box_claims(bilinear=True, smooth=True))
    tried = data.draw(st.lists(witnesses(claim), min_size=20, max_size=20))
    found = decided(claim)
    match found:
        case Fails(witness=witness):
            assert trial(claim, {}, witness).refutes
            assert within(claim, witness)
        case Holds() | Empty():
            assert not any(trial(claim, {}, witness).refutes for witness in tried)
        case Stuck():
            pass


# --- networks of the usual kinds ------------------------------------------------------------------


def dense(draw: st.DrawFn, b: Builder, x: Wire) -> Wire:
    """A matrix times a vector, and a bias."""
    matrix = reals(b, draw(st.tuples(*[EIGHTHS] * WIDTH**2)), (WIDTH, WIDTH))
    bias = reals(b, draw(st.tuples(*[EIGHTHS] * WIDTH)), (WIDTH,))
    return combine(b, (1, matmul(b, matrix, x)), (1, bias))


def tanh(b: Builder, x: Wire) -> Wire:
    """2 / (1 + e^-2x) - 1."""
    return combine(b, (2, logistic(b, combine(b, (2, x)))), (-1, number(b, 1)))


def gelu(b: Builder, x: Wire) -> Wire:
    """x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2."""
    cube = times(b, x, times(b, x, x))
    inner = combine(b, (Fraction(79788, 10**5), x), (Fraction(35677, 10**6), cube))
    return combine(
        b, (Fraction(1, 2), times(b, x, combine(b, (1, tanh(b, inner)), (1, number(b, 1)))))
    )


def swish(b: Builder, x: Wire) -> Wire:
    """x / (1 + e^-1.7x)."""
    return times(b, logistic(b, combine(b, (Fraction(17, 10), x))), x)


def normed(b: Builder, x: Wire) -> Wire:
    """A vector, centred, by the root of its mean square and 1/10."""
    mean = reals(b, (Fraction(1, WIDTH),) * WIDTH, (WIDTH,))
    off = combine(b, (1, x), (-1, matmul(b, x, mean)))
    spread = combine(b, (1, matmul(b, times(b, off, off), mean)), (1, number(b, Fraction(1, 10))))
    return times(b, off, b.add(Smooth("recip", b.add(Smooth("sqrt", spread)))))


def attended(draw: st.DrawFn, b: Builder, x: Wire) -> Wire:
    """A head over three vectors made of one: scores of products, and their shares of the values."""
    rows = stack(b, [dense(draw, b, x) for _ in range(3)])
    query, value = dense(draw, b, x), dense(draw, b, x)
    shares = b.add(Softmax(matmul(b, rows, query)))
    return combine(b, (1, matmul(b, shares, rows)), (1, value))


def layer(draw: st.DrawFn, b: Builder, x: Wire) -> Wire:
    """One layer more."""
    match draw(st.sampled_from(["tanh", "gelu", "swish", "sigmoid", "relu", "norm", "attention"])):
        case "tanh":
            return tanh(b, dense(draw, b, x))
        case "gelu":
            return gelu(b, dense(draw, b, x))
        case "swish":
            return swish(b, dense(draw, b, x))
        case "sigmoid":
            return logistic(b, dense(draw, b, x))
        case "relu":
            return b.add(Relu(dense(draw, b, x)))
        case "norm":
            return normed(b, dense(draw, b, x))
        case _:
            return attended(draw, b, x)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Builder, Wire, Box]:
    """A scalar made of a vector in a box."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (WIDTH,))))
    ends = st.tuples(EIGHTHS, EIGHTHS).map(lambda pair: (min(pair), max(pair)))
    y = x
    for _ in range(draw(st.integers(1, 2))):
        y = layer(draw, b, y)
    return b, take(b, y, [0]), draw(st.tuples(*[ends] * WIDTH))


def claimed(b: Builder, value: Wire, box: Box, most: Fraction) -> Obligation:
    """That a scalar is at most a number on a box."""
    goal = b.add(Compare("<=", value, number(b, most)))
    binder = Bound("x", b.types[Wire(0)], Reals(box))
    return Obligation("claim", "forall", b.circuit({"goal": goal}), (binder,), NOWHERE)


def greatest(b: Builder, value: Wire, box: Box) -> Fraction:
    """The greatest value on a grid, next to nothing less than it is."""
    sides = [[low + (high - low) * Fraction(k, SIDE - 1) for k in range(SIDE)] for low, high in box]
    return max(at(b, value, point) for point in product(*sides))


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_claim_that_is_false_by_next_to_nothing_is_not_proved(data: st.DataObject) -> None:
    """Whatever part of a network's values on a grid is claimed to be the most, by 10^-12 or by 1/10."""
    b, value, box = data.draw(networks())
    most = greatest(b, value, box)
    for less in (Fraction(1, 10**12), Fraction(1, 10)):
        found = decided(claimed(b, value, box, most - less))
        assert not isinstance(found, Holds | Empty)
        if isinstance(found, Fails):
            assert trial(claimed(b, value, box, most - less), {}, found.witness).refutes


@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_a_claim_with_some_room_is_decided(data: st.DataObject) -> None:
    """On a small box, what a network exceeds nowhere on a grid, and half its size more, is proved."""
    b, value, box = data.draw(networks())
    small = tuple(((low + high) / 2 - Fraction(1, 20), (low + high) / 2) for low, high in box)
    most = greatest(b, value, small)
    room = (1 + abs(most)) / 2
    assert isinstance(decided(claimed(b, value, small, most + room), 5.0), Holds)
