"""Tensors as nested tuples, for an interpreter that shares nothing with the compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add, mul
from typing import Any, cast

Value = Any
"""A nested tuple of Fractions, ints or bools, or one of these."""


def depth(x: Value) -> int:
    """How many axes a value has."""
    return 1 + depth(x[0]) if isinstance(x, tuple) else 0


def both(f: Callable[[Value, Value], Value], x: Value, y: Value) -> Value:
    """`f` entry by entry; a scalar meets every entry."""
    if isinstance(x, tuple):
        xs = cast(Sequence[Value], x)
        ys = cast(Sequence[Value], y) if isinstance(y, tuple) else (y,) * len(xs)
        return tuple(both(f, a, b) for a, b in zip(xs, ys, strict=True))
    if isinstance(y, tuple):
        return tuple(both(f, x, b) for b in cast(Sequence[Value], y))
    return f(x, y)


def each(f: Callable[[Value], Value], x: Value) -> Value:
    """`f` of every entry."""
    return tuple(each(f, e) for e in cast(Sequence[Value], x)) if isinstance(x, tuple) else f(x)


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
    return reduce(
        lambda a, b: both(add, a, b), [both(mul, a, b) for a, b in zip(x, y, strict=True)]
    )


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
