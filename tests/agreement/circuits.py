"""Random well-typed circuits, for tests that hold the readings of the IR to each other.

Constants, weights and inputs are small dyadic rationals, and a circuit without smooth functions is
kept within a given number of bits: no intermediate value, partial sums included, needs more. So
float64 computes it without rounding, readings must agree exactly, and ties are frequent.

    @given(st.data())
    def test_something(data):
        sample = data.draw(circuits(PIECEWISE))
        binders = data.draw(binders_of(sample.circuit))
        point = data.draw(points(binders))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from hypothesis import strategies as st

from circ.compiler.builder import LETTERS, every, reals, spread
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Comparison,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Real,
    Relu,
    Select,
    Smooth,
    Softmax,
    Sort,
    Sum,
    TopK,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Box, Reals, Words
from circ.compiler.tensor import Tensor
from tests.agreement.draft import (
    QUARTERS,
    Draft,
    constant,
    operand,
    pick,
    rearranged,
    shapes,
)

Kind = Literal[
    "reindex", "sum", "affine", "product", "relu", "max", "exp", "recip", "sqrt", "softmax",
    "compare", "not", "all", "any", "select", "lookup", "argmax", "topk",
]  # fmt: skip

AFFINE: tuple[Kind, ...] = ("reindex", "sum", "affine")
DISCRETE: tuple[Kind, ...] = ("compare", "not", "all", "any", "select", "lookup", "argmax", "topk")
PIECEWISE: tuple[Kind, ...] = (*AFFINE, "relu", "max", *DISCRETE)
BILINEAR: tuple[Kind, ...] = (*PIECEWISE, "product")
SMOOTH: tuple[Kind, ...] = (*BILINEAR, "exp", "recip", "sqrt", "softmax")

InputKind = Literal["any", "reals", "words"]
Point = dict[str, tuple[Fraction | int, ...]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A circuit with outputs `out` (of any type) and `goal` (a scalar truth), and its weights."""

    circuit: Circuit
    weights: dict[str, Tensor]


@st.composite
def circuits(
    draw: st.DrawFn,
    kinds: Sequence[Kind] = PIECEWISE,
    *,
    inputs: InputKind = "any",
    bits: int = 48,
    steps: int = 10,
) -> Sample:
    """A circuit made of ops of these kinds, on one to three inputs.

    `bits`: 48 leaves room in float64, 20 in float32. Smooth functions stand only where they are
    defined, for every input that `binders_of` allows; behind one, nothing is dyadic any more.
    """
    draft = Draft(draw, bits)
    for number in range(draw(st.integers(1, 3))):
        add_input(draft, f"x{number}", inputs)
    for _ in range(draw(st.integers(1, steps))):
        grow(draft, draw(st.sampled_from(list(kinds))))
    out = Wire(len(draft.b.ops) - 1)
    return Sample(draft.b.circuit({"out": out, "goal": goal(draft, out)}), draft.weights)


def add_input(draft: Draft, name: str, inputs: InputKind) -> None:
    """A real tensor, or a word over two or three members."""
    words = draft.draw(st.booleans()) if inputs == "any" else inputs == "words"
    sort: Sort = Index(draft.draw(st.integers(2, 3))) if words else Real()
    shape = draft.draw(shapes(1, 1) if words else shapes())
    draft.note(draft.b.add(Input(name, WireType(sort, shape))))


def goal(draft: Draft, out: Wire) -> Wire:
    """A scalar truth about `out`: all its flags, or a comparison with a constant."""
    known = draft.b.types[out]
    if known.sort == Bool():
        return every(draft.b, out)
    op = draft.draw(comparisons(known.sort))
    flags = draft.b.add(Compare(op, out, constant(draft, known.sort, known.shape)))
    return every(draft.b, flags)


def comparisons(sort: Sort) -> st.SearchStrategy[Comparison]:
    """What can be asked of two wires of a sort."""
    options: list[Comparison] = ["<", "<=", "=="] if sort == Real() else ["=="]
    return st.sampled_from(options)


