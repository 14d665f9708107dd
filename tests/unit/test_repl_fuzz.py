"""Whatever is typed into a session is answered: no fault of Circ, and nothing raised."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from circ.compiler.finding import Limits
from circ.runtime.repl.completion import completions
from circ.runtime.repl.lines import is_open, questions
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.unit.small_spec import SPEC, write_spec

LINES = (
    "s = [quote, letter, letter]",
    "x = [0.5, -1]",
    "argmax(model(s))",
    "model(s) do { hidden := 0 }",
    "trace model(s)",
    "trace side(s) do { s := [quote, quote, quote] }",
    "circuit f(x: real[2]) -> real = cases { x[0] > 0 => 1, else => x[1] }",
    "circuit f(x: real[2]) -> real[2] { let h = relu(x)\n return h }",
    "guard g(x: real[2]) = x[0] > 0.5",
    "enum E = { one, two }",
    "domain D = { x: real[2] | 0 <= x <= 1 }",
    "claim c: forall x in Square: affine(x)[0] <= 1",
    "param p = 3",
    'checkpoint k from "model.safetensors"',
    "prove few",
    "prove forall x in Square: affine(x)[0] <= 1",
    "find s in Words where side(s) == inside",
    "range affine(x)[0] over x in Square",
    "regions affine on Square",
    "count { s in Words | side(s) == inside }",
    ":example x in Square where x[0] >= 0.5",
    ":type m.votes",
    ":values",
    ":names",
    ":doc side",
    ":load spec.circ",
    ":reload",
    ":timeout 2",
)

PARTS = (
    *"()[]{}:=.,|\"'#\\\n\t\0 ",
    "do", "let", ":=", "=>", "->", "where", "over", "in", "on", "trace", "find", "prove", "range",
    "regions", "circuit", "enum", "use", "patch", "record", "space", "subspace", "network",
    "forall", "exists", ":load", ":example", "é", "𝒳", "\ud800", "9" * 30, "1e999", "old", "it",
)  # fmt: skip


def broken(random: Random) -> str:
    """A line with something cut out, put in, or taken from another."""
    text = random.choice(LINES)
    for _ in range(random.randrange(4)):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.randrange(6))
        other = random.choice(LINES)
        cut = random.randrange(len(other))
        new = random.choice(["", random.choice(PARTS), other[cut : cut + random.randrange(12)]])
        text = text[:start] + new + text[end:]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_any_line_is_answered(seed: int, tmp_path: Path) -> None:
    """Lines that are nearly right, one after the other in one session."""
    path = write_spec(tmp_path, SPEC)
    session = Session(path, Request(), checked(path, Request()), limits=Limits(timeout=2))
    random = Random(seed)
    for _ in range(60):
        text = broken(random)
        assert questions(text)
        is_open(text)
        for reply in session.ask(text):
            assert reply.kind != "bug", (text, reply.text)
        session.over = False


def test_any_beginning_is_completed(tmp_path: Path) -> None:
    """Completion looks at what is typed so far, which seldom is right."""
    path = write_spec(tmp_path, SPEC)
    session = Session(path, Request(), checked(path, Request()))
    random = Random(5)
    for _ in range(400):
        text = broken(random)
        for found in completions(session, text[: random.randrange(len(text) + 1)]):
            assert found.text
