"""Expressions that are too long for a line, on several.

A line is broken where the tree is nearest to its root: in front of an operator, or behind an opening
bracket. Inside brackets, and in front of a binary operator, a line break means nothing to the parser.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from circ.lang.format_expressions import (
    BINDING,
    COMPARAND,
    FOLD,
    IMPLIES,
    LONGEST_LINE,
    STEP,
    SUM,
    format_expression,
    tightest,
    tightness,
    told,
)
from circ.lang.syntax import (
    Binary,
    Call,
    Compare,
    Comprehension,
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
        case Call(function=function, args=[ListExpr() | Comprehension() as arg]):
            start = f"{function.text}{told(e)}("
            return f"{start}{broken(arg, indent, used + len(start))})"
        case Call(function=function, args=[_, *_] as args):
            return opened(f"{function.text}{told(e)}(", args, ")", indent)
        case ListExpr(items=items):
            return opened("[", items, "]", indent)
        case TupleExpr(items=items):
            return opened("(", items, ")", indent)
        case Comprehension():
            return comprehension(e, indent)
        case Binary():
            return binary(e, indent, used)
        case Compare():
            return compare(e, indent, used)
        case Member(element=element, choices=choices):
            return opened(f"{format_expression(element, SUM, indent)} in [", choices, "]", indent)
        case Unary(op=op, operand=operand):
            sign = "-" if op == "-" else f"{op} "
            return sign + fitted(operand, indent, used + len(sign), tightest(e))
        case _:
            return format_expression(e, FOLD, indent)


def comprehension(e: Comprehension, indent: str) -> str:
    """What is computed and what it goes over, on lines of their own."""
    deeper = indent + STEP
    body = fitted(e.body, deeper, len(deeper), IMPLIES)
    over = f"for {e.binder.text} in "
    source = fitted(e.source, deeper, len(deeper) + len(over))
    return f"[\n{deeper}{body}\n{deeper}{over}{source}\n{indent}]"


def binary(e: Binary, indent: str, used: int) -> str:
    """The right side on a line of its own, behind the operator.

    A left side that binds more tightly and has lines of its own is indented by more than the operator.
    """
    level, at_left, at_right = BINDING[e.op]
    deeper = indent + STEP
    right = fitted(e.right, deeper, len(deeper) + len(e.op) + 1, at_right)
    nested = isinstance(e.left, Binary | Compare) and tightness(e.left) != level
    left = fitted(e.left, deeper if nested else indent, used, at_left)
    return f"{left}\n{deeper}{e.op} {right}"


def compare(e: Compare, indent: str, used: int) -> str:
    """Each operand but the first on a line of its own, behind its sign.

    Lines of a sum that comes first are indented by more.
    """
    deeper = indent + STEP
    first, *others = e.operands
    lines = [fitted(first, deeper if isinstance(first, Binary) else indent, used, COMPARAND)]
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
    """Parts with commas between them, on as few lines as fit, about equally long; one that has lines, by itself."""
    fewest = len([*packed(parts, len(indent), LONGEST_LINE)])
    shortest = bisect_left(
        range(LONGEST_LINE), -fewest, key=lambda width: -len([*packed(parts, len(indent), width)])
    )
    return ",\n".join(f"{indent}{', '.join(line)}" for line in packed(parts, len(indent), shortest))


def packed(parts: Sequence[str], used: int, width: int) -> Iterator[list[str]]:
    """The parts of each line of a width; lists of lists have one a line."""
    line: list[str] = []
    for part in parts:
        taken = used + sum(len(each) + 2 for each in [*line, part]) - 1
        alone = "\n" in part or part.startswith("[") or (line and "\n" in line[-1])
        if line and (taken > width or alone):
            yield line
            line = []
        line.append(part)
    yield line
