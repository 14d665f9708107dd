"""What a patch computes, held to the same worked out entry by entry in fractions, and to numpy's least squares."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from circ.compiler.inverse import inverted
from circ.compiler.patching import Clamping, Part, Projecting, VectorsAlong
from circ.compiler.rounding import FORMATS, nearest
from circ.compiler.tensor import Tensor
from circ.runtime.patches import whole
from circ.runtime.patches.forms import accounts, computed

DTYPES = ("F64", "F32", "F16", "BF16")

Row = tuple[Fraction, ...]


def drawn(rng: Random, dtype: str) -> float:
    """A number of a format: often a small one, now and then a very small one, or a zero of either sign."""
    value = rng.choice(
        [rng.gauss(0, 1), rng.gauss(0, 1) * 2.0 ** rng.randint(-30, 3), 0.0, -0.0, 0.5]
    )
    return value if value == 0 else nearest(Fraction(value), dtype)


def tensor(rng: Random, dtype: str, shape: tuple[int, ...]) -> Tensor:
    """Random numbers."""
    count = int(np.prod(shape))
    return Tensor(shape, dtype, array("d", [drawn(rng, dtype) for _ in range(count)]))


def vector(rng: Random, size: int) -> Row:
    """Not zero; of whole numbers, or of floats."""
    while True:
        found = [
            rng.choice([Fraction(rng.randint(-3, 3)), Fraction(rng.gauss(0, 1))])
            for _ in range(size)
        ]
        if any(found):
            return tuple(found)


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """The inner product."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def part_in(basis: Sequence[Row], w: Row) -> Row:
    """The part of a vector in the span, by making the basis orthogonal first (Gram and Schmidt)."""
    found, upright = [Fraction(0)] * len(w), list[Row]()
    for b in basis:
        rest = list(b)
        for u in upright:
            share = dot(b, u) / dot(u, u)
            rest = [x - share * y for x, y in zip(rest, u, strict=True)]
        upright.append(tuple(rest))
    for u in upright:
        share = dot(w, u) / dot(u, u)
        found = [x + share * y for x, y in zip(found, u, strict=True)]
    return tuple(found)


def lines(given: Tensor, axis: int) -> Iterator[tuple[int, ...]]:
    """The offsets of the entries of each vector along an axis."""
    offsets = np.arange(len(given.values)).reshape(given.shape)
    for rest in np.ndindex(*(side for at, side in enumerate(given.shape) if at != axis)):
        yield tuple(int(k) for k in offsets[(*rest[:axis], slice(None), *rest[axis:])])


def one_of(rng: Random, size: int, target: VectorsAlong) -> Projecting | Clamping:
    """A random form of vectors of a size."""
    if rng.random() < 0.5:
        low = Fraction(rng.randint(-8, 4), 8)
        high = low + Fraction(rng.randint(0, 8), 3)
        return Clamping("clamp", (target,), vector(rng, size), low, high)
    while True:
        basis = tuple(vector(rng, size) for _ in range(rng.randint(1, min(size, 3))))
        inverse = inverted(tuple(tuple(dot(a, b) for b in basis) for a in basis))
        if inverse.part:
            return Projecting("project", (target,), basis, inverse.rows)


def expected(form: Projecting | Clamping, w: Row) -> Row:
    """A vector after a form, exactly."""
    match form:
        case Projecting(basis=basis):
            return tuple(x - y for x, y in zip(w, part_in(basis, w), strict=True))
        case Clamping(direction=v, low=low, high=high):
            share = dot(v, w) / dot(v, v)
            missing = min(max(share, low), high) - share
            return tuple(x + missing * y for x, y in zip(w, v, strict=True))


