"""The door to z3: values come back exactly, and a search can be ended from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
from fractions import Fraction

import pytest
import z3  # type: ignore[import-untyped]

from circ.compiler.smt import terms
from circ.compiler.smt.formula import (
    FALSE,
    Assert,
    Command,
    Conjunction,
    Declare,
    Define,
    Disjunction,
    Flag,
    Formula,
    Product,
    Sign,
    combined,
    constant,
    difference,
    digits,
    negation,
    scaled,
    variable,
)
from circ.compiler.smt.terms import Answer, Satisfied, Solver, Unanswered, Unsatisfiable, natural

X, Y = variable("x"), variable("y")
REALS: list[Command] = [Declare("x", "Real"), Declare("y", "Real")]


def answered(*commands: Command, nonlinear: bool = False) -> Answer:
    """What z3 says of a script."""
    return Solver(commands, nonlinear=nonlinear).check(60.0, lambda: None)


def equals(value: Fraction | int) -> Formula:
    """x == value."""
    return Sign("==", difference(X, constant(value)))


@pytest.mark.parametrize(
    "value",
    [0, -7, Fraction(-1, 3), Fraction(2**80 + 1, 3**50), 10**5000 + 7, Fraction(-1, 7**6000)],
    ids=["zero", "negative", "third", "wide", "long", "small"],
)
def test_a_number_comes_back_as_it_went(value: Fraction | int) -> None:
    """Whatever its sign and its length, also beyond what Python turns into text by itself."""
    answer = answered(*REALS, Assert(equals(value)))

    assert isinstance(answer, Satisfied)
    assert answer.values.exact
    assert answer.values.reals["x"] == value


@pytest.mark.parametrize("length", [1, 4000, 4001, 12345])
def test_digits_are_all_there(length: int) -> None:
    """The text of 10^n - 1 is n nines, and reads back."""
    text = digits(10**length - 1)

    assert text == "9" * length
    assert natural(text) == 10**length - 1


def test_a_model_is_complete() -> None:
    """Variables that nothing is said of have values too, and defined truths have theirs."""
    script: list[Command] = [
        *REALS,
        Declare("b", "Bool"),
        Define("d", negation(equals(1))),
        Assert(equals(2)),
    ]
    answer = answered(*script)

    assert isinstance(answer, Satisfied)
    assert answer.values.reals.keys() == {"x", "y"}
    assert answer.values.flags.keys() == {"b", "d"}
    assert answer.values.flags["d"]


def test_strict_and_weak_comparisons_differ() -> None:
    """x <= 0 and x >= 0 meet, x < 0 and x >= 0 do not."""
    positive = Assert(Sign("<=", scaled(Fraction(-1), X)))

    assert isinstance(answered(*REALS, positive, Assert(Sign("<=", X))), Satisfied)
    assert answered(*REALS, positive, Assert(Sign("<", X))) == Unsatisfiable()


def test_an_irrational_value_is_flagged() -> None:
    """√2 comes back as a rational close to it, which is not taken for exact."""
    square: list[Formula] = [
        Product("y", X, X),
        Sign("==", difference(Y, constant(2))),
        Sign("<", difference(constant(0), X)),
    ]
    answer = answered(*REALS, *map(Assert, square), nonlinear=True)

    assert isinstance(answer, Satisfied)
    assert not answer.values.exact
    assert abs(answer.values.reals["x"] ** 2 - 2) < Fraction(1, 10**30)


def test_more_can_be_asserted_after_an_answer() -> None:
    """A solver answers again, of all that was asserted."""
    solver = Solver([*REALS, Assert(Sign("<", X))], nonlinear=False)

    assert isinstance(solver.check(60.0, lambda: None), Satisfied)
    solver.hold(Sign("<", combined([(Fraction(-1), X)])))
    assert solver.check(60.0, lambda: None) == Unsatisfiable()
    assert answered(Assert(FALSE)) == Unsatisfiable()


# --- giving up ------------------------------------------------------------------------------


def pigeons(holes: int) -> list[Command]:
    """More pigeons than holes, one in each: unsatisfiable, and long to find out."""
    at = [[Flag(f"p{i}.{j}") for j in range(holes)] for i in range(holes + 1)]
    declared = [Declare(flag.name, "Bool") for row in at for flag in row]
    apart = [
        Assert(Disjunction((negation(at[i][j]), negation(at[k][j]))))
        for j in range(holes)
        for i in range(holes + 1)
        for k in range(i)
    ]
    return [*declared, *apart, Assert(Conjunction(tuple(Disjunction(tuple(row)) for row in at)))]


def test_it_stops_when_time_is_out() -> None:
    """And says that time is the reason."""
    answer = Solver(pigeons(14), nonlinear=False).check(0.2, lambda: None)

    assert answer == Unanswered(terms.OUT_OF_TIME)


def test_an_answer_without_a_model_is_none() -> None:
    """z3 that says `sat` as it is stopped may have no model: then nothing was found."""
    assert isinstance(Solver(REALS, nonlinear=False).answer(z3.sat), Unanswered)


def test_it_stops_when_memory_is_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit that z3 has passed before it starts."""
    monkeypatch.setattr(terms, "MEMORY", 1)
    answer = Solver(pigeons(14), nonlinear=False).check(60.0, lambda: None)

    assert answer == Unanswered("z3 needed more than 1 MiB")


@pytest.mark.parametrize("nonlinear", [False, True])
def test_what_the_caller_raises_ends_the_search(nonlinear: bool) -> None:
    """The exception comes out, and the solver answers again afterwards."""
    solver = Solver(pigeons(14), nonlinear=nonlinear)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solver.check(60.0, stop)
    solver.hold(FALSE)
    assert solver.check(60.0, lambda: None) == Unsatisfiable()


SEARCHING = """
import signal

from circ.compiler.smt.terms import Solver
from tests.unit.test_smt_terms import pigeons

def searching():
    print("searching", flush=True)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever this run was started with
try:
    Solver(pigeons(14), nonlinear=False).check(600.0, searching)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_reaches_python() -> None:
    """A real signal while z3 searches raises `KeyboardInterrupt` in Python, and the process goes on
    and ends as it should: z3 neither swallows the signal nor dies of it."""
    with subprocess.Popen(
        [sys.executable, "-c", SEARCHING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "searching\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()

    assert errors == ""
    assert output.splitlines()[-1] == "interrupted"
    assert process.returncode == 0
