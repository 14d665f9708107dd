"""What becomes hidden units, with how many, and what is refused by name."""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from circ.compiler.builder import Builder, codes, reindex
from circ.compiler.ir import Input, Lookup, Real, WireType
from circ.compiler.linear_forms import Linear, total
from circ.compiler.obligation import Box
from circ.compiler.patching import LayerTensor, LayerUnits
from circ.compiler.rounding import nearest
from circ.compiler.tensor import Tensor
from circ.compiler.units.affine import MOST_DIRECTIONS, directions
from circ.compiler.units.hidden import HiddenUnits, NotOneLayer
from circ.compiler.units.layer import compiled
from circ.runtime.patches.layers import astray, with_units
from tests.unit.lowered import lowered

SPEC = """
guard open(x: real[3]) = x[0] + x[1] > 0.5
circuit rule(x: real[3]) -> {type} = {rule}
claim c: forall x in {{ x: real[3] | -1 <= x <= 1 }}: rule(x) == 0
"""


def units(
    rule: str, folder: Path, margin: Fraction | None = Fraction(1, 10), type_: str = "real[3]"
) -> HiddenUnits:
    """A rule as a layer on the box from -1 to 1."""
    question = lowered(SPEC.format(rule=rule, type=type_), folder).claim("c")
    circuit = question.circuit
    shown = next(wire for name, wire in circuit.outputs.items() if name.startswith("show "))
    goal = type(circuit)(circuit.ops, circuit.types, {"goal": shown})
    return compiled(goal, {}, ((Fraction(-1), Fraction(1)),) * 3, margin)


@pytest.mark.parametrize(
    ("rule", "width"),
    [
        ("cases { open(x) => [1, 0, 0], else => 0 }", 2),
        ("cases { open(x) => [1, 2, -3] * x[0], else => 0 }", 2),
        ("cases { open(x) => [x[0], x[1], x[0] - x[1]], else => 0 }", 4),
        ("cases { not open(x) => x, else => 0 }", 6),
        ("cases { open(x) => x, else => x + 1 }", 2 + 3),
        ("[relu(x[0]), abs(x[0]), x[0]]", 2),
        ("[abs(x[0]), abs(x[0]), abs(x[0])]", 2),
        ("[clamp(x[0], -0.5, 0.5), 0, 0]", 2),
        ("[max(x[0:2]), max(x[0], x[1] - 5, x[0] - 1), 0]", 2),
        ("x", 3),
        ("[x[0], 2 * x[0], 3 - x[0]]", 1),
        ("[1, 2, 3]", 0),
        ("relu(x + 5)", 3),
        ("relu(x - 5)", 0),
    ],
)
def test_a_rule_takes_as_few_units_as_are_seen(tmp_path: Path, rule: str, width: int) -> None:
    """Two a direction behind a guard, one a bend, one a direction that is affine, none where nothing bends on the box."""
    assert units(rule, tmp_path).width == width


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("relu(x - relu([x[1], x[2], x[0]]))", "a relu or a max of what has"),
        ("x * max(x[0:1])", "a product of two values"),
        ("[max(x), 0, 0]", "a relu or a max of what has"),
        ("cases { open(x) and x[2] > 0 => x, else => 0 }", "a guard of 2 conditions"),
        ("cases { open(x) or x[2] > 0 => x, else => 0 }", "a guard of 2 conditions"),
        ("cases { open(x) => x, x[2] > 0 => 1, else => 0 }", "behind a guard"),
        ("cases { open(x) => relu(x), else => 0 }", "behind a guard"),
        ("cases { relu(x[0]) + x[1] > 0.5 => x, else => 0 }", "a guard on what has"),
        ("cases { x[0] == 0 => x, else => 0 }", "an `==` of numbers"),
        ("softmax(x)", "`softmax`"),
        ("exp(x)", "`exp`, `sqrt` or a division"),
        ("topk(2, x)", "`topk`"),
        ("hardmax(x)", "`argmax`"),
        ("cases { open(x) == (x[2] <= 5) => x, else => 0 }", "a truth or an index that a guard"),
    ],
)
def test_what_takes_more_than_a_layer_is_refused_by_name(
    tmp_path: Path, rule: str, why: str
) -> None:
    """With what stands in the way."""
    with pytest.raises(NotOneLayer, match=why):
        units(rule, tmp_path)