def left(form: Projecting | Clamping, w: Row) -> Fraction:
    """What a stored vector has of what a form takes off."""
    match form:
        case Projecting(basis=basis):
            return max(map(abs, part_in(basis, w)))
        case Clamping(direction=v, low=low, high=high):
            share = dot(v, w) / dot(v, v)
            return max(low - share, share - high, Fraction(0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(25))
def test_every_entry_is_the_nearest_to_the_exact_one(dtype: str, seed: int) -> None:
    """Along the axis of the form, of the vectors in the part that it names; all else is as it was, the sign of a zero included.

    What the account says is left is the least double that is not below the exact residue.
    """
    rng = Random(f"{dtype} {seed}")
    shape = tuple(rng.randint(1, 5) for _ in range(rng.randint(1, 3)))
    axis = rng.randrange(len(shape))
    first = rng.randrange(shape[0])
    places: list[int | range] = [first, range(first, shape[0])]
    part: Part = () if axis == 0 or rng.random() < 0.5 else (rng.choice(places),)
    before = tensor(rng, dtype, shape)
    form = one_of(rng, shape[axis], VectorsAlong("m", "W", axis, part))
    after = computed([form], {"m/W": before})["m/W"]

    inside = np.arange(len(before.values)).reshape(shape)
    for place in part:
        inside = inside[place] if isinstance(place, int) else inside[place.start :]
    named, most = set(inside.ravel().tolist()), Fraction(0)
    for offsets in lines(before, axis):
        w = tuple(Fraction(before.values[k]) for k in offsets)
        exact = expected(form, w) if offsets[0] in named else w
        got = [after.values[k] for k in offsets]
        assert got == [nearest(x, dtype) for x in exact]
        same = [k for k, x, y in zip(offsets, w, exact, strict=True) if x == y]
        assert all(str(before.values[k]) == str(after.values[k]) for k in same)
        if offsets[0] in named:
            most = max(most, left(form, tuple(map(Fraction, got))))
    (account,) = accounts([form], {"m/W": after})
    assert account.residue is not None
    assert most <= Fraction(account.residue) <= most * (1 + Fraction(1, 2**52))


@pytest.mark.parametrize("seed", range(10))
def test_numpy_projects_the_same(seed: int) -> None:
    """By least squares, in float64, columns and rows of larger matrices; in float32 to its precision."""
    rng = np.random.default_rng(seed)
    matrix, basis = rng.normal(size=(40, 30)), rng.normal(size=(3, (40, 30)[seed % 2]))
    exact = tuple(tuple(Fraction(float(x)) for x in row) for row in basis)
    inverse = inverted(tuple(tuple(dot(a, b) for b in exact) for a in exact)).rows
    form = Projecting("project", (VectorsAlong("m", "W", seed % 2, ()),), exact, inverse)
    dtype, close = (("F64", 1e-12), ("F32", 1e-6))[seed // 2 % 2]
    stored = matrix if dtype == "F64" else matrix.astype(np.float32).astype(np.float64)
    given = Tensor((40, 30), dtype, array("d", stored.tobytes()))
    got = np.array(computed([form], {"m/W": given})["m/W"].values).reshape(40, 30)

    vectors = stored if seed % 2 == 0 else stored.T
    shares = np.linalg.lstsq(basis.T, vectors, rcond=None)[0]
    wanted = vectors - basis.T @ shares
    assert np.abs(got - (wanted if seed % 2 == 0 else wanted.T)).max() <= close


def test_forms_are_applied_in_order_each_to_what_is_stored() -> None:
    """Away from one vector and then from another that leans towards it is not away from both; the accounts are of the end."""
    one, two = (Fraction(1), Fraction(0)), (Fraction(1), Fraction(1))
    forms = [
        Projecting("a", (VectorsAlong("m", "b", 0, ()),), (one,), ((Fraction(1),),)),
        Projecting("b", (VectorsAlong("m", "b", 0, ()),), (two,), ((Fraction(1, 2),),)),
    ]
    weights = {"m/b": Tensor((2,), "F32", array("d", [3, 4]))}
    assert [*computed(forms, weights)["m/b"].values] == [-2, 2]
    assert [*computed(reversed(forms), weights)["m/b"].values] == [0, 0.5]
    made = computed(forms, weights)
    assert [each.residue for each in accounts(forms, made)] == [2, 0]


@pytest.mark.parametrize("together", [1, 7, 1 << 18])
def test_vectors_are_worked_out_a_few_at_a_time(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many are makes no difference, whatever their sizes: here each is larger than the one before."""
    monkeypatch.setattr(whole, "TOGETHER", together)
    matrix = np.arange(1.0, 13.0).reshape(3, 4) * 2.0 ** np.array([0, 10, 20, 30])
    given = {"m/W": Tensor((3, 4), "F64", array("d", matrix.tobytes()))}
    target = VectorsAlong("m", "W", 0, ())
    one = (Fraction(1), Fraction(0), Fraction(1))
    off = Projecting("p", (target,), (one,), ((Fraction(1, 2),),))
    found = np.array(computed([off], given)["m/W"].values).reshape(3, 4)
    assert (found[0] == -found[2]).all() and (found[1] == matrix[1]).all()
    (left,) = accounts([off], given)
    assert left.residue == 8 * 2.0**30
    low = Clamping("c", (target,), one, Fraction(0), Fraction(6))
    found = np.array(computed([low], given)["m/W"].values).reshape(3, 4)
    assert found[:, 0].tolist() == [1, 5, 9]
    assert ((found[0] + found[2])[1:] == 12).all()


def test_the_residue_of_several_tensors_is_the_largest() -> None:
    """Of those of one form: a and b have 1 and 3 along the first axis."""
    names = {"m/a": [1.0, 7.0], "m/b": [3.0, 7.0]}
    weights = {name: Tensor((2,), "F64", array("d", values)) for name, values in names.items()}
    for first, then in (("a", "b"), ("b", "a")):
        targets = tuple(VectorsAlong("m", name, 0, ()) for name in (first, then))
        one = (Fraction(1), Fraction(0))
        off = Projecting("p", targets, (one,), ((Fraction(1),),))
        low = Clamping("c", targets, one, Fraction(0), Fraction(1, 2))
        assert [each.residue for each in accounts([off, low], weights)] == [3, 2.5]
        assert accounts([off], weights)[0].tensors == (first, then)


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F32"])
def test_the_largest_number_of_a_format_can_be_stored(dtype: str) -> None:
    """And the next that rounds to it; half a unit above it nothing can."""
    form = FORMATS[dtype]
    largest = Fraction(form.largest)
    half = Fraction(form.largest) / (2 ** (form.precision + 1) - 2)

    def stored(value: Fraction) -> float:
        clamp = Clamping("c", (VectorsAlong("m", "b", 0, ()),), (Fraction(1),), value, value)
        before = Tensor((1,), dtype, array("d", [0.0]))
        return computed([clamp], {"m/b": before})["m/b"].values[0]

    assert stored(largest) == stored(largest + half * Fraction(99, 100)) == form.largest
    assert stored(-largest) == -form.largest
    with pytest.raises(OverflowError, match=f"does not fit {dtype}"):
        stored(largest + half)


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F32"])
def test_between_two_numbers_of_the_format_the_even_one_is_taken_once(dtype: str) -> None:
    """A result a little beside the middle, by less than a double can tell: rounding twice would take the wrong neighbour."""
    bits = {"F16": 11, "BF16": 8, "F32": 24}[dtype]
    middle = 1 + Fraction(1, 2**bits)
    for nudge in (Fraction(-1, 2**70), Fraction(0), Fraction(1, 2**70)):
        bound = middle + nudge
        form = Clamping("c", (VectorsAlong("m", "b", 0, ()),), (Fraction(1),), bound, bound)
        found = computed([form], {"m/b": Tensor((1,), dtype, array("d", [0.0]))})["m/b"].values[0]
        assert found == nearest(bound, dtype) == (1 if nudge <= 0 else 1 + 2.0 ** (1 - bits))
