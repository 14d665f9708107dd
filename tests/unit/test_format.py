"""Canonical text: it says what the tree says, and there is one for every tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from circ.lang import format, format_expressions, format_long
from circ.lang.diagnostic import Diagnostics
from circ.lang.format import format_formula, format_module
from circ.lang.format_expressions import format_expression
from circ.lang.parser import parse, parse_expression, parse_formula
from circ.lang.render import render
from circ.lang.span import Source
from circ.lang.syntax import Expr, Formula, Module
from tests.outline import shape
from tests.syntax_trees import expressions, formulas, modules

some = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(some, max_examples=4000)


def reported(diagnostics: Diagnostics) -> list[str]:
    """The diagnostics as text, for the message of a failing test."""
    return [render(diagnostic) for diagnostic in diagnostics]


@some
@given(modules)
def test_a_module_is_read_back_from_its_text(module: Module) -> None:
    """Parsing the canonical text of any module gives that module, and the same text again."""
    assert_read_back(module)


@pytest.mark.parametrize("width", [1, 30, 60])
@some
@given(module=modules)
def test_a_module_on_narrow_lines_is_read_back(width: int, module: Module) -> None:
    """Wherever a line is broken, the text says the same; with hardly any room all that can is broken."""
    with pytest.MonkeyPatch.context() as patch:
        for place in (format_long, format_expressions, format):
            patch.setattr(place, "LONGEST_LINE", width)
        assert_read_back(module)


def test_long_lines_are_broken_near_the_root() -> None:
    """In front of operators and in brackets; numbers are filled in, lists of lists take a line each."""
    long = ", ".join(f"number_{n}" for n in range(12))
    text = f"param x = f({long}) + [[{long}], [1]] * y\n"

    assert format_module(parse(Source("spec.circ", text), Diagnostics())) == (
        "param x = f(\n"
        "  number_0, number_1, number_2, number_3, number_4, number_5, number_6, number_7, number_8,\n"
        "  number_9, number_10, number_11\n"
        ")\n"
        "  + [\n"
        "    [\n"
        "      number_0, number_1, number_2, number_3, number_4, number_5, number_6, number_7, number_8,\n"
        "      number_9, number_10, number_11\n"
        "    ],\n"
        "    [1]\n"
        "  ]\n"
        "    * y\n"
    )


@pytest.mark.slow
@many
@given(modules)
def test_many_modules_are_read_back_from_their_texts(module: Module) -> None:
    """The same, for more modules."""
    assert_read_back(module)


def assert_read_back(module: Module) -> None:
    """Formatting and parsing come back to `module`."""
    text, diagnostics = format_module(module), Diagnostics()
    again = parse(Source("spec.circ", text), diagnostics)

    assert reported(diagnostics) == []
    assert shape(again) == shape(module)
    assert format_module(again) == text


@some
@given(expressions)
def test_an_expression_is_read_back_from_its_text(e: Expr) -> None:
    """Brackets are written where the tree needs them, whatever stands inside what."""
    text, diagnostics = format_expression(e), Diagnostics()
    again = parse_expression(Source("line", text), diagnostics)

    assert reported(diagnostics) == []
    assert shape(again) == shape(e)


@some
@given(formulas)
def test_a_formula_is_read_back_from_its_text(formula: Formula) -> None:
    """The head of a claim can be typed by itself."""
    text, diagnostics = format_formula(formula), Diagnostics()
    again = parse_formula(Source("line", text), diagnostics)

    assert reported(diagnostics) == []
    assert shape(again) == shape(formula)


def test_brackets_are_written_only_where_the_tree_needs_them() -> None:
    """Taking any pair of brackets out of canonical text changes what it says."""
    diagnostics = Diagnostics()
    for text in ("(x + y) * z", "x - (y - z)", "(p implies q) implies r", "(-x).a", "(3).0"):
        e = parse_expression(Source("line", text), diagnostics)
        bare = parse_expression(Source("line", text.replace("(", "").replace(")", "")), diagnostics)

        assert e is not None and format_expression(e) == text
        assert shape(e) != shape(bare)
    for text in (
        "((x)) * (y)",
        "(x * y) + (z)",
        "p implies (q implies r)",
        "-(x.a)",
        "not (x == y)",
    ):
        e = parse_expression(Source("line", text), diagnostics)

        assert e is not None and "(" not in format_expression(e)
