"""A claim's circuit means what its text says: lowering agrees with an interpreter of the text."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

import pytest

from circ.compiler.driver import Program, check
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.reference import Value as Enclosed
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.stored import Files
from circ.lang.render import render
from circ.lang.span import Source
from circ.lang.syntax import Compare, Expr
from tests.agreement.expressions import QUANTIFIER, SPEC, WEIGHTS, expression
from tests.interpreter import Frame, Scope, Tie, evaluate
from tests.mdtest import write_checkpoint
from tests.nested import Value, entries

KINDS = "RVYMCSIQB"
SEEDS = 200
POINTS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the checkpoint."""
    path = tmp_path_factory.mktemp("meaning")
    write_checkpoint(path / "model.safetensors", json.dumps(WEIGHTS))
    return path


def exact(value: object) -> Value:
    """Nested lists of floats as nested tuples of rationals."""
    if isinstance(value, list):
        return tuple(map(exact, cast("list[object]", value)))
    return Fraction(str(value))


def claimed(text: str, kind: str, folder: Path) -> Program:
    """A spec with one claim more, which is about an expression: itself, or that it is itself."""
    goal = text if kind == "B" else f"({text}) == ({text})"
    source = Source("random.circ", f"{SPEC}\nclaim asked: {QUANTIFIER}: {goal}\n")
    program = check(source, Files(folder), {})
    assert not program.diagnostics.failed, "\n".join(map(render, program.diagnostics))
    return program


def inputs(rng: random.Random) -> dict[str, Value]:
    """A value for each variable; the reals are seldom equal."""
    reals = [Fraction(rng.randint(-400, 400), 100 + k) for k in range(6)]
    codes = [rng.randrange(3) for _ in range(5)]
    named = {"x": tuple(reals[:3]), "y": tuple(reals[3:]), "s": tuple(codes[:3])}
    return {**named, "c": codes[3], "i": codes[4], "q": rng.randrange(2)}


def known(found: Enclosed) -> list[Fraction | int]:
    """The entries of an exact value, row by row."""
    if isinstance(found, Choices):
        assert all(len(options) == 1 for options in found.sets)
        return [next(iter(options)) for options in found.sets]
    assert found.exact
    return [low for low, _ in found.box]


def compare(program: Program, asked: Expr, output: str, at: Mapping[str, Value]) -> bool:
    """Whether an output has the value that an expression has; true where a tie leaves it open."""
    tensors = {f"m.{name}": exact(value) for name, value in WEIGHTS.items()}
    frame = Frame(Scope.of(program.typed.module, tensors), at, tensors)
    circuit = program.claim("asked").circuit
    point = at_point(circuit, {name: list(entries(value)) for name, value in at.items()})
    try:
        expected = list(entries(evaluate(asked, frame)))
    except Tie:
        return True
    found = enclose(circuit, point, program.weights, outputs=[output])[output]
    return known(found) == expected


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_circuit_computes_what_the_text_says(seed: int, folder: Path) -> None:
    """A random well-typed expression is accepted, and has the value that the interpreter finds.

    Ties are left out: the language does not say how they are broken.
    """
    rng = random.Random(seed)
    kind = rng.choice(KINDS)
    text = expression(rng, kind, depth=rng.choice((1, 2, 3)))
    program = claimed(text, kind, folder)
    body = program.typed.scope.claims["asked"].formula.body
    asked = body.operands[0] if kind != "B" and isinstance(body, Compare) else body
    shown = [name for name in program.claim("asked").circuit.outputs if name.startswith("show ")]
    for output in ["goal"] if kind == "B" else shown:
        for _ in range(POINTS):
            assert compare(program, asked, output, inputs(rng)), text
