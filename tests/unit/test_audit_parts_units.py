"""What an audit makes of a claim about a box: sums of units, equal ones once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from circ.compiler.audit.parts.reading import Row, decided
from circ.compiler.audit.parts.units import Affine, Units, combined, known

THIRD = Fraction(1, 3)


def test_rows_of_inputs_alone_are_decided() -> None:
    """As they should be on the whole box, nowhere, or neither; a weak one may be 0."""
    box = ((Fraction(-1), Fraction(2)), (Fraction(0), Fraction(1)))
    for const, strict, holds in (
        (3, True, None),
        (3, False, True),
        (4, True, True),
        (-2, True, False),
        (-2, False, None),
        (-3, False, False),
        (0, True, None),
    ):
        # From const - 3 to const + 2.
        row = Row(Affine({0: 1, 1: -2}, const), strict)
        assert decided(row, box) is holds
    assert decided(Row(Affine({0: 1, 2: 1}, 100), strict=True), box) is None


def test_equal_units_are_one() -> None:
    """A name each, and one function; what is known is no unit."""
    units = Units(2)
    x = Affine({0: 1, 1: -1}, 3)
    one, two = units.relu(x, (4, 0)), units.relu(replaced(x), (5, 0))
    assert one.terms == two.terms == {2: 1}
    assert units.names == {(4, 0): 2, (5, 0): 2}
    assert units.step(x, (6, 0)).terms == {3: 1}
    assert [units.relu(known(k), (7, 0)).const for k in (-2, 0, 2)] == [0, 0, 2]
    assert [units.step(known(k), (7, 0)).const for k in (-2, 0, 2)] == [0, 1, 1]
    for product in (units.times(known(3), x, (8, 0)), units.times(x, known(3), (8, 0))):
        assert (product.terms, product.const) == ({0: 3, 1: -3}, 9)
    assert len(units.made) == 2
    deep = units.times(one, x, (9, 0))
    assert [unit.deep for unit in units.made] == [1, 1, 2]
    assert deep.terms == {4: 1}


def replaced(x: Affine) -> Affine:
    """The same again."""
    return Affine(dict(reversed(x.terms.items())), x.const)


def test_sums_are_exact() -> None:
    """Terms that cancel are gone, and factors of 0 add nothing."""
    x, y = Affine({0: 1, 1: THIRD}, 5), Affine({1: 1, 2: 4}, -1)
    found = combined([(1, x), (-THIRD, y), (0, y)])
    assert (found.terms, found.const) == ({0: 1, 2: -4 * THIRD}, 5 + THIRD)


def test_the_largest_of_some_numbers() -> None:
    """In rounds, each pair by one unit; and whether all of some truths hold."""
    for count in range(1, 6):
        units = Units(count)
        inputs = [Affine({k: 1}, 0) for k in range(count)]
        most, all_of = units.largest(inputs, (3, 0)), units.all(inputs, (9, 0))
        assert len({unit.name for unit in units.made}) == count
        for place in range(count):
            point = [Fraction(k == place) for k in range(count)]
            assert valued(units, point, most) == 1
            assert valued(units, [-x for x in point], most) == (-1 if count == 1 else 0)
            assert valued(units, point, all_of) == (count == 1)
        assert valued(units, [Fraction(1)] * count, all_of) == 1


def valued(units: Units, point: Sequence[Fraction], x: Affine) -> Fraction:
    """A sum of ReLUs at a point."""
    known_values = [*point]

    def at(y: Affine) -> Fraction:
        return sum((by * known_values[u] for u, by in y.terms.items()), Fraction(y.const))

    for unit in units.made:
        known_values.append(max(Fraction(0), at(unit.of[0])))
    return at(x)
