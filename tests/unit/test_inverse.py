"""The exact inverse of inner products, and what it says of vectors that depend on each other."""

from __future__ import annotations

import random
from fractions import Fraction

from circ.compiler.inverse import Matrix, inverted


def products(vectors: list[list[Fraction]]) -> Matrix:
    """The inner products of vectors."""
    pairs = (
        [sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) for y in vectors]
        for x in vectors
    )
    return tuple(map(tuple, pairs))


def some(rng: random.Random, count: int, size: int) -> list[list[Fraction]]:
    """Random vectors, with denominators of their own."""
    return [
        [Fraction(rng.randint(-9, 9), rng.randint(1, 7)) for _ in range(size)] for _ in range(count)
    ]


def test_the_inverse_times_the_matrix_is_one() -> None:
    """Exactly, for as many independent vectors as there are."""
    rng = random.Random(0)
    for count in range(1, 8):
        gram = products(some(rng, count, 9))
        found = inverted(gram)
        product = [
            [sum(a * gram[k][j] for k, a in enumerate(row)) for j in range(count)]
            for row in found.rows
        ]
        assert product == [[int(i == j) for j in range(count)] for i in range(count)]
        assert 0 < found.part <= 1


def test_a_vector_in_the_span_of_those_before_it_is_named() -> None:
    """There is no inverse then; a zero vector is in the span of none."""
    rng = random.Random(1)
    vectors = some(rng, 3, 5)
    mixed = [2 * a - b / 3 for a, b in zip(vectors[0], vectors[2], strict=True)]
    found = inverted(products([*vectors, mixed, *some(rng, 1, 5)]))
    assert not found.rows
    assert (found.vector, found.part) == (3, Fraction(0))
    assert inverted(products([[Fraction(0)] * 2])).vector == 0


def test_the_part_is_the_squared_sine_of_the_smallest_angle() -> None:
    """Of (1, 1) to (1, 0) it is a half, however long they are."""
    for scale in (1, 1000):
        found = inverted(products([[Fraction(scale), Fraction(0)], [Fraction(1), Fraction(1)]]))
        assert (found.part, found.vector) == (Fraction(1, 2), 1)
