"""What the dimension variables of a circuit stand for in a call: found from its arguments, and put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from circ.lang.polynomials import (
    Polynomial,
    divided,
    linear_in,
    put_in,
    subtract,
    variable,
    whole_number,
)
from circ.lang.types import (
    Array,
    Axis,
    Binding,
    Dim,
    EnumElement,
    FinElement,
    Fixed,
    Group,
    Invalid,
    Lengths,
    Record,
    Space,
    Tuple,
    Type,
    Variable,
    named,
    positions,
    show_dim,
    size,
)

Pair = tuple[Dim, Dim]
"""A dimension of a parameter, and the one in its place in the argument."""


def as_polynomial(dim: Dim) -> Polynomial:
    """A dimension as what can be computed with; lengths of a word are a name of their own."""
    match dim:
        case Fixed() | Axis() | Space():
            return whole_number(size(dim) or 0)
        case Variable(name=name):
            return variable(name)
        case Polynomial():
            return dim
        case Lengths():
            return variable(show_dim(dim))
        case _:
            assert_never(dim)


def simplest(p: Polynomial) -> Dim:
    """A number or a name, where it is no more than that, or the lengths of a word."""
    match p:
        case Polynomial(terms=(((name,), 1),)):
            first, several, last = name.partition("..")
            return Lengths(int(first), int(last) if last else None) if several else Variable(name)
        case _:
            return p if p.constant is None else Fixed(p.constant)


def knows_length(dim: Dim) -> bool:
    """Whether a dimension is, or is computed from, how long a word of several lengths is."""
    match dim:
        case Lengths():
            return True
        case Polynomial(names=names):
            return any(".." in name for name in names)
        case Fixed() | Axis() | Space() | Variable():
            return False
        case _:
            assert_never(dim)


# --- putting in -------------------------------------------------------------------------------


def bound(dim: Dim, binding: Binding) -> Dim:
    """`dim` with its variables replaced."""
    match dim:
        case Variable(name=name):
            return binding.get(name, dim)
        case Polynomial():
            known = {name: as_polynomial(binding[name]) for name in dim.names if name in binding}
            return simplest(put_in(dim, known))
        case Fixed() | Axis() | Space() | Lengths():
            return dim
        case _:
            assert_never(dim)


def substitute(t: Type, binding: Binding) -> Type:
    """`t` with dimension variables replaced."""
    match t:
        case Array():
            return bound_array(t, binding)
        case Tuple(items=items):
            return Tuple(tuple(substitute(item, binding) for item in items))
        case Record(name=name, fields=fields):
            return Record(name, tuple((path, bound_array(kind, binding)) for path, kind in fields))
        case Group() | Invalid():
            return t
        case _:
            assert_never(t)


def bound_array(t: Array, binding: Binding) -> Array:
    """`t` with dimension variables replaced."""
    element = t.element
    if isinstance(element, FinElement):
        element = positions(bound(element.size, binding))
    return Array(element, tuple(bound(dim, binding) for dim in t.dims))


# --- finding ----------------------------------------------------------------------------------


def paired(wanted: Array, given: Array) -> list[Pair]:
    """The dimensions of a parameter beside those of its argument."""
    pairs: list[Pair] = [*zip(wanted.dims, given.dims, strict=False)]
    match wanted.element, given.element:
        case FinElement(size=n), FinElement(size=m):
            pairs.append((n, m))
        case FinElement(size=n), EnumElement(name=name, members=members):
            pairs.append((n, Axis(name, members)))
        case _:
            pass
    return pairs


def found_dims(pairs: Sequence[Pair], said: Binding) -> dict[str, Dim]:
    """What each variable stands for: as said, as it stands by itself, then as arithmetic leaves it.

    A variable takes the dim in its place, a named axis before a number. Where arithmetic has one
    unknown variable, of which it is linear, that is solved for; what leaves a rest finds nothing.
    """
    found = dict[str, Dim]()
    for want, have in pairs:
        if isinstance(want, Variable):
            found[want.name] = named(found.get(want.name, have), have)
    for name, dim in said.items():
        same = name in found and size(found[name]) == size(dim) is not None
        found[name] = named(dim, found[name]) if same else dim
    while True:
        solved = [at for want, have in pairs if (at := solution(want, have, found)) is not None]
        if not solved:
            return found
        found[solved[0][0]] = solved[0][1]


def solution(want: Dim, have: Dim, found: Binding) -> tuple[str, Dim] | None:
    """The one unknown variable of `want`, and what it is where that is `have`; else None."""
    parts = equation(want, have, found)
    quotient = None if parts is None else divided(parts[2], parts[1])
    return None if parts is None or quotient is None else (parts[0], simplest(quotient))


def equation(want: Dim, have: Dim, found: Binding) -> tuple[str, Polynomial, Polynomial] | None:
    """A variable x, a and b, where `want` is `have` once a * x = b; None without one unknown."""
    if not isinstance(want, Polynomial):
        return None
    unknown = [name for name in want.names if name not in found]
    line = linear_in(want, unknown[0]) if len(unknown) == 1 else None
    if line is None:
        return None
    slope, rest = (as_polynomial(bound(simplest(part), found)) for part in line)
    return unknown[0], slope, subtract(as_polynomial(have), rest)