# --- inputs ---------------------------------------------------------------------------------


@st.composite
def binders_of(draw: st.DrawFn, circuit: Circuit) -> tuple[Bound, ...]:
    """A box of quarters (points included) for each real input; all words for each index input."""
    found: list[Bound] = []
    for name, wire in circuit.inputs.items():
        known = circuit.types[wire]
        match known.sort:
            case Index(size=size):
                values: Words | Reals = Words(tuple(f"m{i}" for i in range(size)))
            case Real() | Bool():
                values = Reals(draw(boxes(known.entries)))
        found.append(Bound(name, known, values))
    return tuple(found)


def boxes(entries: int) -> st.SearchStrategy[Box]:
    """Bounds for each entry, in order."""
    ends = st.tuples(QUARTERS, QUARTERS).map(lambda pair: (min(pair), max(pair)))
    return st.tuples(*[ends] * entries)


def points(binders: Sequence[Bound]) -> st.SearchStrategy[Point]:
    """An input within the binders' ranges: entries in row-major order, by name."""
    return st.fixed_dictionaries({bound.name: entries_within(bound) for bound in binders})


def entries_within(bound: Bound) -> st.SearchStrategy[tuple[Fraction | int, ...]]:
    """The entries of one binder, the ends of a box among them."""
    match bound.values:
        case Reals(box=box):
            return st.tuples(*(quarters(low, high) for low, high in box))
        case Words(members=members):
            return st.tuples(*[st.integers(0, len(members) - 1)] * bound.type.entries)


def quarters(low: Fraction, high: Fraction) -> st.SearchStrategy[Fraction]:
    """The multiples of 1/4 between two multiples of 1/4."""
    return st.integers(int(low * 4), int(high * 4)).map(lambda n: Fraction(n, 4))


# --- ops ------------------------------------------------------------------------------------


def grow(draft: Draft, kind: Kind) -> None:
    """Add an op of this kind, unless its entries would leave the room there is."""
    match kind:
        case "reindex":
            add_reindex(draft)
        case "sum":
            add_sum(draft)
        case "affine" | "product":
            add_contract(draft, bilinear=kind == "product")
        case "relu":
            draft.add(Relu(pick(draft, Real)))
        case "max":
            draft.add(Max(pick(draft, Real, 1)))
        case "exp" | "recip" | "sqrt" | "softmax":
            add_smooth(draft, kind)
        case "compare":
            add_compare(draft)
        case "not":
            draft.add(Not(pick(draft, Bool)))
        case "all" | "any":
            add_connective(draft, kind)
        case "select":
            add_select(draft)
        case "lookup":
            add_lookup(draft)
        case "argmax":
            draft.add(Argmax(pick(draft, Real, 1)))
        case "topk":
            scores = pick(draft, Real, 1)
            draft.add(TopK(draft.draw(st.integers(0, draft.b.shape(scores)[-1])), scores))


def add_reindex(draft: Draft) -> None:
    """Entries of one or two wires of a sort, in any order, repeated or left out."""
    first = pick(draft, draft.draw(sorts()))
    wires = [first]
    if draft.draw(st.booleans()):
        wires.append(operand(draft, WireType(draft.b.types[first].sort, draft.draw(shapes()))))
    rearranged(draft, wires, draft.draw(shapes(0, 3)))


def sorts() -> st.SearchStrategy[type[Sort]]:
    """Reals half of the time."""
    options: list[type[Sort]] = [Real, Real, Bool, Index]
    return st.sampled_from(options)


def add_sum(draft: Draft) -> None:
    """One to three terms, the same wire twice perhaps."""
    first = pick(draft, Real)
    others = draft.draw(st.integers(0, 2))
    wires = [first, *(operand(draft, draft.b.types[first]) for _ in range(others))]
    draft.add(Sum(tuple((draft.draw(QUARTERS), wire) for wire in wires)))


