"""What a circuit of the language means, by the book: an interpreter of syntax trees.

It shares nothing with the compiler but the parser. Tensors are nested tuples, reals are Fractions,
members and positions are ints, truths are bools. What only types tell apart (a member that two
enums have, `softmax` and other irrational values) is left out; a tie raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from operator import add, eq, ge, gt, le, lt, mul, sub
from typing import Any, assert_never, cast

from circ.lang.syntax import (
    Attr,
    Binary,
    Call,
    Cases,
    Compare,
    Comprehension,
    Count,
    DimExpr,
    DimName,
    DimNumber,
    Do,
    Edit,
    Expr,
    Fold,
    Index,
    ListExpr,
    Match,
    Member,
    MemberPattern,
    Number,
    NumberPattern,
    OrPattern,
    ParamDecl,
    Pattern,
    Ref,
    Slice,
    TuplePattern,
    TupleExpr,
    TypeExpr,
    Unary,
    Wildcard,
)
from circ.lang.syntax import CheckpointDecl, CircuitDecl, EnumDecl, Module

Value = Any
"""A nested tuple of Fractions, ints or bools, or one of these."""

Tensors = Mapping[str, Value]
Path = tuple[str, ...]


class Tie(Exception):
    """An `argmax` with two largest entries: the language leaves the choice open."""


@dataclass(frozen=True)
class Scope:
    """The declarations of a module, and the tensors of its checkpoints by dotted name."""

    items: Mapping[str, Any]
    tensors: Tensors

    @staticmethod
    def of(module: Module, tensors: Tensors) -> Scope:
        """The scope of a module; `tensors` by checkpoint and path, `m.W`."""
        return Scope({item.name.text: item for item in module.items}, tensors)

    def code(self, member: str, enum: str | None = None) -> int:
        """The place of a member in its enum."""
        for name, item in self.items.items():
            if isinstance(item, EnumDecl) and enum in (None, name):
                members = [m.text for m in item.members]
                if member in members:
                    return members.index(member)
        raise KeyError(member)


@dataclass(frozen=True)
class Frame:
    """The names in reach, and the tensors that calls read here."""

    scope: Scope
    names: Mapping[str, Value]
    tensors: Tensors

    def bind(self, name: str, value: Value) -> Frame:
        return replace(self, names={**self.names, name: value})


@dataclass(frozen=True)
class Planned:
    """An edit to be made: the rest of its path, and the frame its value is read in."""

    path: Path
    edit: Edit
    frame: Frame


Plan = Sequence[Sequence[Planned]]
"""The edits of each `do`, innermost first."""


# --- tensors ----------------------------------------------------------------------------------


def depth(x: Value) -> int:
    """How many axes a value has."""
    return 1 + depth(x[0]) if isinstance(x, tuple) else 0


def both(f: Callable[[Value, Value], Value], x: Value, y: Value) -> Value:
    """`f` entry by entry; a scalar meets every entry."""
    if isinstance(x, tuple):
        ys = y if isinstance(y, tuple) else (y,) * len(cast(Sequence[Value], x))
        return tuple(both(f, a, b) for a, b in zip(cast(Sequence[Value], x), ys, strict=True))
    if isinstance(y, tuple):
        return tuple(both(f, x, b) for b in cast(Sequence[Value], y))
    return f(x, y)


def each(f: Callable[[Value], Value], x: Value) -> Value:
    """`f` of every entry."""
    return tuple(each(f, e) for e in x) if isinstance(x, tuple) else f(x)


def entries(x: Value) -> Iterator[Value]:
    """The entries of a tensor, row by row."""
    if isinstance(x, tuple):
        for part in cast(Sequence[Value], x):
            yield from entries(part)
    else:
        yield x


def filled(x: Value, like: Value) -> Value:
    """A scalar in every entry of a shape; any other value as it is."""
    return each(lambda _: x, like) if depth(x) == 0 and depth(like) else x


def zeros(shape: Sequence[int]) -> Value:
    """A tensor of that shape."""
    return (zeros(shape[1:]),) * shape[0] if shape else 0


def product(x: Value, y: Value) -> Value:
    """`x @ y`: the last axis of x with the first of y."""
    if depth(x) > 1:
        return tuple(product(row, y) for row in x)
    return reduce(lambda a, b: both(add, a, b), [both(mul, a, b) for a, b in zip(x, y, strict=True)])


def largest(xs: Sequence[Value]) -> int:
    """The place of the largest."""
    best = max(xs)
    if list(xs).count(best) > 1:
        raise Tie
    return list(xs).index(best)


def places(x: Value, items: Sequence[Value]) -> Value:
    """`x[items]`, where a slice is a Python slice."""
    if not items:
        return x
    if isinstance(items[0], slice):
        return tuple(places(part, items[1:]) for part in x[items[0]])
    return places(x[items[0]], items[1:])


def put(x: Value, items: Sequence[Value], value: Value) -> Value:
    """`x` with `x[items]` replaced."""
    if not items:
        return filled(value, x)
    at, rest = items[0], items[1:]
    rows = list(x)
    if isinstance(at, slice):
        chosen = list(range(len(rows)))[at]
        for k, number in enumerate(chosen):
            rows[number] = put(rows[number], rest, value[k] if depth(value) else value)
    else:
        rows[at] = put(rows[at], rest, value)
    return tuple(rows)
