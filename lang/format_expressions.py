"""Expressions as canonical text.

What is returned may have several lines; all but the first carry their indentation. Parsing the
text gives the same tree, and only the brackets that this needs are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from circ.lang.format_patterns import format_pattern, format_word_pattern
from circ.lang.format_types import dim, format_type
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
    Number,
    Projection,
    Quoted,
    Ref,
    Slice,
    TupleExpr,
    TypeExpr,
    Unary,
)
from circ.lang.words import quoted, written_name, written_part

LONGEST_LINE = 100
STEP = "  "
WIDEST_ALIGNED = 50
"""Guards and patterns up to this width have their arrows aligned."""

LONGEST_PLAIN_NUMBER = 7
"""Numbers of more characters have an exponent where that halves them."""

FOLD, IMPLIES, OR, AND, NOT, COMPARE, COMPARAND, SUM, PRODUCT, SIGNED, POSTFIX = range(11)
"""How tightly each kind of expression binds, as in `grammar.lark`."""

BINDING: dict[BinaryOp, tuple[int, int, int]] = {
    "implies": (IMPLIES, OR, IMPLIES),
    "or": (OR, OR, AND),
    "and": (AND, AND, NOT),
    "+": (SUM, SUM, PRODUCT),
    "-": (SUM, SUM, PRODUCT),
    "*": (PRODUCT, PRODUCT, SIGNED),
    "/": (PRODUCT, PRODUCT, SIGNED),
    "@": (PRODUCT, PRODUCT, SIGNED),
}
"""For an operator: how tightly it binds, and how tightly its operands must without brackets."""


def format_expression(e: Expr, least: int = FOLD, indent: str = "") -> str:
    """`e`, in brackets if it binds less tightly than `least`."""
    text = bare(e, indent)
    return f"({text})" if tightness(e) < least else text


def tightness(e: Expr) -> int:
    """How tightly `e` binds."""
    match e:
        case Fold():
            return FOLD
        case Binary(op=op):
            return BINDING[op][0]
        case Unary(op="not"):
            return NOT
        case Unary():
            return SIGNED
        case Compare() | Member() | Matches():
            return COMPARE
        case Cast() | Projection():
            return COMPARAND
        case Number(value=value):
            return PRODUCT if value < 0 or decimal(value) is None else SIGNED
        case Ref() | Quoted() | Attr() | Index() | Call() | Do() | TupleExpr() | ListExpr():
            return POSTFIX
        case Coords() | Comprehension() | Count() | Cases() | Match():
            return POSTFIX
        case _:
            assert_never(e)


def bare(e: Expr, indent: str) -> str:
    """`e` without brackets around it."""
    match e:
        case Number(value=value):
            return number(value)
        case Ref(name=name):
            return name
        case Quoted(member=member):
            return quoted(member)
        case Attr(base=base, part=part):
            return f"{before_part(base, indent)}.{written_part(part.text)}"
        case Index(base=base, items=items):
            return before_part(base, indent) + indices(items, indent)
        case Call(function=function, args=args):
            return f"{function.text}{told(e)}({listed(args, indent)})"
        case Do(base=base, edits=edits):
            return f"{format_expression(base, POSTFIX, indent)} do {braces(edits, indent)}"
        case Unary():
            return unary(e, indent)
        case Binary(op=op, left=left, right=right):
            _, at_left, at_right = BINDING[op]
            first = format_expression(left, at_left, indent)
            return f"{first} {op} {format_expression(right, at_right, indent)}"
        case Compare() | Member() | Matches():
            return condition(e, indent)
        case Cast(operand=operand, type=kind):
            return f"{format_expression(operand, SIGNED, indent)} as {format_type(kind)}"
        case Projection(operand=operand, side=side, subspace=subspace):
            return f"{format_expression(operand, SIGNED, indent)} {side} {subspace.text}"
        case Coords(function=function, operand=operand, subspace=subspace):
            return f"{function.text}({format_expression(operand, FOLD, indent)}, {subspace.text})"
        case TupleExpr(items=items):
            return f"({listed(items, indent)})"
        case ListExpr(items=items):
            return f"[{listed(items, indent)}]"
        case Comprehension() | Count() | Fold() | Cases() | Match():
            return binding(e, indent)
        case _:
            assert_never(e)


def before_part(base: Expr, indent: str) -> str:
    """What an index or a `.` follows; `(f(x) do { a := 0 })[2]` has brackets for who reads it."""
    text = format_expression(base, POSTFIX, indent)
    return f"({text})" if isinstance(base, Do) else text


def told(e: Call) -> str:
    """The dimensions that a call says, in their brackets."""
    said = ", ".join(f"{each.name.text} = {dim(each.dim)}" for each in e.given)
    return f"[{said}]" if said else ""


def unary(e: Unary, indent: str) -> str:
    """`-x`, `not p`, `old e`."""
    operand = format_expression(e.operand, tightest(e), indent)
    return f"-{operand}" if e.op == "-" else f"{e.op} {operand}"


def tightest(e: Unary) -> int:
    """How tightly an operand binds that has no brackets; `not (x < y)` has them for who reads it."""
    if e.op == "not":
        return COMPARAND if isinstance(e.operand, Compare | Member | Matches) else NOT
    return SIGNED


def condition(e: Compare | Member | Matches, indent: str) -> str:
    """A chain of comparisons, membership in a list, or a pattern of a word."""
    match e:
        case Compare(operands=operands, ops=ops, within=within):
            first, *others = (format_expression(x, COMPARAND, indent) for x in operands)
            chain = [f" {op} {operand}" for op, operand in zip(ops, others, strict=True)]
            end = "" if within is None else f" within {format_expression(within, SUM, indent)}"
            return first + "".join(chain) + end
        case Member(element=element, choices=choices):
            return f"{format_expression(element, SUM, indent)} in [{listed(choices, indent)}]"
        case Matches(word=word, pattern=pattern):
            form = format_word_pattern(pattern)
            return f"{format_expression(word, SUM, indent)} matches {form}"
        case _:
            assert_never(e)


def binding(e: Comprehension | Count | Fold | Cases | Match, indent: str) -> str:
    """The expressions that bind names or have arms."""
    match e:
        case Comprehension(body=body, binder=binder, source=source):
            each = format_expression(body, IMPLIES, indent)
            return f"[ {each} for {binder.text} in {format_expression(source, FOLD, indent)} ]"
        case Count():
            return count(e, indent)
        case Fold(state=state, initial=initial, binder=binder, source=source, body=body):
            start = f"{state.text} = {format_expression(initial, IMPLIES, indent)}"
            over = f"{binder.text} in {format_expression(source, IMPLIES, indent)}"
            return f"fold {start} over {over}: {format_expression(body, FOLD, indent)}"
        case Cases(arms=arms):
            return f"cases {arrows([case(arm, indent + STEP) for arm in arms], indent)}"
        case Match(subject=subject, arms=arms):
            subject_text = format_expression(subject, IMPLIES, indent)
            return (
                f"match {subject_text} {arrows([arm_of(a, indent + STEP) for a in arms], indent)}"
            )
        case _:
            assert_never(e)


def count(e: Count, indent: str) -> str:
    """`count { c in s | p }`, `count { s: Char[8] | p }`; without a condition, all."""
    if isinstance(e.source, TypeExpr):
        among = f"{e.binder.text}: {format_type(e.source)}"
    else:
        among = f"{e.binder.text} in {format_expression(e.source, SUM, indent)}"
    if e.condition is None:
        return f"count {{ {among} }}"
    return f"count {{ {among} | {format_expression(e.condition, FOLD, indent)} }}"


def listed(items: Sequence[Expr], indent: str) -> str:
    """Expressions with commas between them."""
    return ", ".join(format_expression(item, FOLD, indent) for item in items)


def indices(items: Sequence[Expr | Slice], indent: str) -> str:
    """An index in its brackets."""
    return f"[{', '.join(index(item, indent) for item in items)}]"


def index(item: Expr | Slice, indent: str) -> str:
    """One position of an index."""
    if not isinstance(item, Slice):
        return format_expression(item, FOLD, indent)
    ends = (item.start, item.stop)
    return ":".join("" if end is None else format_expression(end, IMPLIES, indent) for end in ends)


# --- braces ------------------------------------------------------------------------------------


def braces(edits: Sequence[Edit], indent: str) -> str:
    """The edits of a `do`: on one line if they are short, else one a line."""
    lines = [edit(e, indent + STEP) for e in edits]
    flat = ", ".join(lines)
    short = len(flat) <= LONGEST_LINE // 2 and "\n" not in flat
    return f"{{ {flat} }}" if short else block(lines, indent)


def edit(e: Edit, indent: str) -> str:
    """`hidden[4:8] := value`."""
    first, *others = e.path
    site = ".".join([written_name(first.text), *(written_part(part.text) for part in others)])
    where = indices(e.items, indent) if e.items else ""
    return f"{site}{where} := {format_expression(e.value, FOLD, indent)}"


def case(e: Case, indent: str) -> tuple[str, str]:
    """An arm of a `cases`, as what stands left and right of the arrow."""
    guard = "else" if e.guard is None else format_expression(e.guard, FOLD, indent)
    return guard, format_expression(e.value, FOLD, indent)


def arm_of(e: Arm, indent: str) -> tuple[str, str]:
    """An arm of a `match`, as what stands left and right of the arrow."""
    return format_pattern(e.pattern), format_expression(e.value, FOLD, indent)


def arrows(arms: Sequence[tuple[str, str]], indent: str) -> str:
    """Arms one a line, their arrows beneath each other if all left sides are short."""
    widest = max(len(left) for left, _ in arms)
    even = widest <= WIDEST_ALIGNED and not any("\n" in left for left, _ in arms)
    return block([f"{left:<{widest if even else 0}} => {right}" for left, right in arms], indent)


def block(lines: Sequence[str], indent: str) -> str:
    """Lines in braces of their own."""
    return "\n".join(["{", *(f"{indent}{STEP}{line}" for line in lines), f"{indent}}}"])


# --- numbers -----------------------------------------------------------------------------------


def number(value: Fraction) -> str:
    """A decimal, exactly; a value that has none is written as a quotient."""
    text = decimal(value)
    return f"{value.numerator} / {value.denominator}" if text is None else text


def decimal(value: Fraction) -> str | None:
    """The shortest exact decimal, with an exponent where it would be long without."""
    scaled, places = value, 0
    while scaled.denominator != 1:
        if scaled.denominator % 2 and scaled.denominator % 5:
            return None
        scaled, places = scaled * 10, places + 1
    digits, sign = str(abs(scaled.numerator)), "-" if value < 0 else ""
    padded = digits.rjust(places + 1, "0")
    plain = f"{padded[: len(padded) - places]}.{padded[len(padded) - places :]}".rstrip(".")
    mantissa = digits.rstrip("0")
    short = f"{mantissa}e{len(digits) - len(mantissa) - places}"
    worth = len(plain) > LONGEST_PLAIN_NUMBER and 2 * len(short) <= len(plain)
    return sign + (short if worth else plain)
