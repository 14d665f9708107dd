"""Scripts as SMT-LIB 2 text.

Barrett, Fontaine and Tinelli, The SMT-LIB Standard: Version 2.6. Only Core and Reals are used.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import assert_never

from circ.compiler.smt.formula import (
    Affine,
    Assert,
    Command,
    Conjunction,
    Declare,
    Define,
    Disjunction,
    Flag,
    Formula,
    Negation,
    Product,
    Sign,
    Truth,
    digits,
    scaled,
)

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._")
"""Names made of these need no quotes."""


def command_text(command: Command) -> str:
    """One line."""
    match command:
        case Declare(name=name, sort=sort):
            text = f"(declare-const {symbol(name)} {sort})"
        case Define(name=name, formula=formula):
            text = f"(define-fun {symbol(name)} () Bool {formula_text(formula)})"
        case Assert(formula=formula):
            text = f"(assert {formula_text(formula)})"
        case _:
            assert_never(command)
    return f"{text} {comment(command.note)}" if command.note else text


def comment(text: str) -> str:
    """A comment, on one line whatever the text holds."""
    return f"; {' '.join(text.split())}"


def symbol(name: str) -> str:
    """A name, quoted where it must be."""
    return name if PLAIN.issuperset(name) else f"|{name}|"


def formula_text(formula: Formula) -> str:
    """A formula."""
    match formula:
        case Truth(value=value):
            return "true" if value else "false"
        case Flag(name=name):
            return symbol(name)
        case Sign():
            return sign_text(formula)
        case Product(result=result, left=left, right=right):
            return f"(= {symbol(result)} (* {linear_text(left)} {linear_text(right)}))"
        case Negation(of=inner):
            return f"(not {formula_text(inner)})"
        case Conjunction(of=parts):
            return applied("and", map(formula_text, parts))
        case Disjunction(of=parts):
            return applied("or", map(formula_text, parts))
        case _:
            assert_never(formula)


def sign_text(sign: Sign) -> str:
    """A comparison: variables on the left, the first of them positive, the constant on the right."""
    op: str = "=" if sign.op == "==" else sign.op
    term = sign.term
    if term.terms and term.terms[0][1] < 0:
        op, term = op.replace("<", ">"), scaled(Fraction(-1), term)
    left = linear_text(Affine(term.terms, Fraction(0)))
    return f"({op} {left} {number_text(-term.constant)})"


def linear_text(term: Affine) -> str:
    """An affine term."""
    parts = [monomial_text(c, symbol(name)) for name, c in term.terms]
    if term.constant or not parts:
        parts.append(number_text(term.constant))
    return parts[0] if len(parts) == 1 else applied("+", parts)


def monomial_text(factor: Fraction, name: str) -> str:
    """factor · variable."""
    if abs(factor) == 1:
        return name if factor > 0 else f"(- {name})"
    return f"(* {number_text(factor)} {name})"


def applied(function: str, arguments: Iterable[str]) -> str:
    """A function of two or more arguments."""
    return f"({function} {' '.join(arguments)})"


def number_text(value: Fraction) -> str:
    """A rational, as quotient of decimals: SMT-LIB has neither negative nor fractional numerals."""
    over, under = digits(abs(value.numerator)), digits(value.denominator)
    size = f"{over}.0" if under == "1" else f"(/ {over}.0 {under}.0)"
    return f"(- {size})" if value < 0 else size
