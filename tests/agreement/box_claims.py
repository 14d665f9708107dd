"""Random claims about boxes whose numbers are hard on floats, asked about what they nearly reach.

Units in several layers, guards, maxima and skipped layers; constants that cancel, that are no floats
or beneath all but the smallest of them; boxes with sides of length 0; and conditions that leave a
polytope, a union of some, or nothing.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume
from hypothesis import strategies as st

from circ.compiler.builder import (
    Builder,
    combine,
    largest,
    matmul,
    number,
    reals,
    stack,
    take,
    times,
)
from circ.compiler.ir import (
    All,
    Any,
    Compare,
    Input,
    Not,
    Real,
    Relu,
    Select,
    Smooth,
    Softmax,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Obligation, Reals
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals as Enclosed
from circ.compiler.readings.reference import at_point, enclose
from tests.unit.obligations import NOWHERE

HALVES = st.integers(-4, 4).map(lambda n: Fraction(n, 2))
HARD = [
    Fraction(1, 3),
    Fraction(-1, 10),
    Fraction(1, 2**40),
    1 + Fraction(1, 2**54),
    Fraction(-(10**8)),
    Fraction(10**8 + 1),
    Fraction(1, 2**100),
    Fraction(-1, 10**200),
    Fraction(5e-324),
    Fraction(-1e-310),
]
NUMBERS = st.one_of(HALVES, HALVES, HALVES, st.sampled_from(HARD))
OFF = [
    Fraction(0),
    Fraction(0),
    Fraction(1, 2**40),
    Fraction(-1, 2**40),
    Fraction(1, 10**9),
    Fraction(-1, 10**9),
    Fraction(1),
]
WIDTH = 2


@st.composite
def box_claims(draw: st.DrawFn, *, bilinear: bool = False, smooth: bool = False) -> Obligation:
    """A claim about one vector in a box; `smooth` functions are among its units where that is asked for."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (WIDTH,))))
    ends = st.tuples(NUMBERS, NUMBERS).map(lambda pair: (min(pair), max(pair)))
    box = draw(st.tuples(*[ends] * WIDTH))
    found = [x]
    for _ in range(draw(st.integers(1, 5))):
        found.append(grown(draw, b, found, bilinear, smooth))
    kinds: list[type[All | Any]] = [All, Any]
    goal = b.add(draw(st.sampled_from(kinds))(stack(b, truths(draw, b, found, box, 1))))
    outputs = {"goal": goal}
    if draw(st.booleans()):
        where = draw(st.sampled_from(kinds))(stack(b, truths(draw, b, [x, *found[-1:]], box, 1)))
        outputs["where"] = b.add(where)
    binder = Bound("x", b.types[x], Reals(box))
    return Obligation("claim", "forall", b.circuit(outputs), (binder,), NOWHERE)


def grown(draw: st.DrawFn, b: Builder, found: list[Wire], bilinear: bool, smooth: bool) -> Wire:
    """A vector made of those before it."""
    x, y = draw(st.sampled_from(found[-2:])), draw(st.sampled_from(found))
    kinds = ["layer", "layer", "sum", "guard", "max", *["product"] * bilinear]
    kinds += ["smooth"] * 4 * smooth
    match draw(st.sampled_from(kinds)):
        case "layer":
            matrix = reals(b, draw(st.tuples(*[NUMBERS] * WIDTH**2)), (WIDTH, WIDTH))
            bias = reals(b, draw(st.tuples(*[NUMBERS] * WIDTH)), (WIDTH,))
            return b.add(Relu(combine(b, (1, matmul(b, matrix, x)), (1, bias))))
        case "sum":
            return combine(b, (draw(NUMBERS), x), (draw(NUMBERS), y))
        case "guard":
            told = compared(draw, b, take(b, x, [0]), number(b, draw(NUMBERS)))
            return b.add(Select(told, x, y))
        case "max":
            return stack(b, [largest(b, x), largest(b, combine(b, (1, x), (-1, y)))])
        case "smooth":
            return curved(draw, b, x, y)
        case _:
            return times(b, x, y)


def curved(draw: st.DrawFn, b: Builder, x: Wire, y: Wire) -> Wire:
    """A smooth function of a vector; of the second one too, where it takes two."""
    match draw(st.sampled_from(["exp", "logistic", "swish", "softmax", "norm", "root", "divided"])):
        case "exp":
            return b.add(Smooth("exp", combine(b, (Fraction(1, 8), x))))
        case "logistic":
            return logistic(b, x)
        case "swish":
            factor = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(17, 10)]))
            return times(b, x, logistic(b, combine(b, (factor, x))))
        case "softmax":
            scores = stack(b, [take(b, x, [0]), take(b, x, [1]), take(b, y, [0])])
            return take(b, b.add(Softmax(scores)), [range(WIDTH)])
        case "norm":
            spread = combine(
                b, (Fraction(1, WIDTH), matmul(b, x, x)), (1, number(b, Fraction(1, 100)))
            )
            return times(b, x, b.add(Smooth("recip", b.add(Smooth("sqrt", spread)))))
        case "root":
            return b.add(Smooth("sqrt", times(b, x, x)))
        case _:
            under = combine(b, (1, times(b, y, y)), (1, number(b, Fraction(1, 2))))
            return times(b, x, b.add(Smooth("recip", under)))


def logistic(b: Builder, x: Wire) -> Wire:
    """1 / (1 + e^-x)."""
    power = b.add(Smooth("exp", combine(b, (-1, x))))
    return b.add(Smooth("recip", combine(b, (1, power), (1, number(b, 1)))))


def compared(draw: st.DrawFn, b: Builder, left: Wire, right: Wire) -> Wire:
    """A comparison of two scalars, either way round, or its opposite."""
    sides = [left, right] if draw(st.booleans()) else [right, left]
    told = b.add(Compare(draw(st.sampled_from(["<", "<=", "<=", "=="])), *sides))
    return b.add(Not(told)) if draw(st.booleans()) else told


def truths(
    draw: st.DrawFn,
    b: Builder,
    found: list[Wire],
    box: tuple[tuple[Fraction, Fraction], ...],
    least: int,
) -> list[Wire]:
    """Comparisons of entries' weighted sums with about what they are somewhere in the box."""
    chosen: list[Wire] = []
    for _ in range(draw(st.integers(least, 3))):
        wire = draw(st.sampled_from(found))
        by = reals(b, draw(st.tuples(*[HALVES] * WIDTH)), (WIDTH,))
        scalar = matmul(b, wire, by)
        there = at(b, scalar, draw(points(box)))
        chosen.append(compared(draw, b, scalar, number(b, there + draw(st.sampled_from(OFF)))))
    return chosen


def at(b: Builder, scalar: Wire, point: tuple[Fraction, ...]) -> Fraction:
    """The value of a scalar at a point."""
    circuit = b.circuit({"out": scalar})
    inputs = at_point(circuit, {"x": point})
    try:
        value = enclose(circuit, inputs, {})["out"]
    except Undefined:
        assume(False)
        raise
    assert isinstance(value, Enclosed)
    return value.box[0][0]


def points(box: tuple[tuple[Fraction, Fraction], ...]) -> st.SearchStrategy[tuple[Fraction, ...]]:
    """Points of a box, its corners among them."""
    parts = st.sampled_from(
        [Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(7, 64)]
    )
    return st.tuples(*(parts.map(lambda t, a=a, b=b: a + t * (b - a)) for a, b in box))  # type: ignore[misc]
