"""Types as canonical text."""

from __future__ import annotations

from typing import assert_never

from circ.lang.syntax import DimBinary, DimExpr, DimLengths, DimName, DimNumber, TypeExpr


def format_type(kind: TypeExpr) -> str:
    """`real[8, Char]`, or `A -> B`."""
    if kind.is_map:
        target, source = map(dim, kind.dims)
        return f"{source} -> {target}"
    dims = ", ".join(dim(d) for d in kind.dims)
    return f"{kind.name.text}[{dims}]" if dims else kind.name.text


def maybe_type(kind: TypeExpr | None) -> str:
    """A type with its colon, where there is one."""
    return "" if kind is None else f": {format_type(kind)}"


def dim(d: DimExpr) -> str:
    """One dimension."""
    match d:
        case DimNumber(value=value):
            return str(value)
        case DimName(name=name):
            return name
        case DimBinary():
            return arithmetic(d)
        case DimLengths(first=first, last=last):
            return f"{first}..{'' if last is None else last}"
        case _:
            assert_never(d)


def arithmetic(d: DimBinary) -> str:
    """`3*d`, `n - 1`, `2*(h + k)`: only the brackets that are needed."""
    if d.op == "*":
        return f"{factor(d.left, products=True)}*{factor(d.right, products=False)}"
    right = dim(d.right)
    is_sum = isinstance(d.right, DimBinary) and d.right.op != "*"
    return f"{dim(d.left)} {d.op} {f'({right})' if is_sum else right}"


def factor(d: DimExpr, *, products: bool) -> str:
    """A factor, in brackets where it is a sum, or, to the right of another, a product."""
    bare = not isinstance(d, DimBinary) or (products and d.op == "*")
    return dim(d) if bare else f"({dim(d)})"
