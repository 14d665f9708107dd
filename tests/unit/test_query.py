"""Queries: closed expressions and formulas in a program's scope, with the names of a session."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from circ.compiler.driver import Program
from circ.compiler.ir import Index, Real
from circ.compiler.obligation import Reals
from circ.compiler.query import (
    OUTPUT,
    Defined,
    Known,
    Names,
    define,
    expression,
    formula,
    renewed,
)
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Reals as RealValue
from circ.compiler.readings.reference import enclose
from circ.lang.diagnostic import CircError
from circ.lang.span import Source
from circ.lang.types import Array, EnumElement, Fixed, show
from tests.unit.small_spec import SPEC, program, write_spec


def source(text: str) -> Source:
    """A line of a session."""
    return Source("<line 1>", text)


def value(p: Program, text: str, names: Names | None = None) -> list[Fraction]:
    """The exact entries of an expression of reals."""
    asked = expression(p, source(text), names or {})
    found = enclose(asked.circuit, {}, p.weights)[OUTPUT]
    assert isinstance(found, RealValue) and found.exact
    return [low for low, _ in found.box]


def failure(p: Program, text: str, names: Names | None = None) -> list[str]:
    """The codes of the errors in an expression."""
    with pytest.raises(CircError) as caught:
        expression(p, source(text), names or {})
    return [found.code for found in caught.value.diagnostics]


def defined(p: Program, **texts: str) -> dict[str, Defined]:
    """Names defined one after the other, each in the scope of those before."""
    names: dict[str, Defined] = {}
    for name, text in texts.items():
        names[name] = define(p, source(text), names)
    return names


def test_an_expression_is_a_circuit_without_inputs(tmp_path: Path) -> None:
    """It has one output, a type, and names for its members and its axes."""
    p = program(tmp_path)
    asked = expression(p, source("model([letter, quote, quote])"), {})

    assert asked.circuit.inputs == {}
    assert list(asked.circuit.outputs) == [OUTPUT]
    assert show(asked.type) == "real[Side]"
    assert asked.circuit.types[asked.circuit.outputs[OUTPUT]].sort == Real()
    assert (asked.members, asked.axes) == ((), (("outside", "inside"),))
    assert value(p, "model([letter, quote, quote])") == [Fraction(1, 4), 2]


def test_a_choice_has_the_names_of_its_members(tmp_path: Path) -> None:
    """Whether it is a member of an enum or a position."""
    p = program(tmp_path)
    side = expression(p, source("side([quote, quote])"), {})
    place = expression(p, source("argmax([3, 1, 2])"), {})

    assert side.circuit.types[side.circuit.outputs[OUTPUT]].sort == Index(2)
    assert side.members == ("outside", "inside")
    assert (show(place.type), place.members) == ("fin[3]", ("0", "1", "2"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 +", "E0001"),
        ("wrong", "E0101"),
        ("model([letter])", "E0201"),
        ("m.votes.scor", "E0412"),
        ("m.votes", "E0107"),
        ("(letter, quote)", "E0107"),
        ("old half", "E0303"),
    ],
)
def test_what_is_wrong_is_said_by_diagnostics(tmp_path: Path, text: str, code: str) -> None:
    """Syntax, names, types, and what has no value of its own."""
    assert failure(program(tmp_path), text) == [code]


def test_the_errors_of_a_line_are_no_errors_of_the_spec(tmp_path: Path) -> None:
    """The program's own diagnostics stay as they were, and it goes on to be asked."""
    p = program(tmp_path)
    failure(p, "wrong + alsowrong")

    assert not p.diagnostics.found
    assert not p.typed.facts.diagnostics.found
    assert value(p, "half * 4") == [2]


def test_names_are_used_like_locals(tmp_path: Path) -> None:
    """An expression may read names defined earlier, and their types are checked."""
    p = program(tmp_path)
    names = defined(p, s="[quote, letter, letter]", votes="model(s)")

    assert value(p, "votes[inside] - votes[outside]", names) == [Fraction(1, 2)]
    assert failure(p, "s + 1", names) == ["E0201"]


def test_a_name_means_what_it_meant_when_it_was_defined(tmp_path: Path) -> None:
    """Defining an earlier name anew changes nothing that was defined with it."""
    p = program(tmp_path)
    names = defined(p, a="1", b="a + 1")
    names["a"] = define(p, source("a + 10"), names)

    assert value(p, "a", names) == [11]
    assert value(p, "b", names) == [2]


