"""Claims about words of any length agree with going through the words of each length."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.verdict import Proved, Refuted, Unknown, Vacuous, Verdict
from circ.runtime.answer import answer
from tests.unit.lowered import lowered

LONGEST = 8
"""Of the words that are gone through one by one."""

CLOSE = 1e-9
"""Margins nearer to zero than this are left to the exact tests."""

SPEC = """
enum C = {{ a, b, c }}
checkpoint m from "model.safetensors"
circuit model[n](s: C[n]) -> real[2] {{
  let x = [ m.embed[l] for l in s ]
  let query = m.Q @ x[{query}]
  let pattern = softmax([ dot(m.K @ v, query) for v in x ])
  return m.U @ (x[{query}] + pattern @ [ m.V @ v for v in x ])
}}
circuit alike[n](s: C[n]) -> real[2] = m.U @ (m.V @ mean([ m.embed[l] for l in s ]) + m.embed[s[-1]])
circuit last[n](s: C[n]) -> C = fold q = c over l in s: match (q, l) {{
  (_, a) => a
  (a, b) => b
  _      => q
}}
domain Words = {{ s: C[1..] | {domain} }}
claim x: forall s in Words{where}: {goal}
"""

DOMAINS = (
    "s[0] == s[0]",
    "s matches (a | b c)* c?",
    "count { l in s | l == a } <= 2",
    "count { l in s | l == b } == 1 and last(s) != a",
    "last(s) == b",
    "s matches (_ _)* and s[0] != b",
    "1 < count { l in s | l != c }",
)

GOALS = (
    "model(s)[0] > {c}",
    "model(s)[0] > model(s)[1] - {c}",
    "argmax(model(s)) == 0 or last(s) == a",
    "model(s)[0] > {c} and model(s)[1] > -{c}",
    "last(s) == c implies model(s)[0] <= {c}",
    "alike(s)[0] > alike(s)[1] + {c} / 8",
)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A spec, its weights, and which parts it is made of."""

    weights: dict[str, FloatArray]
    query: int
    domain: int
    goal: int
    c: float


def case(seed: int) -> Case:
    """A random head, and a claim that is often nearly true."""
    random = np.random.default_rng(seed)
    shapes = {"embed": (3, 2), "Q": (2, 2), "K": (2, 2), "V": (2, 2), "U": (2, 2)}
    weights = {k: np.round(random.normal(0, 1, shape) * 8) / 8 for k, shape in shapes.items()}
    pick = Random(seed)
    c = pick.choice([0.0, 0.25, -0.5, -1.0, 1.5, -2.0])
    return Case(weights, pick.choice([0, -1]), pick.randrange(7), pick.randrange(6), c)


def words(length: int) -> IntArray:
    """All words of a length, one a row."""
    return np.array(list(product(range(3), repeat=length)), np.int64)


def spelt(rows: IntArray) -> list[tuple[int, ...]]:
    """The words as tuples."""
    listed: list[list[int]] = rows.tolist()
    return [tuple(word) for word in listed]


def reads(case: Case, rows: IntArray) -> FloatArray:
    """What the model says of each word: [word, 2]."""
    w = case.weights
    x = w["embed"][rows]
    at = x[:, 0 if case.query == 0 else -1]
    query = at @ w["Q"].T
    scores = np.einsum("wpi,wi->wp", x @ w["K"].T, query)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    pattern = powers / powers.sum(axis=1, keepdims=True)
    read = np.einsum("wp,wpi->wi", pattern, x @ w["V"].T)
    if case.goal == 5:
        at, read = x[:, -1], x.mean(axis=1) @ w["V"].T
    found: FloatArray = (at + read) @ w["U"].T
    return found


def folded(word: tuple[int, ...]) -> int:
    """The fold of the spec."""
    state = 2
    for letter in word:
        state = 0 if letter == 0 else 1 if (state, letter) == (0, 1) else state
    return state


def in_domain(which: int, word: tuple[int, ...]) -> bool:
    """The conditions of the spec, written once more."""
    if which == 1:
        rest = list(word)
        while rest and rest[0] != 2:
            if rest[0] == 1 and rest[1:2] != [2]:
                return False
            rest = rest[1:] if rest[0] == 0 else rest[2:]
        return rest in ([], [2])
    return [
        True,
        False,
        word.count(0) <= 2,
        word.count(1) == 1 and folded(word) != 0,
        folded(word) == 1,
        len(word) % 2 == 0 and word[0] != 1,
        len(word) - word.count(2) > 1,
    ][which]


def margin(case: Case, word: tuple[int, ...], read: FloatArray) -> float:
    """How far the goal is from failing; negative where it fails."""
    c, far = case.c, 1.0
    first, second = map(float, read)
    return [
        first - c,
        first - second + c,
        far if folded(word) == 0 else first - second,
        min(first - c, second + c),
        c - first if folded(word) == 2 else far,
        first - second - c / 8,
    ][case.goal]


def by_brute_force(case: Case) -> tuple[int | None, bool, bool]:
    """The first length at which a word fails, whether some word is close, and whether there is one."""
    close, some = False, False
    for length in range(1, LONGEST + 1):
        rows = words(length)
        for word, read in zip(spelt(rows), reads(case, rows), strict=True):
            if not in_domain(case.domain, word):
                continue
            some = True
            slack = margin(case, word, read)
            close |= abs(slack) < CLOSE
            if slack < 0:
                return length, close, some
    return None, close, some


def spelled(case: Case, folder: Path) -> Program:
    """The claim as a spec."""
    c = f"({case.c})" if case.c >= 0 else f"(0 - {-case.c})"
    text = SPEC.format(
        query=case.query,
        domain=DOMAINS[case.domain],
        where="",
        goal=GOALS[case.goal].replace("{c}", c),
    )
    weights = json.loads(json.dumps({k: v.tolist() for k, v in case.weights.items()}))
    return lowered(text, folder, weights)


def decided(case: Case, folder: Path, timeout: float = 20.0) -> Verdict:
    """What Circ says."""
    program = spelled(case, folder)
    return answer(program.question("x"), program.weights, Limits(timeout=timeout))[1]


def first_failure(found: Refuted) -> int:
    """The length of the word that refutes."""
    length = len(found.failing[0]["s"])
    assert found.lengths is not None
    assert found.lengths.at == length
    return length


@pytest.mark.parametrize(
    "seed", [pytest.param(k, marks=pytest.mark.slow) if k % 3 else k for k in range(40)]
)
def test_any_length_agrees_with_each_length(seed: int, tmp_path: Path) -> None:
    """Proved, no short word fails; refuted, the first failing length is that of brute force."""
    one = case(seed)
    found = decided(one, tmp_path)
    first, close, some = by_brute_force(one)
    if close:
        pytest.skip("too close for floats to judge")
    match found:
        case Proved():
            assert first is None
            assert some
            sampled_words_hold(one)
        case Refuted():
            length = first_failure(found)
            assert first == (length if length <= LONGEST else None)
        case Vacuous():
            assert not some
        case Unknown():
            assert "with each turn of a loop some sum falls further" in found.reason
            assert first is None


def sampled_words_hold(one: Case) -> None:
    """Long words in the language, some of them of few letters over and over, do not fail."""
    random = np.random.default_rng(0)
    for length in (13, 40, 200):
        parts = [random.integers(0, 3, (60, k)) for k in (1, 2, 3, length)]
        rows = np.concatenate([np.tile(p, (1, length))[:, :length] for p in parts])
        for word, read in zip(spelt(rows), reads(one, rows), strict=True):
            if in_domain(one.domain, word):
                assert margin(one, word, read) > -CLOSE
