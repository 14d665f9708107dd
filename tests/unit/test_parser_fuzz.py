"""No text makes the parser raise: what is not a spec is a diagnostic."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from circ.lang.diagnostic import Diagnostics
from circ.lang.format import format_module
from circ.lang.parser import decode, parse, parse_expression, parse_formula
from circ.lang.render import as_data, render
from circ.lang.span import Source
from circ.lang.words import RESERVED
from tests.unit.test_parser import QUOTES

LEXEMES = (
    *sorted(RESERVED),
    *("x", "y2", "_", "it", "edit", "from", "expects", "require", "minimize", "0", "1.5", "1e9"),
    *('"a b"', '"', '"\\q"', "'", "#", "##", "\n", "\n\n", "\r\n", "\t", " ", "\\", "\0", "é", "≤"),
    *("(", ")", "[", "]", "{", "}", ",", ":", ":=", "=", "=>", "->", "==", "!=", "<", "<=", ">"),
    *(
        "+",
        "-",
        "*",
        "/",
        "@",
        "|",
        ".",
        "..",
        "&&",
        "||",
        "!",
        ";",
        "?",
        "{2}",
        "\ufeff",
        "\u2028",
        "😀",
    ),
)


def survives(text: str) -> None:
    """Reading gives a module or diagnostics, and both can be shown."""
    source = Source("fuzz.circ", text)
    diagnostics = Diagnostics()
    module = parse(source, diagnostics)
    parse_expression(source, diagnostics)
    parse_formula(source, diagnostics)
    for diagnostic in diagnostics:
        assert render(diagnostic).startswith("error[E00")
        assert as_data(diagnostic)["code"] == diagnostic.code
        assert diagnostic.span is None or diagnostic.span.end <= len(text)
    again = Diagnostics()
    parse(Source("again.circ", format_module(module)), again)
    assert not again.found


def noise(rng: random.Random) -> str:
    """Lexemes in no order."""
    return " ".join(rng.choices(LEXEMES, k=rng.randint(1, 25)))


def glued_noise(rng: random.Random) -> str:
    """Lexemes in no order, with nothing between them."""
    return "".join(rng.choices(LEXEMES, k=rng.randint(1, 25)))


def started_noise(rng: random.Random) -> str:
    """Noise after the start of an item."""
    starts = ("param a = ", "claim a: forall x in D: ", "enum E = { ", "domain D = { x: real | ")
    return rng.choice(starts) + noise(rng)


def edited(rng: random.Random) -> str:
    """A piece of a valid spec with a few lexemes or characters replaced, taken out or put in."""
    start = rng.randrange(len(QUOTES))
    text = QUOTES[start : start + rng.randint(50, 500)]
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(("", *LEXEMES)) + text[at + rng.randint(0, 3) :]
    return text


def shuffled(rng: random.Random) -> str:
    """The lines of a valid spec, some lost, in no order."""
    lines = QUOTES.split("\n")
    return "\n".join(rng.sample(lines, rng.randint(1, len(lines) // 3)))


def byte_noise(rng: random.Random) -> str:
    """Bytes; those that are no text are refused before parsing."""
    data = rng.randbytes(rng.randint(1, 60))
    diagnostics = Diagnostics()
    source = decode("noise", data, diagnostics)
    assert (source is None) == bool(diagnostics.found)
    return source.text if source is not None else data.decode("latin-1")


Generator = Callable[[random.Random], str]
GENERATORS: tuple[Generator, ...] = (
    noise,
    glued_noise,
    started_noise,
    edited,
    shuffled,
    byte_noise,
)


@pytest.mark.parametrize("generate", GENERATORS)
def test_no_text_makes_the_parser_raise(generate: Generator) -> None:
    """Hundreds of texts of each kind, the same ones every time."""
    rng = random.Random(20)
    for _ in range(400):
        survives(generate(rng))


@pytest.mark.slow
@pytest.mark.parametrize("generate", GENERATORS)
def test_none_of_many_texts_makes_the_parser_raise(generate: Generator) -> None:
    """The same, for thousands of texts more."""
    rng = random.Random(21)
    for _ in range(5_000):
        survives(generate(rng))


def test_the_texts_reach_most_of_what_can_be_wrong() -> None:
    """The fuzzing is not empty: it earns nearly every code that a text can earn."""
    rng = random.Random(22)
    diagnostics = Diagnostics()
    for _ in range(150):
        for generate in GENERATORS:
            parse(Source("fuzz.circ", generate(rng)), diagnostics)

    assert {d.code for d in diagnostics} >= {f"E00{n:02}" for n in (1, 2, 3, 4, 5, 6, 8, 9, 12)}