def test_a_binder_hides_a_name(tmp_path: Path) -> None:
    """`for c in …` binds its own `c`, whatever the session calls so."""
    p = program(tmp_path)
    names = defined(p, c="100")

    assert value(p, "sum([ c for c in [1, 2, 3] ])", names) == [6]


def test_names_that_build_on_each_other_are_lowered_once_each(tmp_path: Path) -> None:
    """Forty definitions, each reading the two before, are forty sums and not 2^40."""
    p = program(tmp_path)
    texts = {f"a{i}": f"a{i - 1} + a{i - 2}" for i in range(2, 41)}
    names = defined(p, a0="0", a1="1", **texts)

    assert value(p, "a40", names) == [102334155]


def test_a_found_value_needs_no_expression(tmp_path: Path) -> None:
    """Members and positions by their codes, reals by their rationals."""
    p = program(tmp_path)
    word = Array(EnumElement("Char", ("letter", "quote", "two words")), (Fixed(3),))
    point = expression(p, source("[1, 2]"), {}).type
    names = {"s": Known(word, (1, 0, 2)), "x": Known(point, (Fraction(1, 3), Fraction(-2)))}

    assert value(p, "3 * x", names) == [1, -6]
    asked = expression(p, source("side(s)"), names)
    assert enclose(asked.circuit, {}, p.weights)[OUTPUT] == Choices((), (frozenset({1}),))


def test_a_formula_is_an_obligation(tmp_path: Path) -> None:
    """With the names of the session, a box for its reals, and the types of its binders."""
    p = program(tmp_path)
    names = defined(p, edge="[half, half]")
    asked = formula(p, source("forall x in { x in Square | x <= edge }: affine(x) <= 2"), names)
    obligation = asked.question.at(None)
    (binder,) = obligation.binders

    assert obligation.quantifier == "forall"
    assert binder.values == Reals(((Fraction(-1), Fraction(1, 2)),) * 2)
    assert {name: show(t) for name, t in asked.types.items()} == {"x": "real[2]"}


def test_a_formula_without_a_bound_is_an_error(tmp_path: Path) -> None:
    """As it is in a spec."""
    with pytest.raises(CircError) as caught:
        formula(program(tmp_path), source("forall x in { x: real }: x <= 1"), {}).question.at(None)

    assert [found.code for found in caught.value.diagnostics] == ["E0301"]


def test_definitions_are_renewed_where_they_still_fit(tmp_path: Path) -> None:
    """In another version of the spec, an example is read again, with all that it reads."""
    p = program(tmp_path)
    names = defined(p, s="[quote, letter, letter]", votes="model(s)")
    changed = program(tmp_path, SPEC.replace("return sum(hidden)", "return 2 * sum(hidden)"))
    again = {"votes": renewed(changed, names["votes"])}

    assert value(changed, "votes", again) == [1, 2]


def test_definitions_that_do_not_fit_are_not_renewed(tmp_path: Path) -> None:
    """Neither an expression of names that are gone, nor codes of an enum that is another."""
    p = program(tmp_path)
    text = expression(p, source("[quote, letter]"), {}).type
    known = Known(text, (1, 0))
    other = program(tmp_path, SPEC.replace('"two words"', '"three"'))

    assert renewed(p, known) is known
    with pytest.raises(CircError, match="has another `Char"):
        renewed(other, known)
    with pytest.raises(CircError, match="not declared"):
        renewed(other, define(p, source('["two words"]'), {}))


def test_typing_needs_no_library_that_only_evaluation_needs(tmp_path: Path) -> None:
    """The type of an expression is known without torch and z3 being loaded."""
    script = f"""
import sys
from pathlib import Path
from circ.compiler.query import define
from circ.lang.span import Source
from circ.lang.types import show
from circ.runtime.session import Request, checked

p = checked(Path({str(write_spec(tmp_path))!r}), Request())
print(show(define(p, Source("<line 1>", "argmax(model([quote, letter, letter]))"), {{}}).type))
print(sorted({{"torch", "z3"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.stdout.split("\n")[:2] == ["Side", "[]"], done.stderr
