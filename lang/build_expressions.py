"""From the tree of the grammar to the expressions and patterns of `circ.lang.syntax`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from circ.lang.diagnostic import CircError
from circ.lang.errors.syntax import else_not_last, half_a_character, number_too_long
from circ.lang.grammar import Part, Token, Tree
from circ.lang.span import Source, Span
from circ.lang.syntax import (
    Arm,
    Attr,
    Binary,
    BinaryOp,
    Call,
    Case,
    Cases,
    Compare,
    CompareOp,
    Comprehension,
    Count,
    Do,
    Edit,
    Expr,
    Fold,
    Index,
    ListExpr,
    Match,
    Member,
    MemberPattern,
    Name,
    Number,
    NumberPattern,
    OrPattern,
    Pattern,
    Ref,
    Slice,
    TupleExpr,
    TuplePattern,
    Unary,
    UnaryOp,
    Wildcard,
)

LONGEST_NUMBER = 400
"""Digits of a decimal, written out without an exponent; far past any float's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the text that was parsed starts in its source."""

    source: Source
    offset: int

    def span(self, part: Tree | Token) -> Span:
        """The characters of `part`, brackets around it left out."""
        at = part if isinstance(part, Token) else part.meta
        start, end = cast(int, at.start_pos), cast(int, at.end_pos)
        return Span(self.source, self.offset + start, self.offset + end)


def token(part: Part) -> Token:
    """`part`, where the grammar has a token."""
    assert isinstance(part, Token)
    return part


def tree(part: Part) -> Tree:
    """`part`, where the grammar has a rule that leaves a tree."""
    assert part is not None and not isinstance(part, Token)
    return part


# --- names and numbers -------------------------------------------------------------------------


def name(part: Part, at: Place) -> Name:
    """A bare name, a quoted one, or one part of a path."""
    word = token(part)
    span = at.span(word)
    return Name(unquote(word, span) if word.type == "STRING" else str(word), span)


def unquote(word: Token, span: Span) -> str:
    """The text of a string; half of a surrogate pair is no character, and an error."""
    text = cast(str, json.loads(word))
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise CircError(half_a_character(span))
    return text


def number(word: Token, span: Span) -> Fraction:
    """The exact value of a decimal that is not absurdly long."""
    digits, _, exponent = word.lower().partition("e")
    before, _, after = digits.partition(".")
    shift = int(exponent[:8] or 0)
    if max(len(before) + shift, 1) + max(len(after) - shift, 0) > LONGEST_NUMBER:
        raise CircError(number_too_long(span, LONGEST_NUMBER))
    return Fraction(str(word))


def whole(part: Part, at: Place) -> int:
    """A whole number."""
    word = token(part)
    return int(number(word, at.span(word)))


# --- expressions -------------------------------------------------------------------------------


def expression(part: Part, at: Place) -> Expr:
    """The expression that `part` is."""
    if isinstance(part, Token):
        return atom(part, at)
    found = tree(part)
    if found.data == "group":
        return expression(found.children[0], at)
    return compound(found.data, found.children, at.span(found), at)


def atom(word: Token, at: Place) -> Expr:
    """A name, a quoted member, or a number."""
    span = at.span(word)
    if word.type == "NUMBER":
        return Number(span, number(word, span))
    return Ref(span, name(word, at).text)


def compound(rule: str, inside: Sequence[Part], span: Span, at: Place) -> Expr:
    """The expression of a rule with more than one part."""
    match rule, inside:
        case "unary", [op, operand]:
            return Unary(span, cast(UnaryOp, str(op)), expression(operand, at))
        case "binary", [left, op, right]:
            operator = cast(BinaryOp, str(op))
            return Binary(span, operator, expression(left, at), expression(right, at))
        case "compare", _:
            return comparison(inside, span, at)
        case "member", [element, *choices]:
            return Member(span, expression(element, at), expressions(choices, at))
        case "attribute", [base, part]:
            return Attr(span, expression(base, at), name(part, at))
        case "index", [base, *items]:
            return Index(span, expression(base, at), indices(items, at))
        case "call", [function, *args]:
            return Call(span, name(function, at), expressions(args, at))
        case "do", [base, *edits]:
            return Do(span, expression(base, at), tuple(edit(tree(e), at) for e in edits))
        case "tuple", _:
            return TupleExpr(span, expressions(inside, at))
        case "list", _:
            return ListExpr(span, expressions(inside, at))
        case _:
            return binding(rule, inside, span, at)


