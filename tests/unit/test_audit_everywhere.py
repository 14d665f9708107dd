"""Factors that an audit takes for positive at every length: what shows it is the same at two."""

from __future__ import annotations

from collections.abc import Callable

from circ.compiler.audit.divided import positions, several
from circ.compiler.audit.entries import (
    Curve,
    Given,
    Letter,
    Linear,
    Nodes,
    Pick,
    Products,
    Share,
)
from circ.compiler.audit.everywhere import FactorShapes, everywhere
from circ.compiler.audit.factors import positive_curves
from circ.compiler.audit.forms import Forms
from circ.compiler.ir import SmoothName

LENGTH = 5

Build = Callable[[Nodes, list[int], int], int]
"""A factor, given a number for each letter and what attention reads of them."""


def known(nodes: Nodes, value: int) -> int:
    """A known number."""
    return nodes.add(Given(value, True), real=True)


def curve(name: SmoothName, nodes: Nodes, part: int) -> int:
    """A smooth function."""
    return nodes.add(Curve(name, part), real=True)


def total(nodes: Nodes, *parts: int) -> int:
    """A sum."""
    return nodes.add(Linear(tuple((1, part) for part in parts)), real=True)


def square(nodes: Nodes, x: int) -> int:
    """A square."""
    return nodes.add(Products(((x, x),)), real=True)


def taken(build: Build, length: int, forms: Forms) -> FactorShapes | None:
    """What a factor looks like in a claim about words of some length; None where it is none."""
    nodes = Nodes()
    table = (known(nodes, 1), known(nodes, 2))
    letters = [nodes.add(Letter(p), real=False) for p in range(length)]
    numbers = [nodes.add(Pick((s,), (2,), table), real=True) for s in letters]
    row = tuple(numbers)
    shares = [nodes.add(Share(row, p), real=True) for p in range(length)]
    read = nodes.add(Products(tuple(zip(shares, numbers, strict=True))), real=True)
    factor = build(nodes, numbers, read)
    wide = [several(mask) for mask in positions(nodes)]
    assert factor in positive_curves(nodes, wide), "it is positive at this length"
    scaled = {factor: ((factor,), known(nodes, 1))}

    def named(place: int) -> tuple[str, int] | None:
        return ("letter", 0) if isinstance(nodes.nodes[place], Letter) else None

    kept, found = everywhere(nodes, scaled, forms, named)
    assert (factor in kept) == bool(found.shapes)
    return found if kept else None


def alike(build: Build) -> bool:
    """Whether a factor is taken at two lengths, and looks the same at both."""
    forms = Forms()
    short, long = (taken(build, length, forms) for length in (LENGTH, LENGTH + 1))
    assert (short is None) == (long is None)
    return short is not None and long is not None and short.shapes == long.shapes


def norm(epsilon: Callable[[list[int]], int]) -> Build:
    """1/√(x² + ε)."""

    def build(nodes: Nodes, numbers: list[int], read: int) -> int:
        under = total(nodes, square(nodes, read), known(nodes, epsilon(numbers)))
        return curve("recip", nodes, curve("sqrt", nodes, under))

    return build


def test_a_norm_looks_the_same_at_every_length() -> None:
    """1/√(x² + 1) does, and e^x. With an ε that is worked out from the length it is another factor."""
    assert alike(norm(lambda _: 1))
    assert alike(lambda nodes, _, read: curve("exp", nodes, read))
    assert not alike(norm(len))
    assert not alike(norm(lambda numbers: 9 - len(numbers)))


def test_a_sum_over_positions_is_not_looked_into() -> None:
    """Σ e^x + 1 over all letters has more terms at each length: it is no factor at all lengths."""

    def build(nodes: Nodes, numbers: list[int], _read: int) -> int:
        powers = (curve("exp", nodes, x) for x in numbers)
        return curve("recip", nodes, total(nodes, known(nodes, 1), *powers))

    assert not alike(build)


def test_a_square_may_be_zero_at_some_length() -> None:
    """What is squared is not looked into, so that neither 1/x² nor √(x²) is a factor though x is positive
    at two lengths."""

    def behind(name: SmoothName) -> Build:
        def build(nodes: Nodes, numbers: list[int], _read: int) -> int:
            x = total(nodes, *(curve("exp", nodes, x) for x in numbers))
            return curve(name, nodes, square(nodes, x))

        return build

    assert taken(behind("recip"), LENGTH, Forms()) is None
    assert taken(behind("sqrt"), LENGTH, Forms()) is None


def test_what_is_squared_is_defined_at_every_length() -> None:
    """Below a square an inverse of one letter's number may stand, and none of several letters'."""

    def beside(inner: Callable[[Nodes, list[int]], int]) -> Build:
        def build(nodes: Nodes, numbers: list[int], read: int) -> int:
            x = total(nodes, read, curve("recip", nodes, inner(nodes, numbers)))
            return curve("recip", nodes, total(nodes, square(nodes, x), known(nodes, 1)))

        return build

    def one(nodes: Nodes, numbers: list[int]) -> int:
        return total(nodes, square(nodes, numbers[0]), known(nodes, 1))

    def all_of(nodes: Nodes, numbers: list[int]) -> int:
        return total(nodes, *(curve("exp", nodes, x) for x in numbers))

    assert alike(beside(one))
    assert not alike(beside(all_of))
    found = taken(beside(one), LENGTH, Forms())
    assert found is not None
    assert {*found.below} == {0}
