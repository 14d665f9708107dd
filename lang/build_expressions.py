"""From the tree of the grammar to the expressions of `circ.lang.syntax`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from circ.lang.build_names import Place, name, number, token, tree
from circ.lang.build_patterns import pattern, word_pattern
from circ.lang.build_types import given, type_of
from circ.lang.diagnostic import CircError
from circ.lang.errors.syntax import else_not_last
from circ.lang.grammar import Part, Token, Tree, trees
from circ.lang.span import Span
from circ.lang.syntax import (
    Arm,
    Attr,
    Binary,
    BinaryOp,
    Call,
    Case,
    Cases,
    Cast,
    Compare,
    CompareOp,
    Comprehension,
    Coords,
    Count,
    Do,
    Edit,
    Expr,
    Fold,
    Index,
    ListExpr,
    Match,
    Matches,
    Member,
    Name,
    Number,
    Projection,
    Quoted,
    Ref,
    Slice,
    TupleExpr,
    Unary,
    UnaryOp,
)

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
    if word.type == "STRING":
        return Quoted(span, name(word, at).text)
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
        case "matches", [word, form]:
            return Matches(span, expression(word, at), word_pattern(form, at))
        case "cast", [operand, kind]:
            return Cast(span, expression(operand, at), type_of(tree(kind), at))
        case "projection", [operand, side, subspace]:
            return Projection(span, expression(operand, at), as_side(side), name(subspace, at))
        case "attribute", [base, part]:
            return Attr(span, expression(base, at), name(part, at))
        case "index", [base, *items]:
            return Index(span, expression(base, at), indices(items, at))
        case "call", [function, *rest]:
            return call(function, rest, span, at)
        case "do", [base, *edits]:
            return Do(span, expression(base, at), tuple(edit(tree(e), at) for e in edits))
        case "tuple", _:
            return TupleExpr(span, expressions(inside, at))
        case "list", _:
            return ListExpr(span, expressions(inside, at))
        case _:
            return binding(rule, inside, span, at)


def call(function: Part, rest: Sequence[Part], span: Span, at: Place) -> Call | Coords:
    """`f(x)`, or `f[k = 8](x)`; `coords(x, S)`, whose second argument is the name of a subspace."""
    told = [part for part in trees(rest) if part.data == "given"]
    args = expressions(rest[len(told) :], at)
    called = name(function, at)
    if called.text == COORDS and len(args) == 2 and isinstance(args[1], Ref) and not told:
        return Coords(span, called, args[0], Name(args[1].name, args[1].span))
    return Call(span, called, args, tuple(given(part, at) for part in told))


COORDS = "coords"
"""The function whose second argument names a subspace."""


def as_side(word: Part) -> Literal["on", "off"]:
    """`on` or `off`."""
    return "on" if str(word) == "on" else "off"


def binding(rule: str, inside: Sequence[Part], span: Span, at: Place) -> Expr:
    """The expressions that bind names or have arms."""
    match rule, inside:
        case "comprehension", [body, binder, source]:
            return Comprehension(
                span, expression(body, at), name(binder, at), expression(source, at)
            )
        case "count", [binder, source, condition]:
            over = expression(source, at)
            return Count(span, name(binder, at), over, maybe(condition, at))
        case "count_fresh", [parameter, condition]:
            declared, kind = tree(parameter).children
            among = type_of(tree(kind), at)
            return Count(span, name(declared, at), among, maybe(condition, at))
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


def maybe(part: Part, at: Place) -> Expr | None:
    """An expression that may be left out."""
    return None if part is None else expression(part, at)


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
    start, stop = (maybe(end, at) for end in part.children)
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


def arm(part: Tree, at: Place) -> Arm:
    """`pattern => value`."""
    shape, value = part.children
    return Arm(at.span(part), pattern(shape, at), expression(value, at))
