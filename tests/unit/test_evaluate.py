"""Evaluating an expression: exact and in PyTorch, as text and as data."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.builder import Builder, number
from circ.compiler.ir import Smooth
from circ.compiler.query import OUTPUT, Query, expression
from circ.compiler.readings.intervals import within
from circ.lang.span import Source
from circ.lang.types import Array, RealElement
from circ.runtime.evaluate import Evaluated, apart, evaluate
from circ.runtime.value_data import evaluated_data
from circ.runtime.value_lines import value_lines
from tests.unit.small_spec import SPEC, program


def evaluated(folder: Path, text: str, spec: str = SPEC) -> Evaluated:
    """Both values of an expression in the small spec."""
    p = program(folder, spec)
    return evaluate(expression(p, Source("<line 1>", text), {}), p.weights)


def shown(folder: Path, text: str, spec: str = SPEC) -> list[str]:
    """What is shown of an expression."""
    return [line.text for line in value_lines(evaluated(folder, text, spec))]


def test_a_number_is_shown_twice(tmp_path: Path) -> None:
    """Exactly, and as PyTorch computes it in the dtype of the tensors that are read."""
    assert shown(tmp_path, "affine([1, 1])[0]") == [
        "real",
        "  exact              0.75",
        "  PyTorch (float32)  0.75",
    ]


def test_a_member_is_shown_by_its_name(tmp_path: Path) -> None:
    """No dtype is named where no number is computed."""
    assert shown(tmp_path, "side([quote, letter])") == [
        "Side",
        "  exact    inside",
        "  PyTorch  inside",
    ]


def test_a_truth_is_true_or_false(tmp_path: Path) -> None:
    """And says in which dtype PyTorch found it."""
    assert shown(tmp_path, "affine([1, 1]) <= 0.75") == [
        "bool",
        "  exact              true",
        "  PyTorch (float32)  true",
    ]


def test_a_word_is_shown_whole(tmp_path: Path) -> None:
    """In brackets, however many letters it has."""
    word = ", ".join(["letter"] * 12)

    assert shown(tmp_path, f"[{word}]") == [
        "Char[12]",
        f"  exact    [{word}]",
        f"  PyTorch  [{word}]",
    ]


def test_a_vector_with_names_is_a_table(tmp_path: Path) -> None:
    """A row for each member."""
    assert shown(tmp_path, "model([letter, quote, quote])") == [
        "real[Side]",
        "           exact  PyTorch (float32)",
        "  outside  0.25   0.25",
        "  inside   2      2",
    ]


def test_a_long_vector_is_cut_off(tmp_path: Path) -> None:
    """Eight numbers, each to six digits; `…` says that something is left out."""
    assert shown(tmp_path, "[ x / 3 for x in [1, 2, 3, 4, 5, 6, 7, 8, 9] ]")[1] == (
        "  exact              "
        "[0.333333…, 0.666666…, 1, 1.33333…, 1.66666…, 2, 2.33333…, 2.66666…, …]"
    )


def test_a_matrix_is_shown_in_rows(tmp_path: Path) -> None:
    """Under the names of its rows, where they have some."""
    assert shown(tmp_path, "m.votes.score") == [
        "real[Char, Side]",
        "  exact",
        "    letter    [0.25, 0]",
        "    quote     [0, 1]",
        "    two words [0, 0]",
        "  PyTorch (float32)",
        "    letter    [0.25, 0]",
        "    quote     [0, 1]",
        "    two words [0, 0]",
    ]


def test_the_difference_is_told(tmp_path: Path) -> None:
    """0.1 is none of float32's numbers, so neither is 3 times its nearest."""
    found = evaluated(tmp_path, "[ 0.1, 3 ] + m.W[0]")
    exact = [Fraction(1, 10) + Fraction(1, 2), Fraction(13, 4)]
    most = max(abs(Fraction(x) - y) for x, y in zip(found.computed, exact, strict=True))

    assert apart(found) == float(most) > 0
    assert value_lines(found)[-1].text == f"  they differ by at most {float(most):.2g}"


def test_a_difference_in_a_choice_is_told(tmp_path: Path) -> None:
    """In float32, 1 + 2^-30 is 1, and the first of two equal scores is taken."""
    tiny = "9.313225746154785e-10"
    lines = shown(tmp_path, f"argmax([ 2 * m.W[0, 0], 2 * m.W[0, 0] + {tiny} ])")

    assert lines == [
        "fin[2]",
        "  exact              1",
        "  PyTorch (float32)  0",
        "  they differ",
    ]


