"""Conflicts of random requirements, held to z3 over the reals: none is said of an edit that there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.finding import Limits
from circ.compiler.patching import Norm
from circ.compiler.rounding import FORMATS
from circ.runtime.patches.excluded import Excluded
from circ.runtime.patches.make import make_patch
from circ.runtime.patches.outcomes import Conflict, Patched
from tests.agreement.solvers import z3_says
from tests.unit.lowered import lowered

SPEC = """
checkpoint m from "model.safetensors"
circuit f(s: fin[{count}, 1]) -> real = dot(m.w, m.rows[s[0]])
domain All = {{ s: fin[{count}, 1] }}
patch mend of f {{
  edit     m.w
  require  forall s in All where m.kind[s[0]] == 0: f(s) >= m.least[s[0]]
  preserve forall s in All where m.kind[s[0]] == 1: f(s) == m.least[s[0]]
  preserve forall s in All where m.kind[s[0]] == 2: f(s) > m.least[s[0]]
  minimize {norm}
}}
"""
"""`rows @ w >= least`, or equal to it, or above it, from w = 0."""

KINDS = (">=", "=", ">")

Row = tuple[tuple[float, ...], int, str]
"""Coefficients, a number, and what is asked of the two, one of `KINDS`."""

CLOSE = st.sampled_from([0.0, 0.0, 0.0, 2.0**-12, -(2.0**-20)])
"""What makes rows nearly parallel, so that an edit that does it is large."""

ENTRY = st.tuples(st.integers(-2, 2), CLOSE).map(sum)
NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")


def rows_of(size: int) -> st.SearchStrategy[list[Row]]:
    """Requirements of so many numbers, each of one of three kinds."""
    one = st.tuples(st.tuples(*[ENTRY] * size), st.integers(-2, 2), st.sampled_from(KINDS))
    return st.lists(one, min_size=2, max_size=5)


def number(x: Fraction | float) -> str:
    """A number in SMT-LIB."""
    value = Fraction(x)
    text = f"(/ {abs(value.numerator)}.0 {value.denominator}.0)"
    return f"(- {text})" if value < 0 else text


def script(rows: Sequence[Row], excluded: Excluded) -> str:
    """Whether some edit of those that are said to do nothing does what is asked."""
    names = [f"w{k}" for k in range(len(rows[0][0]))]
    return "\n".join(
        ["(set-logic QF_NRA)", *(f"(declare-const {name} Real)" for name in names)]
        + [f"(assert {truth})" for row in rows for truth in asked(row, names)]
        + [f"(assert {truth})" for truth in within(names, excluded)]
        + ["(check-sat)"]
    )


def asked(row: Row, names: Sequence[str]) -> Iterator[str]:
    """One requirement at one input."""
    terms = (f"(* {number(a)} {name})" for a, name in zip(row[0], names, strict=True))
    yield f"({row[2]} (+ {' '.join(terms)} 0.0) {number(row[1])})"


def within(names: Sequence[str], excluded: Excluded) -> Iterator[str]:
    """That an edit is one of those that are excluded."""
    largest = Fraction(FORMATS["F32"].largest if excluded.changes == "held" else excluded.least)
    sizes = [f"(ite (>= {name} 0.0) {name} (- {name}))" for name in names]
    if excluded.changes == "all":
        return
    if excluded.changes == "held" or excluded.norm == "linf":
        yield from (f"(<= {size} {number(largest)})" for size in sizes)
    elif excluded.norm == "l1":
        yield f"(< (+ {' '.join(sizes)} 0.0) {number(largest)})"
    else:
        squares = (f"(* {name} {name})" for name in names)
        yield f"(< (+ {' '.join(squares)} 0.0) {number(largest * largest)})"


PROBLEMS = st.integers(1, 3).flatmap(rows_of)


@given(rows=PROBLEMS, norm=st.sampled_from(NORMS))
@settings(max_examples=12, deadline=None)
def test_no_conflict_is_said_of_an_edit_that_there_is(
    rows: list[Row], norm: Norm, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is excluded is what z3 finds no edit among; and of what it finds one for, a conflict says no more than how large it is."""
    agrees(rows, norm, tmp_path_factory.mktemp("problem"))


@pytest.mark.slow
@given(rows=PROBLEMS, norm=st.sampled_from(NORMS))
@settings(max_examples=500, deadline=None)
def test_nor_is_it_of_many_more(
    rows: list[Row], norm: Norm, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same."""
    agrees(rows, norm, tmp_path_factory.mktemp("problem"))


def agrees(rows: list[Row], norm: Norm, folder: Path) -> None:
    """Nothing that is said of one problem is contradicted."""
    weights = {
        "w": [0.0] * len(rows[0][0]),
        "rows": [row for row, _, _ in rows],
        "least": [float(least) for _, least, _ in rows],
        "kind": [float(KINDS.index(kind)) for _, _, kind in rows],
    }
    program = lowered(SPEC.format(count=len(rows), norm=norm), folder, weights)
    found = make_patch(program.patch("mend"), program.weights, Limits(timeout=30))
    if isinstance(found, Conflict):
        assert z3_says(script(rows, found.excluded)) == "unsat"
    elif isinstance(found, Patched):
        assert z3_says(script(rows, Excluded("all", norm))) == "sat"
