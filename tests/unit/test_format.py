"""Canonical text: it says what the tree says, and there is one for every tree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from circ.lang import format, format_columns, format_expressions, format_long
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
        for place in (format_long, format_columns, format_expressions, format):
            patch.setattr(place, "LONGEST_LINE", width)
        assert_read_back(module)


def test_long_lines_are_broken_near_the_root() -> None:
    """In front of operators and in brackets; lists are filled into lines about equally long, lists of lists take a line each."""
    long = ", ".join(f"number_{n}" for n in range(12))
    text = f"param x = f({long}) + [[{long}], [1]] * y\n"

    assert format_module(parse(Source("spec.circ", text), Diagnostics())) == (
        "param x = f(\n"
        "  number_0, number_1, number_2, number_3, number_4, number_5,\n"
        "  number_6, number_7, number_8, number_9, number_10, number_11\n"
        ")\n"
        "  + [\n"
        "    [\n"
        "      number_0, number_1, number_2, number_3, number_4, number_5,\n"
        "      number_6, number_7, number_8, number_9, number_10, number_11\n"
        "    ],\n"
        "    [1]\n"
        "  ]\n"
        "    * y\n"
    )


def test_a_comprehension_is_broken_in_front_of_its_for() -> None:
    """What is computed and what it goes over have lines of their own, by themselves in a call too."""
    name = "a_rather_long_name_of_a_circuit"
    text = (
        f"param x = mean([ {name}(s) + {name}(s) for s in [[{name}, b], [c, d]] ]) + 1 <= 2 and p\n"
    )

    assert format_module(parse(Source("spec.circ", text), Diagnostics())) == (
        "param x = mean([\n"
        f"      {name}(s) + {name}(s)\n"
        f"      for s in [[{name}, b], [c, d]]\n"
        "    ])\n"
        "      + 1\n"
        "    <= 2\n"
        "  and p\n"
    )


def canonical(text: str) -> str:
    """A text without comments in its canonical form."""
    return format_module(parse(Source("spec.circ", text), Diagnostics()))


def test_short_items_stand_in_columns() -> None:
    """Values of neighbours of one kind stand beneath each other, whatever blanks the source has."""
    text = (
        "enum A = { x }\nenum Long   = { y }\nclaim a: f == 1\nclaim abc expects refuted: f == 2\n"
    )

    assert canonical(text.replace("expects refuted", "")) == (
        "enum A    = { x }\nenum Long = { y }\n\nclaim a:   f == 1\nclaim abc: f == 2\n"
    )
    assert canonical("param a = 1\nparam bcd: real = 2\n") == (
        "param a         = 1\nparam bcd: real = 2\n"
    )
    assert canonical('domain D = E\ndomain Data: A from "f.json"\n') == (
        'domain D = E\ndomain Data: A from "f.json"\n'
    )
    assert canonical(text).endswith("claim a: f == 1\nclaim abc expects refuted: f == 2\n")


def test_columns_end_where_lines_would_get_too_long() -> None:
    """Neighbours keep one blank each where a column would be wide, or push a line beyond its end."""
    long = " + ".join(["number"] * 8)
    fits = f"param a   = {long} + numb\nparam abc = 1\n"
    full = f"param a = {long} + numbers + numbers\nparam abc = 1\n"
    wide = f"param a = 1\nparam {'b' * 35} = 1\n"

    assert canonical(fits) == fits
    assert max(map(len, full.split("\n"))) == format_expressions.LONGEST_LINE - 1
    assert canonical(full) == full
    assert canonical(wide) == wide


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
    for text in ("((x)) * (y)", "(x * y) + (z)", "p implies (q implies r)", "-(x.a)", "not (p)"):
        e = parse_expression(Source("line", text), diagnostics)

        assert e is not None and "(" not in format_expression(e)


@pytest.mark.parametrize("text", ["not (x <= y)", "not (c in [a])", "(x do { a := 0 })[2]"])
def test_brackets_are_written_where_readers_would_go_wrong(text: str) -> None:
    """`not` takes all of a comparison, and an index all of a `do`: both have brackets all the same."""
    diagnostics = Diagnostics()
    bare = text.replace("(", "").replace(")", "")
    for written in (text, bare):
        e = parse_expression(Source("line", written), diagnostics)

        assert e is not None and format_expression(e) == text
