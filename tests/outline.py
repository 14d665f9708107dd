"""The shape of a syntax tree without its spans: to compare two trees, and to print one."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from fractions import Fraction
from itertools import takewhile
from typing import cast

from circ.lang.syntax import Name
from circ.lang.words import quoted

Shape = str | int | Fraction | None | tuple["Shape", ...]

WIDEST = 92
PLAIN = re.compile(r"[^\s()\"]+")


def shape(node: object) -> Shape:
    """A node as its class's name and the shapes of its fields, what is False or as by default left out."""
    if isinstance(node, Name):
        return node.text
    if isinstance(node, tuple):
        return tuple(shape(part) for part in cast("tuple[object, ...]", node))
    if is_dataclass(node):
        inside = [(field, getattr(node, field.name)) for field in fields(node)]
        told = [
            part
            for field, part in inside
            if field.name != "span" and part is not False and part != field.default
        ]
        return (type(node).__name__, *map(shape, told))
    return cast("str | int | Fraction | None", node)


def outline(node: object) -> str:
    """A node with its parts in brackets: on one line if short, else a part a line."""
    return laid_out(shape(node), "")


def laid_out(part: Shape, indent: str) -> str:
    """One part, at an indentation."""
    if not isinstance(part, tuple):
        return leaf(part)
    flat = f"({' '.join(laid_out(p, '') for p in part)})"
    if len(indent) + len(flat) <= WIDEST and "\n" not in flat:
        return flat
    deeper = indent + "  "
    leading = len(list(takewhile(lambda p: not isinstance(p, tuple), part)))
    head = " ".join(laid_out(p, "") for p in part[:leading])
    rest = "".join(f"\n{deeper}{laid_out(p, deeper)}" for p in part[leading:])
    return f"({head}{rest})"


def leaf(part: str | int | Fraction | None) -> str:
    """A part without parts; text that is not one word is quoted."""
    if part is None:
        return "-"
    return str(part) if not isinstance(part, str) or PLAIN.fullmatch(part) else quoted(part)
