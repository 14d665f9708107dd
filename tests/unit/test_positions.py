"""The order of positions: brute force over all of them, and claims about the largest of a word."""

from __future__ import annotations

from itertools import product
from operator import ge, gt, le, lt
from pathlib import Path

import pytest

from circ.compiler.builder import Builder
from circ.compiler.margin import margin
from circ.compiler.verdict import Proved, Refuted
from circ.runtime.prover import prove
from tests.unit.lowered import lowered, value

ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}


@pytest.mark.parametrize("op", ORDERS)
@pytest.mark.parametrize("n", [1, 2, 4])
def test_an_order_holds_of_the_pairs_it_should(op: str, n: int, tmp_path: Path) -> None:
    """Of two positions, and of one and each number on either side."""
    known = " and ".join(
        f"(j == {k} implies (i {op} {k}) == (i {op} j) and ({k} {op} i) == (j {op} i))"
        for k in range(n)
    )
    spec = f"""
domain Place = {{ i: fin[{n}] }}
claim order: forall i, j in Place: i {op} j
claim known: forall i, j in Place: {known}
"""
    program = lowered(spec, tmp_path)
    order, same = program.claim("order"), program.claim("known")
    for i, j in product(range(n), repeat=2):
        at = {"i": [i], "j": [j]}

        assert value(order, "goal", {}, at) == [ORDERS[op](i, j)]
        assert value(same, "goal", {}, at) == [True]


def test_max_and_min_are_those_of_the_entries(tmp_path: Path) -> None:
    """Over the leading axis, of several, and of a tensor and a scalar."""
    spec = """
domain Words = { s: fin[3, 2, 2] }
claim along: forall s in Words: max(s) == min(s)
claim mixed: forall s in Words: max(s, s[0, 0]) == min(s[0], s[1], 1)[0]
"""
    program = lowered(spec, tmp_path)
    for a, b, c, d in product(range(3), repeat=4):
        at = {"s": [a, b, c, d]}
        along, mixed = program.claim("along"), program.claim("mixed")

        assert value(along, "show max(s)", {}, at) == [max(a, c), max(b, d)]
        assert value(along, "show min(s)", {}, at) == [min(a, c), min(b, d)]
        assert value(mixed, "show max(s, s[0, 0])", {}, at) == [a, max(a, b), max(a, c), max(a, d)]
        assert value(mixed, "show min(s[0], s[1], 1)[0]", {}, at) == [min(a, c, 1)]


SPEC = """
checkpoint m from "model.safetensors"
circuit model(s: fin[4, 3]) -> real[4] = sum([ m.scores[c] for c in s ])
domain Words = { s: fin[4, 3] }
claim largest:  forall s in Words: argmax(model(s)) == max(s)
claim smallest: forall s in Words: argmax(model(s)) == min(s)
claim ordered:  exists s in { s in Words | s[0] < s[1] < s[2] }: max(s) == 2
"""


def test_a_claim_about_the_largest_of_a_word_is_decided(tmp_path: Path) -> None:
    """A model that scores each number by a power finds the largest, not the smallest."""
    scores = [[4.0**i if i == j else 0.0 for j in range(4)] for i in range(4)]
    program = lowered(SPEC, tmp_path, {"scores": scores})
    verdicts = {
        name: prove(program.claim(name), program.weights)
        for name in ("largest", "smallest", "ordered")
    }

    assert isinstance(verdicts["largest"], Proved)
    assert isinstance(verdicts["smallest"], Refuted)
    found = verdicts["ordered"]
    assert isinstance(found, Proved) and found.example is not None
    assert found.example.witness["s"] == (0, 1, 2)


def test_an_order_of_positions_has_no_margin(tmp_path: Path) -> None:
    """It is a discrete atom, like the equality of members."""
    program = lowered("claim a: forall i, j in { i: fin[3] }: i < j or i < 1", tmp_path)
    circuit = program.claim("a").circuit
    b = Builder(list(circuit.ops), list(circuit.types))

    assert margin(b, circuit.outputs["goal"]) is None
