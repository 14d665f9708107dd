"""VNN-LIB 1.0: constants `X_i` and `Y_j` declared, and linear assertions about them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn, assert_never

from circ.compiler.vnnlib.formula import (
    FALSE,
    TRUE,
    Both,
    Either,
    Formula,
    Property,
    Term,
    TooLong,
    at_most,
    equal,
    multiplied,
    negation,
    total,
)
from circ.compiler.vnnlib.text import Group, Piece, Word, number
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import not_linear, not_vnnlib
from circ.lang.span import Source, Span

VARIABLE = re.compile(r"([XY])_(\d{1,9})", re.ASCII)

IGNORED = frozenset({"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"})
"""Commands that say nothing about the network."""

TOO_LONG = "a number that it computes has too many digits"


@dataclass(slots=True)
class Reader:
    """A text being read: what is declared and asserted so far."""

    source: Source
    inputs: dict[int, Span] = field(default_factory=dict[int, Span])
    outputs: dict[int, Span] = field(default_factory=dict[int, Span])
    asserted: list[Formula] = field(default_factory=list[Formula])

    def span(self, piece: Piece) -> Span:
        """Where a piece stands."""
        return Span(self.source, piece.start, piece.end)

    def wrong(self, piece: Piece, reason: str) -> NoReturn:
        """Raise `CircError` (E0811)."""
        raise CircError(not_vnnlib(self.span(piece), reason))

    # --- commands -----------------------------------------------------------------------------

    def read(self, groups: Iterable[Group]) -> Property:
        """The whole property; raises `CircError` (E0811, E0812)."""
        for group in groups:
            self.command(group)
        whole = Span(self.source, 0, 0)
        for known, letter in ((self.inputs, "X"), (self.outputs, "Y")):
            missing = next((k for k in range(len(known)) if k not in known), None)
            if missing is not None or not known:
                reason = f"`{letter}_{missing or 0}` is not declared"
                raise CircError(not_vnnlib(whole, reason))
        count = len(self.inputs)
        return Property(
            Both(tuple(self.asserted)),
            count,
            len(self.outputs),
            tuple(self.inputs[k] for k in range(count)),
            tuple(f"X_{k}" for k in range(count)),
            whole,
        )

    def command(self, group: Group) -> None:
        """A declaration, an assertion, or what says nothing."""
        match group.head, group.items[1:]:
            case "declare-const", (Word() as name, Word(text="Real")):
                self.declare(name)
            case "declare-fun", (Word() as name, Group(items=()), Word(text="Real")):
                self.declare(name)
            case "assert", (formula,):
                self.asserted.append(self.asserts(group, formula))
            case head, _ if head in IGNORED:
                pass
            case head, _:
                what = f"`{head}` is not read, or not like this" if head else "no command"
                self.wrong(group, what)

    def declare(self, name: Word) -> None:
        """A variable."""
        found = VARIABLE.fullmatch(name.text)
        if found is None:
            self.wrong(name, "inputs are called X_0, X_1, …, outputs Y_0, Y_1, …")
        known = self.inputs if found[1] == "X" else self.outputs
        if int(found[2]) in known:
            self.wrong(name, f"`{name.text}` is declared twice")
        known[int(found[2])] = self.span(name)

    # --- formulas -----------------------------------------------------------------------------

    def asserts(self, group: Group, piece: Piece) -> Formula:
        """A truth whose numbers are of bounded length."""
        try:
            return self.formula(piece)
        except TooLong:
            self.wrong(group, TOO_LONG)

    def formula(self, piece: Piece) -> Formula:
        """A truth; raises `TooLong`."""
        match piece:
            case Word(text="true"):
                return TRUE
            case Word(text="false"):
                return FALSE
            case Word(text=text):
                return self.wrong(piece, f"`{text}` is no comparison")
            case Group(items=items):
                return self.joined(piece, piece.head, items[1:])
            case _:
                assert_never(piece)

    def joined(self, group: Group, head: str, parts: tuple[Piece, ...]) -> Formula:
        """`and`, `or`, `not`, or a comparison."""
        match head, parts:
            case "and", _:
                return Both(tuple(map(self.formula, parts)))
            case "or", _:
                return Either(tuple(map(self.formula, parts)))
            case "not", (part,):
                return negation(self.formula(part))
            case "=>", (first, then):
                return Either((negation(self.formula(first)), self.formula(then)))
            case "<=" | "<" | ">=" | ">" | "=", (left, right):
                return comparison(head, self.term(left), self.term(right))
            case _:
                return self.wrong(group, f"`{head}` is no formula, or not like this")

    # --- terms --------------------------------------------------------------------------------

    def term(self, piece: Piece) -> Term:
        """A linear term; raises `CircError` (E0811, E0812)."""
        match piece:
            case Word(text=text):
                return self.leaf(piece, text)
            case Group(items=items):
                return self.sum(piece, piece.head, [self.term(item) for item in items[1:]])
            case _:
                assert_never(piece)

    def leaf(self, word: Word, text: str) -> Term:
        """A number or a variable."""
        found = VARIABLE.fullmatch(text)
        if found is None:
            known = number(text)
            if known is None:
                self.wrong(word, f"`{text}` is neither a variable nor a number that is read")
            return Term(constant=known)
        k = int(found[2])
        if k not in (self.inputs if found[1] == "X" else self.outputs):
            self.wrong(word, f"`{text}` is not declared")
        one = {k: Fraction(1)}
        return Term(inputs=one) if found[1] == "X" else Term(outputs=one)

    def sum(self, group: Group, head: str, parts: list[Term]) -> Term:
        """`+`, `-`, `*`, or `/` by a constant."""
        match head, parts:
            case "+", [_, *_]:
                return total([(1, part) for part in parts])
            case "-", [part]:
                return total([(-1, part)])
            case "-", [first, *others]:
                return total([(1, first), *((-1, part) for part in others)])
            case "*", [_, *_]:
                return self.product(group, parts)
            case "/", [first, divisor] if divisor.fixed:
                if divisor.constant == 0:
                    self.wrong(group, "it divides by 0")
                return total([(1 / divisor.constant, first)])
            case _:
                return self.wrong(group, f"`{head}` is no term, or not like this")

    def product(self, group: Group, parts: list[Term]) -> Term:
        """Constants times at most one term with variables."""
        found = multiplied(parts)
        if found is None:
            raise CircError(not_linear(self.span(group), "a product of variables"))
        return found


def comparison(op: str, left: Term, right: Term) -> Formula:
    """A comparison of two terms; `op` is one of `<=`, `<`, `>=`, `>` and `=`."""
    match op:
        case "<=" | "<":
            return at_most(left, right, strict=op == "<")
        case ">=" | ">":
            return at_most(right, left, strict=op == ">")
        case _:
            return equal(left, right)
