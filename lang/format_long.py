"""Expressions that are too long for a line, on several.

A line is broken where the tree is nearest to its root: in front of an operator, or behind an opening
bracket. Inside brackets, and in front of a binary operator, a line break means nothing to the parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from circ.lang.format_expressions import (
    BINDING,
    COMPARAND,
    FOLD,
    LONGEST_LINE,
    NOT,
    SIGNED,
    STEP,
    SUM,
    format_expression,
    tightness,
    told,
)
from circ.lang.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    ListExpr,
    Member,
    TupleExpr,
    Unary,
)


def fitted(e: Expr, indent: str, used: int, least: int = FOLD) -> str:
    """`e` on one line, if it and what is `used` of that line fit, else on more.

    Lines after the first are indented by more than `indent`, but for one that closes what the first
    opens. In brackets if `e` binds less tightly than `least`.
    """
    text = format_expression(e, least, indent)
    if fits(text, used):
        return text
    return broken(e, indent, used) if tightness(e) >= least else f"({broken(e, indent, used + 1)})"


def fits(text: str, used: int) -> bool:
    """Whether no line of a text is too long, `used` of its first one being taken."""
    first, *others = text.split("\n")
    return used + len(first) <= LONGEST_LINE and all(len(line) <= LONGEST_LINE for line in others)


def broken(e: Expr, indent: str, used: int) -> str:
    """`e` on several lines, without brackets around it; on one where it has no place to break."""
    match e:
        case Call(function=function, args=[_, *_] as args):
            return opened(f"{function.text}{told(e)}(", args, ")", indent)
        case ListExpr(items=items):
            return opened("[", items, "]", indent)
        case TupleExpr(items=items):
            return opened("(", items, ")", indent)
        case Binary():
            return binary(e, indent, used)
        case Compare():
            return compare(e, indent, used)
        case Member(element=element, choices=choices):
            return opened(f"{format_expression(element, SUM, indent)} in [", choices, "]", indent)
        case Unary(op=op, operand=operand):
            sign = "-" if op == "-" else f"{op} "
            least = NOT if op == "not" else SIGNED
            return sign + fitted(operand, indent, used + len(sign), least)
        case _:
            return format_expression(e, FOLD, indent)


def binary(e: Binary, indent: str, used: int) -> str:
    """The right side on a line of its own, behind the operator."""
    _, at_left, at_right = BINDING[e.op]
    deeper = indent + STEP
    right = fitted(e.right, deeper, len(deeper) + len(e.op) + 1, at_right)
    return f"{fitted(e.left, indent, used, at_left)}\n{deeper}{e.op} {right}"


def compare(e: Compare, indent: str, used: int) -> str:
    """Each operand but the first on a line of its own, behind its sign."""
    deeper = indent + STEP
    first, *others = e.operands
    lines = [fitted(first, indent, used, COMPARAND)]
    for sign, operand in zip(e.ops, others, strict=True):
        start = len(deeper) + len(sign) + 1
        lines.append(f"{deeper}{sign} {fitted(operand, deeper, start, COMPARAND)}")
    end = "" if e.within is None else f" within {format_expression(e.within, SUM, deeper)}"
    return "\n".join(lines) + end


def opened(start: str, items: Sequence[Expr], end: str, indent: str) -> str:
    """Items on lines of their own in brackets."""
    deeper = indent + STEP
    parts = [fitted(item, deeper, len(deeper)) for item in items]
    return f"{start}\n{filled(parts, deeper)}\n{indent}{end}"


def filled(parts: Sequence[str], indent: str) -> str:
    """Parts with commas between them, as many to a line as fit; one that has lines, by itself."""
    return ",\n".join(f"{indent}{', '.join(line)}" for line in packed(parts, len(indent)))


def packed(parts: Sequence[str], used: int) -> Iterator[list[str]]:
    """The parts of each line; lists of lists have one a line."""
    line: list[str] = []
    for part in parts:
        width = used + sum(len(each) + 2 for each in [*line, part]) - 1
        alone = "\n" in part or part.startswith("[") or (line and "\n" in line[-1])
        if line and (width > LONGEST_LINE or alone):
            yield line
            line = []
        line.append(part)
    yield line
