"""Types as canonical text."""

from __future__ import annotations

from typing import assert_never

from circ.lang.syntax import DimExpr, DimLengths, DimName, DimNumber, TypeExpr


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
        case DimLengths(first=first, last=last):
            return f"{first}..{'' if last is None else last}"
        case _:
            assert_never(d)
