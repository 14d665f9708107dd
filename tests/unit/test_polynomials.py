"""Arithmetic on dimensions keeps to that of whole numbers, and what is solved for is a solution."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from circ.lang.binding import bound, found_dims
from circ.lang.polynomials import (
    Polynomial,
    add,
    combined,
    divided,
    linear_in,
    multiply,
    put_in,
    show_polynomial,
    subtract,
    variable,
    whole_number,
)
from circ.lang.types import Dim, Fixed, Variable

NAMES = ("d", "h", "k")
leaves = st.sampled_from(NAMES).map(variable) | st.integers(-4, 4).map(whole_number)
OPERATORS: st.SearchStrategy[Literal["+", "-", "*"]] = st.sampled_from(["+", "-", "*"])


def computed(inner: st.SearchStrategy[Polynomial]) -> st.SearchStrategy[Polynomial]:
    """One operation on two of them."""
    return st.builds(combined, OPERATORS, inner, inner)


polynomials: st.SearchStrategy[Polynomial] = st.recursive(leaves, computed, max_leaves=6)
sizes = st.fixed_dictionaries({name: st.integers(1, 9) for name in NAMES})


def value(p: Polynomial, known: dict[str, int]) -> int:
    """What a polynomial is where all names are numbers."""
    found = put_in(p, {name: whole_number(n) for name, n in known.items()}).constant
    assert found is not None
    return found


@given(polynomials, polynomials, sizes)
def test_operations_are_those_of_numbers(
    a: Polynomial, b: Polynomial, known: dict[str, int]
) -> None:
    """Whatever the names stand for."""
    x, y = value(a, known), value(b, known)
    assert value(add(a, b), known) == x + y
    assert value(subtract(a, b), known) == x - y
    assert value(multiply(a, b), known) == x * y


@given(polynomials, polynomials)
def test_equal_ones_have_one_form(a: Polynomial, b: Polynomial) -> None:
    """So that two dimensions are compared by it."""
    assert multiply(a, b) == multiply(b, a)
    assert subtract(add(a, b), b) == a
    assert subtract(a, a) == whole_number(0)


@given(polynomials, leaves, sizes)
def test_a_quotient_leaves_no_rest(a: Polynomial, b: Polynomial, known: dict[str, int]) -> None:
    """A product is divided by its factor, and nothing else is said to be divisible."""
    quotient = divided(a, b)
    if b != whole_number(0):
        assert divided(multiply(a, b), b) == a
    if quotient is not None:
        assert value(quotient, known) * value(b, known) == value(a, known)


@given(polynomials, st.sampled_from(NAMES))
def test_a_line_is_its_slope_and_its_rest(p: Polynomial, name: str) -> None:
    """Where it is one."""
    line = linear_in(p, name)
    if line is not None:
        assert add(multiply(line[0], variable(name)), line[1]) == p
        assert name not in line[0].names | line[1].names


@given(polynomials, sizes)
def test_what_is_found_makes_arguments_fit(p: Polynomial, known: dict[str, int]) -> None:
    """Of a dimension that some sizes fit, those that are found give the length it has."""
    have = value(p, known)
    told: dict[str, Dim] = {name: Fixed(known[name]) for name in NAMES[1:]}
    found = found_dims([(p, Fixed(have)), (Variable("h"), told["h"])], told)
    if "d" in found and p.names:
        assert bound(p, found) == Fixed(have)


def test_as_text() -> None:
    """Products without blanks, what is subtracted last."""
    n, h, k = map(variable, ("n", "h", "k"))
    three = multiply(whole_number(3), multiply(h, k))
    assert show_polynomial(add(subtract(whole_number(-1), n), three)) == "3*h*k - n - 1"
    assert show_polynomial(whole_number(0)) == "0"