def add_contract(draft: Draft, *, bilinear: bool) -> None:
    """A random einsum with a constant, or with any wire, on either side.

    Each axis of the first operand is contracted, shared or its own; the second may have one more.
    """
    first = pick(draft, Real)
    letters = LETTERS[: len(draft.b.shape(first))]
    sizes = dict(zip(letters, draft.b.shape(first), strict=True))
    roles = {c: draft.draw(st.sampled_from(["contracted", "shared", "own"])) for c in letters}
    extra = LETTERS[len(letters)] * draft.draw(st.integers(0, 1))
    sizes |= {letter: draft.draw(st.integers(1, 3)) for letter in extra}
    axes = draft.draw(st.permutations([c for c in letters if roles[c] != "own"] + [*extra]))
    output = draft.draw(
        st.permutations([c for c in letters if roles[c] != "contracted"] + [*extra])
    )
    shape = tuple(sizes[c] for c in axes)
    second = operand(draft, WireType(Real(), shape)) if bilinear else constant(draft, Real(), shape)
    sides = [(letters, first), ("".join(axes), second)]
    (left, a), (right, b) = sides if draft.draw(st.booleans()) else sides[::-1]
    draft.add(Contract(f"{left},{right}->{''.join(output)}", a, b))


def add_smooth(draft: Draft, kind: Literal["exp", "recip", "sqrt", "softmax"]) -> None:
    """A smooth function, made to be defined: 1/(max(0, x) + 1/2), √max(0, x), e^x of a small x."""
    x = pick(draft, Real, 1 if kind == "softmax" else 0)
    if kind == "softmax":
        draft.add(Softmax(x))
    elif kind == "exp" and draft.scales[x].bound <= 16:
        draft.add(Smooth("exp", x))
    elif kind == "sqrt" and (positive := draft.add(Relu(x))) is not None:
        draft.add(Smooth("sqrt", positive))
    elif kind == "recip" and (positive := draft.add(Relu(x))) is not None:
        one = draft.note(reals(draft.b, (Fraction(1),), ()))
        half = draft.note(spread(draft.b, one, draft.b.shape(x)))
        raised = draft.add(Sum(((Fraction(1), positive), (Fraction(1, 2), half))))
        if raised is not None:
            draft.add(Smooth("recip", raised))


def add_compare(draft: Draft) -> None:
    """Two wires of one type: reals in any way, indices for equality."""
    options: list[type[Sort]] = [Real, Real, Index]
    left = pick(draft, draft.draw(st.sampled_from(options)))
    known = draft.b.types[left]
    draft.add(Compare(draft.draw(comparisons(known.sort)), left, operand(draft, known)))


def add_connective(draft: Draft, kind: Literal["all", "any"]) -> None:
    """`All` or `Any`, of no flags at all now and then."""
    flags = pick(draft, Bool, 1)
    if draft.draw(st.integers(0, 7)) == 7:
        empty = draft.draw(st.sampled_from([(0,), (2, 0)]))
        flags = rearranged(draft, [flags], empty)
    draft.add(All(flags) if kind == "all" else Any(flags))


def add_select(draft: Draft) -> None:
    """A choice between two wires of one type."""
    condition = operand(draft, WireType(Bool(), ()))
    then = pick(draft, draft.draw(sorts()))
    draft.add(Select(condition, then, operand(draft, draft.b.types[then])))


def add_lookup(draft: Draft) -> None:
    """One or two indices into a table of any sort, which may have a further axis."""
    first = pick(draft, Index)
    known = draft.b.types[first]
    indices = [first]
    if draft.draw(st.booleans()):
        size = draft.draw(st.integers(2, 3))
        indices.append(operand(draft, WireType(Index(size), known.shape)))
    options: list[Sort] = [Real(), Real(), Bool(), Index(2), Index(3)]
    sides = [draft.b.types[wire].sort for wire in indices]
    sizes = tuple(sort.size for sort in sides if isinstance(sort, Index))
    table = WireType(draft.draw(st.sampled_from(options)), sizes + draft.draw(shapes(0, 1)))
    draft.add(Lookup(operand(draft, table), tuple(indices)))