def test_a_jump_needs_a_band(tmp_path: Path) -> None:
    """No layer jumps; what is the same on both sides does not."""
    with pytest.raises(NotOneLayer, match="margin"):
        units("cases { open(x) => x, else => 0 }", tmp_path, None)


def test_a_condition_that_the_box_decides_is_none(tmp_path: Path) -> None:
    """One that holds everywhere leaves a conjunction to the other; a choice between known sides is made."""
    assert units("cases { open(x) and x[2] <= 1 => [1, 1, 1], else => 0 }", tmp_path).width == 2
    assert units("cases { x[2] > 1 => x, else => 0 }", tmp_path).width == 0


@pytest.mark.parametrize("count", [3, MOST_DIRECTIONS, MOST_DIRECTIONS + 4])
def test_functions_are_the_combinations_that_are_told_however_many_there_are(count: int) -> None:
    """Of so many independent ones each is its own direction, or more are; those that vanish take none."""
    one = Fraction(1)
    alone = [Linear({entry: one, entry + 1: one / 3}, one) for entry in range(count)]
    rows = [*alone, Linear({}, Fraction(0)), total([(one, alone[0]), (2 * one, alone[-1])])]
    found = directions(rows)
    for row, shares in zip(rows, found.shares, strict=True):
        assert row == total([(c, rows[found.places[r]]) for r, c in shares.items()])
    assert len(set(found.places)) == len(found.places) <= count + 1
    assert count not in found.places


def test_entries_at_known_places_are_looked_up() -> None:
    """Of a table of what depends on the input, whole runs of it too."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (6,))))
    table = reindex(b, [x], (5, 4, 3, 2, 1, 0), (3, 2))
    goal = b.add(Lookup(table, (codes(b, (2, 0, 1), 3, (3,)),)))
    found = compiled(b.circuit({"goal": goal}), {}, ((Fraction(-1), Fraction(1)),) * 6, None)
    point = tuple(Fraction(k, 7) for k in range(6))
    assert found.at(point) == tuple(point[k] for k in (1, 0, 5, 4, 3, 2))


def units_of_thirds(box: Box, *, grows: bool = True) -> LayerUnits:
    """One unit, a third of relu of a third of x, in two tensors: [units, inputs] and [outputs, units]."""
    third = (Fraction(1, 3),)
    targets = (
        LayerTensor("m", "up", "rows", 0),
        LayerTensor("m", "bias", "biases", 0),
        LayerTensor("m", "down", "columns", 1),
    )
    units = HiddenUnits((third,), (Fraction(0),), (third,), (Fraction(0),))
    return LayerUnits("units", targets, False, units, box, grows)


@pytest.mark.parametrize("box", [(-2, 1), (-1, 2), (1, 2), (-2, -1)])
def test_what_rounding_does_is_bounded_by_hand(box: tuple[int, int]) -> None:
    """With s the float beside 1/3 and |x| at most 2: s |s - 1/3| 2 for the row, 2/3 |s - 1/3| for the column."""
    form = units_of_thirds(((Fraction(box[0]), Fraction(box[1])),))
    weights = {key: Tensor((0, 1), "F32", array("d")) for key in form.keys}
    s, third = nearest(Fraction(1, 3), "F32"), Fraction(1, 3)
    off = abs(Fraction(s) - third)
    assert astray(form, weights) == Fraction(s) * off * 2 + third * 2 * off


def test_units_in_place_of_others_leave_zeros_behind_them() -> None:
    """Along the axis of the units, and along no other: here of one unit among three, with two inputs and two outputs."""
    one = units_of_thirds(((Fraction(0), Fraction(1)),), grows=False)
    pair = (Fraction(1, 3), Fraction(1, 7))
    units = replace(one.units, rows=(pair,), columns=(pair,))
    form = replace(one, units=units, box=one.box * 2)
    up, _, down = form.targets
    ones = array("d", [1] * 6)
    rows = with_units(form, up, Tensor((3, 2), "F64", ones))
    assert rows == Tensor((3, 2), "F64", array("d", [1 / 3, 1 / 7, 0, 0, 0, 0]))
    columns = with_units(form, down, Tensor((2, 3), "F64", ones))
    assert columns == Tensor((2, 3), "F64", array("d", [1 / 3, 0, 0, 1 / 7, 0, 0]))
