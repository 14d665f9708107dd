"""Claims for each of several values, held to going through everything by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from circ.compiler.finding import Limits
from circ.compiler.verdict import Outcome, outcome
from circ.runtime.cache.recall import Answered
from circ.runtime.claims import Claims
from tests.agreement.test_meaning import exact
from tests.interpreter import Frame, Scope, evaluate
from tests.unit.lowered import lowered

OUTER, INNER = 3, 3
"""Values of the two variables."""

SPECS = 60

Quantifier = Literal["forall", "exists"]
QUANTIFIERS: Sequence[Quantifier] = ("forall", "exists")
Table = Sequence[Sequence[bool]]

WORST: dict[Quantifier, Sequence[Outcome]] = {
    "forall": ("refuted", "unknown", "vacuous", "proved"),
    "exists": ("proved", "unknown", "vacuous", "refuted"),
}


def drawn(random: Random, likely: float) -> Table:
    """A truth about both variables."""
    return [[random.random() < likely for _ in range(INNER)] for _ in range(OUTER)]


def holds(table: Table) -> str:
    """The same as a spec says it, by a table of numbers."""
    rows = [f"[{', '.join('1' if held else '-1' for held in row)}]" for row in table]
    return f"[{', '.join(rows)}][i][j] > 0"


def at_value(inner: Quantifier, where: Sequence[bool], goal: Sequence[bool]) -> Outcome:
    """The verdict at one value of the outer variable."""
    met = [holds for counts, holds in zip(where, goal, strict=True) if counts]
    if not met:
        return "vacuous"
    return "proved" if (all if inner == "forall" else any)(met) else "refuted"


@pytest.mark.parametrize("seed", range(2))
def test_each_value_has_its_verdict_and_the_worst_counts(seed: int, tmp_path: Path) -> None:
    """For both quantifiers, inside and outside, with values that are left out."""
    random, seen = Random(seed), set[tuple[str, str]]()
    for _ in range(SPECS):
        outer, inner = random.choice(QUANTIFIERS), random.choice(QUANTIFIERS)
        where, goal = drawn(random, 0.6), drawn(random, 0.5)
        gone = [random.random() < 0.8 for _ in range(OUTER)]
        kept = f"[{', '.join('1' if x else '-1' for x in gone)}][i] > 0"
        text = (
            f"claim c: {outer} i in {{ i: fin[{OUTER}] | {kept} }}: "
            f"{inner} j in fin[{INNER}] where {holds(where)}: {holds(goal)}"
        )
        program = lowered(text, tmp_path)
        found = Claims(program, Limits()).answer("c")
        wanted = [at_value(inner, where[i], goal[i]) for i in range(OUTER) if gone[i]]
        assert [one.value["i"][0] for one in found.values] == [i for i in range(OUTER) if gone[i]]
        assert [one.outcome for one in found.values] == wanted, text
        assert all(isinstance(one.found, Answered) for one in found.values)
        worst = next((word for word in WORST[outer] if word in wanted), "vacuous")
        assert outcome(found.verdict) == worst, text
        seen.add((outer, worst))
    assert {word for _, word in seen} == {"proved", "refuted", "vacuous"}
    assert len(seen) >= 5


# --- edits at a variable's place --------------------------------------------------------------

WEIGHTS = {"W": [[1.0, -2.0, 0.0], [2.0, 1.0, -1.0], [-1.0, 1.0, 3.0]]}

NET = """
enum Bit = { zero, one }
enum Place = { p, q, r }
checkpoint m from "model.safetensors"
circuit next(c: Place) -> Place = match c { p => q, q => r, r => p }
circuit head(x: real[3], k: real) -> real[3] {
  let scaled = k * x
  return relu(scaled - 1)
}
circuit net(s: Bit[3]) -> real[3] {
  let x = [ cases { b == one => 1, else => -2 } for b in s ]
  let hidden = relu(m.W @ x)
  let heads = [ head(hidden, k) for k in [1, -1, 2] ]
  let end = fold state = hidden over k in [1, 2, 1]: k * state + heads[0]
  return sum(heads) + end
}
"""

HEAD = "i in fin[3], j in fin[2], c in Place"

PLACES = ("i", "j + 1", "2 - i", "c", "min(i, 1)", "next(c)", "1")
"""On an axis of three entries."""

SITES = (
    *("x[<P>]", "hidden[<P>]", "heads[<P>]", "heads[<P>, <P>]", "heads.scaled[:, <P>]"),
    *("heads.scaled[<P>, <P>]", "end.state[<P>]", "m.W[<P>]", "m.W[:, <P>]", "hidden[j:j + 2]"),
)

VALUES = ("0", "it + 1", "-it", "2 * it - 1", "net(s).hidden[<P>]")

EDITED = 24


def filled(random: Random, text: str) -> str:
    """A text with places where it has holes."""
    while "<P>" in text:
        text = text.replace("<P>", random.choice(PLACES), 1)
    return text


def edited(random: Random) -> str:
    """A call with one intervention, or with one after another."""
    call = "net(s)"
    for _ in range(random.choice((1, 1, 2))):
        edit = f"{random.choice(SITES)} := {random.choice(VALUES)}"
        call = f"{call} do {{ {filled(random, edit)} }}"
    return call


def goal(random: Random) -> str:
    """A comparison of an intervention with the call alone, or with another."""
    other = random.choice(("net(s)", f"({edited(random)})"))
    sides = (edited(random), random.choice((">", "<=", "==", "!=")), other)
    if random.random() < 0.5:
        return filled(random, f"({sides[0]})[<P>] {sides[1]} {sides[2]}[<P>]")
    return f"all({' '.join(sides)})"


@pytest.mark.parametrize(
    ("seed", "edits"), [(0, 4), (1, 4), pytest.param(2, EDITED, marks=pytest.mark.slow)]
)
def test_an_edit_is_made_at_the_place_of_its_value(seed: int, edits: int, tmp_path: Path) -> None:
    """At every value, the claim says what an interpreter of its text finds on all inputs."""
    random, seen = Random(seed), set[Outcome]()
    tensors = {f"m.{name}": exact(rows) for name, rows in WEIGHTS.items()}
    for _ in range(edits):
        inner = random.choice(QUANTIFIERS)
        text = f"{NET}\nclaim c: forall {HEAD}: {inner} s in Bit[3]: {goal(random)}\n"
        program = lowered(text, tmp_path, WEIGHTS)
        body = program.typed.scope.claims["c"].formula.body
        scope = Scope.of(program.typed.module, tensors)
        for one in Claims(program, Limits()).answer("c").values:
            named = {name: one.value[name][0] for name in ("i", "j", "c")}
            words = product(range(2), repeat=3)
            held = [bool(evaluate(body, Frame(scope, {**named, "s": s}, tensors))) for s in words]
            assert one.outcome == at_value(inner, [True] * len(held), held), text
            seen.add(one.outcome)
    assert seen == {"proved", "refuted"}
