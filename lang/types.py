"""Types: tensors of reals, truths or members of a finite type, with named or numbered axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from circ.lang.polynomials import Polynomial, show_polynomial

# --- dimensions -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fixed:
    """A plain number of entries."""

    size: int


@dataclass(frozen=True, slots=True)
class Axis:
    """One entry a member of the enum."""

    enum: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """The coordinates of a declared space."""

    name: str
    entries: int


@dataclass(frozen=True, slots=True)
class Variable:
    """A dimension variable of a circuit, `n` in `f[n](x: real[n])`."""

    name: str


@dataclass(frozen=True, slots=True)
class Lengths:
    """The letters of a word that may be of any length from `first` to `last`, or of any beyond it."""

    first: int
    last: int | None


Dim = Fixed | Axis | Space | Variable | Polynomial | Lengths
Dims = tuple[Dim, ...]

Binding = Mapping[str, Dim]
"""What each dimension variable of a called circuit stands for."""


# --- elements and types ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RealElement:
    """`real`."""


@dataclass(frozen=True, slots=True)
class BoolElement:
    """`bool`."""


@dataclass(frozen=True, slots=True)
class EnumElement:
    """A member of an enum."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinElement:
    """`fin[n]`: one of 0 … n - 1. (`fin[Char]` is `Char` itself: see `positions`.)"""

    size: Fixed | Variable | Polynomial | Lengths


Element = RealElement | BoolElement | EnumElement | FinElement


@dataclass(frozen=True, slots=True)
class Array:
    """Entries of one element; no dims is a scalar."""

    element: Element
    dims: Dims = ()


@dataclass(frozen=True, slots=True)
class Tuple:
    """What `match` takes apart."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The tensors of a checkpoint below `prefix`."""

    checkpoint: str
    prefix: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Tensors that are taken together: the type of each by its path, dots between the parts."""

    name: str
    fields: tuple[tuple[str, Array], ...]


@dataclass(frozen=True, slots=True)
class Invalid:
    """The type of an expression whose error is already reported; it fits everything."""


Type = Array | Tuple | Group | Record | Invalid

REAL = Array(RealElement())
BOOL = Array(BoolElement())
INVALID = Invalid()


def real(*dims: Dim) -> Array:
    """A tensor of reals."""
    return Array(RealElement(), dims)


def positions(dim: Dim) -> Element:
    """What counts the entries of an axis: the members that name it, or numbers."""
    match dim:
        case Axis(enum=name, members=members):
            return EnumElement(name, members)
        case Space(entries=entries):
            return FinElement(Fixed(entries))
        case Fixed() | Variable() | Polynomial() | Lengths():
            return FinElement(dim)
        case _:
            assert_never(dim)


def is_real(t: Type) -> bool:
    """Whether `t` is a tensor of reals."""
    return isinstance(t, Array) and t.element == RealElement()


def is_ordered(t: Type) -> bool:
    """Whether the entries of `t` have an order: reals and positions have, members have none."""
    return isinstance(t, Array) and isinstance(t.element, RealElement | FinElement)


def is_discrete(t: Type) -> bool:
    """Whether `t` holds members of an enum or positions."""
    return isinstance(t, Array) and isinstance(t.element, EnumElement | FinElement)


# --- what fits where ------------------------------------------------------------------------


def size(dim: Dim) -> int | None:
    """How many entries; None where that is not known."""
    match dim:
        case Fixed(size=n):
            return n
        case Axis(members=members):
            return len(members)
        case Space(entries=entries):
            return entries
        case Variable() | Polynomial() | Lengths():
            return None
        case _:
            assert_never(dim)


def same_dim(a: Dim, b: Dim) -> bool:
    """Two named axes differ even at equal size; a plain number fits either."""
    if isinstance(a, Axis | Space) and isinstance(b, Axis | Space):
        return a == b
    if size(a) is None or size(b) is None:
        return a == b
    return size(a) == size(b)


def named(a: Dim, b: Dim) -> Dim:
    """The more telling of two dims that fit."""
    return b if isinstance(a, Fixed) else a


def same_dims(a: Dims, b: Dims) -> bool:
    """Whether two shapes fit axis by axis."""
    return len(a) == len(b) and all(map(same_dim, a, b))


def same_sizes(a: Dims, b: Dims) -> bool:
    """Whether two shapes are as long axis by axis, whatever the axes are called."""
    pairs = [*zip(a, b, strict=False)]
    return len(a) == len(b) and all(x == y or size(x) == size(y) is not None for x, y in pairs)


def same_element(a: Element, b: Element) -> bool:
    """Whether entries are of one kind."""
    if isinstance(a, FinElement) and isinstance(b, FinElement):
        return same_dim(a.size, b.size)
    return a == b


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one type may stand where the other is wanted."""
    match given, wanted:
        case (Invalid(), _) | (_, Invalid()):
            return True
        case Array(), Array():
            return same_element(given.element, wanted.element) and same_dims(
                given.dims, wanted.dims
            )
        case Tuple(), Tuple():
            return len(given.items) == len(wanted.items) and all(
                map(fits, given.items, wanted.items)
            )
        case _:
            return given == wanted


