"""Random small networks with guards, tables and argmax, asked about what they nearly reach.

Unlike `tests.agreement.circuits` they have a form, so that ranges decide little: two ReLU layers,
scores with frequent ties, a guarded read-out, and a goal that compares it with its own value at some
input, give or take a little.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

from hypothesis import strategies as st

from circ.compiler.builder import (
    Builder,
    codes,
    combine,
    largest,
    matmul,
    number,
    reals,
    stack,
    take,
)
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Compare,
    Const,
    Index,
    Input,
    Lookup,
    Not,
    Real,
    Relu,
    Select,
    Shape,
    TopK,
    Wire,
    WireType,
)
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from tests.agreement.circuits import InputKind, Point, Sample

HALVES = st.integers(-3, 3).map(lambda n: Fraction(n, 2))
NEARLY = [Fraction(0), Fraction(0), Fraction(1, 4), Fraction(-1, 4), Fraction(1, 2**40)]
LETTERS = 3
WIDTH = 3


@st.composite
def networks(draw: st.DrawFn, inputs: InputKind = "any", *, bilinear: bool = False) -> Sample:
    """A network over a real vector, a word of two letters, or both; `out` is some wire of it."""
    b = Builder()
    features = read_inputs(draw, b, inputs)
    hidden = layer(draw, b, features)
    if draw(st.booleans()):
        hidden = layer(draw, b, hidden)
    scores, rivals = (affine(draw, b, hidden) for _ in range(2))
    guard = b.add(Compare("<=", take(b, scores, [0]), take(b, rivals, [1])))
    gated = b.add(Select(guard, scores, rivals))
    first, second = b.add(Argmax(scores)), b.add(Argmax(draw(st.sampled_from([rivals, gated]))))
    told = b.add(Lookup(constant(draw, b, (WIDTH, WIDTH)), (first, second)))
    product = matmul(b, gated, scores if bilinear else constant(draw, b, (WIDTH,)))
    kept = b.add(TopK(draw(st.integers(1, WIDTH - 1)), draw(st.sampled_from([scores, gated]))))
    marked = matmul(b, kept, constant(draw, b, (WIDTH,)))
    quantity = combine(b, (1, product), (1, told), (draw(HALVES), largest(b, rivals)))
    truths = [
        guard,
        near(draw, b, quantity),
        near(draw, b, marked),
        near(draw, b, take(b, gated, [1])),
        b.add(Compare("==", first, second)),
        b.add(Lookup(flags(draw, b), (first,))),
        b.add(Compare("==", b.add(Lookup(members(draw, b), (first,))), second)),
    ]
    chosen = [
        b.add(Not(t)) if draw(st.booleans()) else t
        for t in draw(st.lists(st.sampled_from(truths), min_size=1, max_size=3))
    ]
    goal = b.add((All if draw(st.booleans()) else Any)(stack(b, chosen)))
    out = draw(st.sampled_from([*truths, quantity, hidden, gated, kept, first, second]))
    return Sample(b.circuit({"out": out, "goal": goal}), {})


def read_inputs(draw: st.DrawFn, b: Builder, inputs: InputKind) -> Wire:
    """A vector that depends on the inputs: their entries, and rows of tables."""
    shape = (WIDTH,)
    parts: list[Wire] = []
    if inputs != "words":
        parts.append(b.add(Input("x", WireType(Real(), shape))))
    if inputs == "words" or (inputs == "any" and draw(st.booleans())):
        word = b.add(Input("s", WireType(Index(LETTERS), (2,))))
        table = constant(draw, b, (LETTERS, WIDTH))
        parts.extend(b.add(Lookup(table, (take(b, word, [i]),))) for i in range(2))
    return combine(b, *((draw(HALVES), part) for part in parts))


def layer(draw: st.DrawFn, b: Builder, x: Wire) -> Wire:
    """A ReLU layer."""
    return b.add(Relu(affine(draw, b, x)))


def affine(draw: st.DrawFn, b: Builder, x: Wire) -> Wire:
    """W x + b."""
    shape = (WIDTH,)
    product = matmul(b, constant(draw, b, (WIDTH, WIDTH)), x)
    return combine(b, (1, product), (1, constant(draw, b, shape)))


def constant(draw: st.DrawFn, b: Builder, shape: Shape) -> Wire:
    """A real constant."""
    return reals(b, draw(st.tuples(*[HALVES] * prod(shape))), shape)


def flags(draw: st.DrawFn, b: Builder) -> Wire:
    """A table of truths."""
    return b.add(Const(WireType(Bool(), (WIDTH,)), draw(st.tuples(*[st.booleans()] * WIDTH))))


def members(draw: st.DrawFn, b: Builder) -> Wire:
    """A table of indices."""
    return codes(b, draw(st.tuples(*[st.integers(0, WIDTH - 1)] * WIDTH)), WIDTH, (WIDTH,))


def near(draw: st.DrawFn, b: Builder, wire: Wire) -> Wire:
    """A comparison of a real scalar with about its value at some input, under some choice."""
    circuit = b.circuit({"out": wire})
    point: Point = {}
    for name, place in circuit.inputs.items():
        known = circuit.types[place]
        entry = st.integers(0, LETTERS - 1) if known.sort != Real() else HALVES
        point[name] = draw(st.tuples(*[entry] * known.entries))
    found = enclose(circuit, at_point(circuit, point), {}, choose=lambda _, tied: min(tied))["out"]
    assert isinstance(found, Reals)
    threshold = found.box[0][0] + draw(st.sampled_from(NEARLY))
    sides = [wire, number(b, threshold)]
    left, right = sides if draw(st.booleans()) else sides[::-1]
    return b.add(Compare(draw(st.sampled_from(["<", "<=", "=="])), left, right))