def test_an_irrational_number_is_enclosed(tmp_path: Path) -> None:
    """Its digits are those that both ends of the enclosure have."""
    assert shown(tmp_path, "exp(1)") == [
        "real",
        "  exact              2.71828182845…",
        "  PyTorch (float64)  2.71828182845905",
        "  they differ by at most 1.4e-16",
    ]


def test_a_tie_leaves_a_value_open(tmp_path: Path) -> None:
    """Every choice is named, and PyTorch's is one of them."""
    found = evaluated(tmp_path, "argmax([2, 3, 3])")

    assert [line.text for line in value_lines(found)] == [
        "fin[3]",
        "  exact    1 or 2",
        "  PyTorch  1",
        "  equal scores tie, and any choice among them is right",
    ]
    assert apart(found) == 0


def test_equal_scores_are_chosen_from_alike(tmp_path: Path) -> None:
    """Whatever the choice, it is the same choice for the same scores."""
    assert shown(tmp_path, "argmax([3, 3]) == argmax([4 - 1, 3])")[1] == "  exact    true"


def test_an_undefined_value_is_said_to_be() -> None:
    """Nothing is 1 / 0, to which PyTorch gives a value all the same."""
    b = Builder()
    nowhere = b.circuit({OUTPUT: b.add(Smooth("recip", number(b, 0)))})
    found = evaluate(Query(Array(RealElement()), nowhere, (), ()), {})

    assert [line.text for line in value_lines(found)] == [
        "real",
        "  exact              undefined",
        "  PyTorch (float64)  inf",
    ]
    assert evaluated_data(found)["exact"] is None


def test_data_has_both_values(tmp_path: Path) -> None:
    """Exact rationals as text, PyTorch's numbers as numbers, nested as the shape is."""
    found = evaluated_data(evaluated(tmp_path, "[ affine([1, 1]), affine([2, 0]) ][:, 0]"))

    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "type": "real[2]",
        "exact": ["3/4", "1"],
        "torch": [0.75, 1.0],
        "dtype": "F32",
        "apart": 0.0,
        "tie": False,
        "late": False,
    }


def test_data_of_members_and_truths(tmp_path: Path) -> None:
    """Names and truths; what a tie leaves open lists what it may be."""
    assert evaluated_data(evaluated(tmp_path, "[quote, letter]"))["exact"] == ["quote", "letter"]
    assert evaluated_data(evaluated(tmp_path, "1 < 2"))["torch"] is True
    assert evaluated_data(evaluated(tmp_path, "argmax([1, 1])"))["exact"] == {"any_of": ["0", "1"]}


def test_data_of_an_enclosure_encloses(tmp_path: Path) -> None:
    """The decimals are rounded outward."""
    assert evaluated_data(evaluated(tmp_path, "exp(1)"))["exact"] == {
        "low": "2.7182818284590452353",
        "high": "2.7182818284590452354",
    }


def test_data_stays_json_where_pytorch_is_not_finite(tmp_path: Path) -> None:
    """JSON has no infinity, so it is text; how far it is from exact is not said."""
    found = evaluated_data(evaluated(tmp_path, "exp(1000)"))

    assert (found["torch"], found["apart"]) == ("inf", None)


@pytest.mark.parametrize("width", [Fraction(0), Fraction(1, 8)])
def test_the_difference_counts_the_width_of_an_enclosure(tmp_path: Path, width: Fraction) -> None:
    """What is not known exactly may be as far away as its farther end."""
    found = evaluated(tmp_path, "half")
    wide = replace(found, exact=within((), ((Fraction(1, 2), Fraction(1, 2) + width),)))

    assert apart(wide) == float(width)


DYADIC = st.integers(-64, 64).map(lambda n: Fraction(n, 8))


@given(a=DYADIC, b=DYADIC, c=DYADIC)
def test_both_values_are_those_of_arithmetic(
    tmp_path_factory: pytest.TempPathFactory, a: Fraction, b: Fraction, c: Fraction
) -> None:
    """On numbers that float64 holds, exact, PyTorch and Python's rationals agree."""
    p = program(tmp_path_factory.mktemp("spec"))
    text = f"relu({float(a)} * {float(b)} - ({float(c)}))"
    found = evaluate(expression(p, Source("<line 1>", text), {}), p.weights)
    expected = max(a * b - c, Fraction(0))

    assert evaluated_data(found)["exact"] == str(expected)
    assert [Fraction(x) for x in found.computed] == [expected]