def merge(a: Type, b: Type) -> Type:
    """The type of a value that is one of two that fit: named axes win over numbers."""
    if isinstance(a, Array) and isinstance(b, Array):
        return Array(a.element, tuple(map(named, a.dims, b.dims)))
    return b if isinstance(a, Invalid) else a


def lengths(t: Type) -> Lengths | None:
    """The lengths of a word, where it may have several."""
    match t:
        case Array(dims=(Lengths() as several,)):
            return several
        case _:
            return None


def of_length(t: Array, length: int) -> Array:
    """The type of a word, or of what is made of it, once its length is known."""

    def known(dim: Dim) -> Dim:
        return Fixed(length) if isinstance(dim, Lengths) else dim

    element = t.element
    if isinstance(element, FinElement):
        element = positions(known(element.size))
    return Array(element, tuple(map(known, t.dims)))


# --- words ----------------------------------------------------------------------------------


def show_dim(dim: Dim) -> str:
    """As the user writes it."""
    match dim:
        case Fixed(size=n):
            return str(n)
        case Axis(enum=name) | Space(name=name) | Variable(name=name):
            return name
        case Polynomial():
            return show_polynomial(dim)
        case Lengths(first=first, last=last):
            return f"{first}..{'' if last is None else last}"
        case _:
            assert_never(dim)


def show_dims(dims: Sequence[Dim]) -> str:
    """`[8, Char]`, or nothing for a scalar."""
    return f"[{', '.join(map(show_dim, dims))}]" if dims else ""


def show_real(dims: Dims) -> str:
    """A space by its name, a map by those of both."""
    match dims:
        case (Space(name=name),):
            return name
        case (Space(name=target), Space(name=source)):
            return f"{source} -> {target}"
        case _:
            return f"real{show_dims(dims)}"


def show_array(element: Element, dims: Dims) -> str:
    """As the user writes it."""
    match element:
        case RealElement():
            return show_real(dims)
        case BoolElement():
            return f"bool{show_dims(dims)}"
        case EnumElement(name=name):
            return f"{name}{show_dims(dims)}"
        case FinElement(size=n):
            return f"fin{show_dims([n, *dims])}"
        case _:
            assert_never(element)


def show(t: Type) -> str:
    """As the user writes it."""
    match t:
        case Array(element=element, dims=dims):
            return show_array(element, dims)
        case Tuple(items=items):
            return f"({', '.join(map(show, items))})"
        case Group(checkpoint=name, prefix=prefix):
            return ".".join((name, *prefix))
        case Record(name=name):
            return name
        case Invalid():
            return "?"
        case _:
            assert_never(t)


def described(t: Type) -> str:
    """As a part of a sentence."""
    match t:
        case Group():
            return f"the group of tensors `{show(t)}`"
        case Record():
            return f"the record `{show(t)}`"
        case _:
            return f"`{show(t)}`"
