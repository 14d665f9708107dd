"""The language of a session: what each line asks for, and whether it goes on with the next."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from circ.lang.span import Source, Span
from circ.lang.words import ITEM_WORDS, is_name


@dataclass(frozen=True, slots=True)
class Nothing:
    """A blank line or a comment."""


@dataclass(frozen=True, slots=True)
class Evaluate:
    """An expression."""

    source: Source


@dataclass(frozen=True, slots=True)
class Bind:
    """`name = expression`: a running example."""

    name: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Prove:
    """`prove faithful`, `prove forall …`, or the formula alone."""

    word: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Find:
    """`find s in D where p`; `source` is the formula it means, `exists s in D: p`."""

    word: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Range:
    """`range e over s in D`: how small and how large a number gets."""

    word: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Regions:
    """`regions f on D`, `regions e over x in D`: the affine maps that a value is made of."""

    word: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Trace:
    """`trace f(x)`: the sites and the guards that a call goes through."""

    word: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Declaration:
    """A line that starts as an item of a spec does."""

    word: Span
    source: Source


@dataclass(frozen=True, slots=True)
class Command:
    """`:type e`: a word with its colon, and what follows it."""

    word: Span
    source: Source


Asking = Prove | Find | Range | Regions | Trace
"""What starts with a word of the session."""

Line = Nothing | Evaluate | Bind | Asking | Declaration | Command

KEYWORD = re.compile(r"(prove|find|range|regions|trace|forall|exists)(?=\s|$)(?!\s*=[^=>])")
ITEM = re.compile(rf"({'|'.join(ITEM_WORDS)})\s+[A-Za-z_\"]")
COMMAND = re.compile(r":\S*")
BARE = {"help": ":help", "exit": ":quit", "quit": ":quit"}
"""Commands that people give without a colon, on a line of their own."""

ANEW = re.compile(
    r"\s*((prove|find|range|regions|trace|let)\s+[A-Za-z_]|:[a-z]|(help|exit|quit)\s*$)"
)
"""How a line starts that cannot go on with the one before it."""

BINDING = re.compile(r"(?:let\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(?![=>])")

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|[A-Za-z_][A-Za-z0-9_]*|[:=<>!-]?=|[=-]>|\S')
OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(OPENERS.values())
UNFINISHED = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "@",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "=",
        ":=",
        "=>",
        ",",
        ":",
        "and",
        "or",
        "not",
        "implies",
        "within",
        "in",
        "over",
        "for",
        "where",
        "do",
        "match",
    ]
)
"""What an expression cannot end with."""


def read(whole: Source) -> Line:
    """What a line of a session, which may be several of text, asks for.

    A part that is parsed by itself is a source of its own, named after the line.
    """
    text = whole.text
    start = len(text) - len(text.lstrip())
    if text.strip() in BARE:
        plain = replace(whole, text=BARE[text.strip()])
        return Command(Span(plain, 0, len(plain.text)), replace(whole, text=""))
    if not tokens(text):
        return Nothing()
    command = COMMAND.match(text, start)
    if command is not None:
        word = Span(whole, command.start(), command.end())
        return Command(word, behind(whole, command.end()))
    keyword = KEYWORD.match(text, start)
    if keyword is not None:
        return asked(keyword, whole)
    item = ITEM.match(text, start)
    if item is not None:
        return Declaration(Span(whole, item.start(1), item.end(1)), whole)
    binding = BINDING.match(text, start)
    if binding is not None and is_name(binding[1]):
        name = Span(whole, binding.start(1), binding.end(1))
        return Bind(name, behind(whole, binding.end()))
    return Evaluate(behind(whole, 0))


def behind(whole: Source, end: int) -> Source:
    """What stands behind a place, without the blanks around it."""
    rest = whole.text[end:]
    start = len(whole.text) - len(rest.lstrip())
    first = whole.first + whole.text.count("\n", 0, start)
    return replace(whole, text=rest.strip(), first=first)


def asked(keyword: re.Match[str], whole: Source) -> Asking:
    """The formula that a line asks about."""
    word = Span(whole, keyword.start(), keyword.end())
    rest = behind(whole, keyword.end())
    match keyword[1]:
        case "prove":
            return Prove(word, rest)
        case "find":
            return Find(word, replace(rest, text=found_formula(rest.text)))
        case "range":
            return Range(word, rest)
        case "regions":
            return Regions(word, rest)
        case "trace":
            return Trace(word, rest)
        case _:
            return Prove(word, behind(whole, 0))


def found_formula(rest: str) -> str:
    """`exists s in D: p` for `s in D where p`, and for `s in D` a formula that any input meets."""
    depth = 0
    for token in tokens(rest):
        depth += (token[0] in OPENERS) - (token[0] in CLOSERS)
        if depth == 0 and token[0] == "where":
            return f"exists {rest[: token.start()].rstrip()}:{rest[token.end() :]}"
        if depth == 0 and token[0] == ":":
            return f"exists {rest}"
    return f"exists {rest}: 0 == 0" if rest else ""


def is_open(text: str) -> bool:
    """Whether a line goes on: a bracket is open, or its end asks for more.

    A blank line ends it, and so does a bracket that closes another than the last one opened. So does a
    line that asks anew: then that one counts.
    """
    text = questions(text)[-1]
    if "\n" in text and not text.rsplit("\n", 1)[1].strip():
        return False
    found = [token[0] for token in tokens(text)]
    if not found or (found[0] == ":" and found[1:2] != ["type"]):
        return False
    waiting: list[str] = []
    for token in found:
        if token in OPENERS:
            waiting.append(OPENERS[token])
        elif token in CLOSERS and (not waiting or waiting.pop() != token):
            return False
    return bool(waiting) or found[-1] in UNFINISHED


def questions(text: str) -> list[str]:
    """What was typed, apart where a line asks anew before those above it were finished."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        if found[-1] and ANEW.match(line):
            found.append([])
        found[-1].append(line)
    return ["\n".join(lines) for lines in found]


def tokens(text: str) -> list[re.Match[str]]:
    """Words, strings and signs; comments are left out."""
    return [token for token in TOKEN.finditer(text) if not token[0].startswith("#")]
