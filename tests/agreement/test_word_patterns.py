"""Word patterns agree with Python's regular expressions, on every word of a few letters."""

from __future__ import annotations

import random
import re
from itertools import product
from pathlib import Path

import pytest

from circ.compiler.driver import check
from circ.compiler.stored import Files
from circ.lang.check.automata import TooLarge, automaton
from circ.lang.diagnostic import Diagnostics
from circ.lang.parser import parse_expression
from circ.lang.render import render
from circ.lang.span import Source
from circ.lang.syntax import LetterPattern, Matches, MemberPattern, WordPattern
from tests.ends import ends
from tests.unit.lowered import value

LETTERS = "abc"
REPEATS = ("*", "+", "?", "{0}", "{2}", "{1,2}", "{2,}", "{0,3}", "{3,5}")


def drawn(rng: random.Random, depth: int) -> str:
    """A random pattern."""
    kind = rng.random() if depth else 0.0
    if kind < 0.3:
        return str(rng.choice((*LETTERS, "_", "()")))
    if kind < 0.55:
        return " ".join(drawn(rng, depth - 1) for _ in range(rng.randint(2, 3)))
    if kind < 0.75:
        return f"({' | '.join(drawn(rng, depth - 1) for _ in range(rng.randint(2, 3)))})"
    return f"({drawn(rng, depth - 1)}){rng.choice(REPEATS)}"


def expression(pattern: str) -> re.Pattern[str]:
    """The same for Python."""
    return re.compile(pattern.replace(" ", "").replace("()", "(?:)").replace("_", "."))


def parsed(pattern: str) -> WordPattern:
    """The syntax tree of a pattern."""
    e = parse_expression(Source("line", f"s matches {pattern}"), Diagnostics())
    assert isinstance(e, Matches)
    return e.pattern


def code(letter: LetterPattern) -> int | None:
    """The code of a letter."""
    return LETTERS.index(letter.member) if isinstance(letter, MemberPattern) else None


def fits(letter: LetterPattern, given: int) -> bool:
    """Whether a letter is that of a code."""
    return code(letter) in (None, given)


def accepted(pattern: WordPattern, word: tuple[int, ...]) -> bool:
    """Whether the automaton for words of this length ends well."""
    machine = automaton(pattern, code, len(LETTERS), len(word))
    state = 0
    for table, letter in zip(machine.tables, word, strict=True):
        state = table[state][machine.kinds[letter]]
    return state == 1 if word else machine.fits_empty


@pytest.mark.parametrize("seed", range(60))
def test_an_automaton_accepts_what_python_matches(seed: int) -> None:
    """So does the interpreter of patterns that other tests trust."""
    rng = random.Random(seed)
    text = drawn(rng, 3)
    pattern, theirs = parsed(text), expression(text)
    for length in range(5):
        for word in product(range(3), repeat=length):
            expected = theirs.fullmatch("".join(LETTERS[c] for c in word)) is not None

            assert accepted(pattern, word) == expected, (text, word)
            assert (length in ends(pattern, word, 0, fits)) == expected, (text, word)


@pytest.mark.parametrize("seed", range(20))
def test_a_circuit_computes_what_python_matches(seed: int, tmp_path: Path) -> None:
    """Lookups that are left out, or of states alone, change nothing."""
    rng = random.Random(1000 + seed)
    text, length = drawn(rng, 3), rng.randint(1, 4)
    spec = (
        f"enum Char = {{ a, b, c }}\nclaim x: forall s in {{ s: Char[{length}] }}: s matches {text}"
    )
    program = check(Source("spec.circ", spec), Files(tmp_path), {})
    assert not program.diagnostics.failed, "\n".join(map(render, program.diagnostics))
    obligation, theirs = program.claim("x"), expression(text)
    for word in product(range(3), repeat=length):
        expected = theirs.fullmatch("".join(LETTERS[c] for c in word)) is not None

        assert value(obligation, "goal", {}, {"s": list(word)}) == [expected], (text, word)


@pytest.mark.parametrize("seed", range(60))
def test_no_two_states_of_one_position_mean_the_same(seed: int) -> None:
    """From the states before any letter, different sets of ends of words are accepted."""
    text = drawn(random.Random(seed), 3)
    machine = automaton(parsed(text), code, len(LETTERS), 4)
    meanings: dict[int, frozenset[tuple[int, ...]]] = {0: frozenset(), 1: frozenset([()])}
    for table in reversed(machine.tables):
        before = {
            state: frozenset(
                (letter, *rest)
                for letter, kind in enumerate(machine.kinds)
                for rest in meanings[row[kind]]
            )
            for state, row in enumerate(table)
        }

        assert len(set(before.values())) == len(before)
        meanings = before


@pytest.mark.parametrize(
    "text",
    [
        "_* a _{15} _*",
        "((a{1,30}){1,30}){1,30}",
        "(((a?){100}){100}){100}",
        "((_* a){50}){50} _*",
        "(_* a _{30}){30}",
        "(((() | ()){9999} | a){9999} ()){9999}",
        "a{99999999999}" + " ()" * 1000 + " _*",
        f"({' '.join(['()'] * 2000)} a){{9999}}",
    ],
)
def test_a_hostile_pattern_is_refused_or_done(text: str) -> None:
    """Work is counted, so that no pattern takes more than its share."""
    pattern = parsed(text)
    for length in (64, 10_000):
        try:
            machine = automaton(pattern, code, len(LETTERS), length)
        except TooLarge:
            continue
        assert len(machine.tables) == length