def binding(rule: str, inside: Sequence[Part], span: Span, at: Place) -> Expr:
    """The expressions that bind names or have arms."""
    match rule, inside:
        case "comprehension", [body, binder, source]:
            return Comprehension(
                span, expression(body, at), name(binder, at), expression(source, at)
            )
        case "count", [binder, source, condition]:
            over, that = expression(source, at), expression(condition, at)
            return Count(span, name(binder, at), over, that)
        case "fold", [state, initial, binder, source, body]:
            first, over = expression(initial, at), expression(source, at)
            step = expression(body, at)
            return Fold(span, name(state, at), first, name(binder, at), over, step)
        case "cases", _:
            return Cases(span, cases([tree(arm) for arm in inside], at))
        case "match", [subject, *arms]:
            return Match(span, expression(subject, at), tuple(arm(tree(a), at) for a in arms))
        case _:
            raise AssertionError(f"no expression is built for the rule `{rule}`")


def expressions(parts: Sequence[Part], at: Place) -> tuple[Expr, ...]:
    """Several expressions."""
    return tuple(expression(part, at) for part in parts)


def comparison(inside: Sequence[Part], span: Span, at: Place) -> Compare:
    """A chain of operands and operators in turn; `within` may come last but one."""
    bounded = str(inside[-2]) == "within"
    chain = inside[:-2] if bounded else inside
    ops = tuple[CompareOp, ...](cast(CompareOp, str(op)) for op in chain[1::2])
    bound = expression(inside[-1], at) if bounded else None
    return Compare(span, expressions(chain[::2], at), ops, bound)


def indices(items: Sequence[Part], at: Place) -> tuple[Expr | Slice, ...]:
    """What stands in the brackets of an index."""
    return tuple(index(item, at) for item in items)


def index(part: Part, at: Place) -> Expr | Slice:
    """One position of an index: an expression, or a slice with its ends."""
    if part is None or isinstance(part, Token) or part.data != "slice":
        return expression(part, at)
    start, stop = (None if end is None else expression(end, at) for end in part.children)
    return Slice(at.span(part), start, stop)


def edit(part: Tree, at: Place) -> Edit:
    """`hidden[4:8] := e`."""
    site, where, value = part.children
    path = tuple(name(step, at) for step in tree(site).children)
    items = () if where is None else indices(tree(where).children, at)
    return Edit(at.span(part), path, items, expression(value, at))


def cases(arms: Sequence[Tree], at: Place) -> tuple[Case, ...]:
    """The arms of a `cases`; `else` may only be the last."""
    for arm in arms[:-1]:
        if arm.data == "otherwise":
            last = at.span(arms[-1])
            raise CircError(else_not_last(at.span(token(arm.children[0])), last))
    return tuple(case(arm, at) for arm in arms)


def case(part: Tree, at: Place) -> Case:
    """`guard => value`, or `else => value`."""
    guard, value = part.children
    condition = None if part.data == "otherwise" else expression(guard, at)
    return Case(at.span(part), condition, expression(value, at))


# --- patterns ----------------------------------------------------------------------------------


def arm(part: Tree, at: Place) -> Arm:
    """`pattern => value`."""
    shape, value = part.children
    return Arm(at.span(part), pattern(shape, at), expression(value, at))


def pattern(part: Part, at: Place) -> Pattern:
    """The pattern that `part` is."""
    if isinstance(part, Token):
        return simple_pattern(part, at)
    whole_pattern = tree(part)
    span = at.span(whole_pattern)
    match whole_pattern.data, whole_pattern.children:
        case "group_pattern", [inner]:
            return pattern(inner, at)
        case "or_pattern", options:
            return OrPattern(span, tuple(pattern(option, at) for option in options))
        case "tuple_pattern", items:
            return TuplePattern(span, tuple(pattern(item, at) for item in items))
        case "member_pattern", [enum, member]:
            return MemberPattern(span, name(enum, at).text, name(member, at).text)
        case rule, _:
            raise AssertionError(f"no pattern is built for the rule `{rule}`")


def simple_pattern(word: Token, at: Place) -> Pattern:
    """`_`, a number, or a member."""
    span = at.span(word)
    match word.type:
        case "WILDCARD":
            return Wildcard(span)
        case "INT":
            return NumberPattern(span, whole(word, at))
        case _:
            return MemberPattern(span, None, name(word, at).text)
