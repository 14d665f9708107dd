"""Scripts as SMT-LIB 2 text, and an obligation as one file that any SMT solver answers.

Barrett, Fontaine and Tinelli, The SMT-LIB Standard: Version 2.6. Only Core and Reals are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import assert_never

from circ.compiler.obligation import Obligation
from circ.compiler.smt.encode import encode
from circ.compiler.smt.encoding import Encoding
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
    negation,
)
from circ.compiler.tensor import Weights

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._")


def to_smt2(obligation: Obligation, weights: Weights) -> str:
    """An obligation as a script; raises `Unsupported` where it needs a transcendental function.

    The answer `unsat` says that no input meets the conditions and misses the goal; for `exists`,
    that none meets both.
    """
    names = [*obligation.conditions, "goal"]
    encoding = encode(obligation.circuit, obligation.binders, weights, names)
    lines = [
        *heading(obligation),
        f"(set-logic {'QF_NRA' if encoding.multiplied else 'QF_LRA'})",
        "",
        *(command_text(command) for command in encoding.commands),
        *question(obligation, encoding),
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def heading(obligation: Obligation) -> Iterator[str]:
    """What is asked, in words."""
    span = obligation.span
    yield comment(f"{obligation.name} ({span.place})")
    yield from map(comment, span.text.splitlines())
    match obligation.quantifier:
        case "forall":
            yield "; unsat: proved, if some input meets the conditions at all"
            yield "; sat: refuted, and the model is a counterexample"
        case "exists":
            yield "; sat: proved, and the model is a witness"
            yield "; unsat: refuted, if some input meets the conditions at all"


def question(obligation: Obligation, encoding: Encoding) -> Iterator[str]:
    """The assertions that make the answer one about the claim."""
    for formula in encoding.agreements():
        yield command_text(Assert(formula, "equal scores, equal choice"))
    for name in obligation.conditions:
        yield command_text(Assert(encoding.truth(name), f"condition: {name}"))
    goal = encoding.truth("goal")
    match obligation.quantifier:
        case "forall":
            yield command_text(Assert(negation(goal), "not the goal"))
        case "exists":
            yield command_text(Assert(goal, "the goal"))


# --- commands -------------------------------------------------------------------------------


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
        case Sign(op=op, term=term):
            left = linear_text(Affine(term.terms, Fraction(0)))
            return f"({'=' if op == '==' else op} {left} {number_text(-term.constant)})"
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


def linear_text(term: Affine) -> str:
    """An affine term."""
    parts = [
        symbol(name) if c == 1 else f"(* {number_text(c)} {symbol(name)})" for name, c in term.terms
    ]
    if term.constant or not parts:
        parts.append(number_text(term.constant))
    return parts[0] if len(parts) == 1 else applied("+", parts)


def applied(function: str, arguments: Iterable[str]) -> str:
    """A function of two or more arguments."""
    return f"({function} {' '.join(arguments)})"


def number_text(value: Fraction) -> str:
    """A rational, as quotient of decimals: SMT-LIB has neither negative nor fractional numerals."""
    over, under = digits(abs(value.numerator)), digits(value.denominator)
    size = f"{over}.0" if under == "1" else f"(/ {over}.0 {under}.0)"
    return f"(- {size})" if value < 0 else size
