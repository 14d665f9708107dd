"""Names, types and expressions as nodes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from circ.lang.span import Span
from circ.lang.syntax.patterns import Pattern, WordPattern


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """An identifier with its place: a declaration's name, a binder, a member."""

    text: str
    span: Span


# --- types ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class DimNumber:
    """`8` in `Char[8]`."""

    span: Span
    value: int


@dataclass(frozen=True, slots=True, eq=False)
class DimName:
    """`Char` in `real[Char]`, or the dimension variable `n` in `Char[n]`."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class DimLengths:
    """`1..64` in `Char[1..64]`; `last` is None in `Char[1..]`."""

    span: Span
    first: int
    last: int | None


@dataclass(frozen=True, slots=True, eq=False)
class DimBinary:
    """`3*d`, `n - 1`: arithmetic on dimensions."""

    span: Span
    op: Literal["+", "-", "*"]
    left: DimExpr
    right: DimExpr


DimExpr = DimNumber | DimName | DimBinary | DimLengths


@dataclass(frozen=True, slots=True, eq=False)
class TypeExpr:
    """`real[8, Char]`, `Char`, `Resid`, `bool`, `fin[8]`: an element's or a space's name, and dimensions.

    A map `A -> B` is `real[B, A]`, whose dimensions are names.
    """

    span: Span
    name: Name
    dims: tuple[DimExpr, ...]
    is_map: bool = False


# --- expressions ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """An exact decimal."""

    span: Span
    value: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Ref:
    """A name: a binder, a `let`, a circuit, a checkpoint, an enum or a member."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Quoted:
    """`"and"`: a member of an enum, whatever else has that name."""

    span: Span
    member: str


@dataclass(frozen=True, slots=True, eq=False)
class Attr:
    """`m.blocks.0.attn`, `f(x).hidden`, `Quote.none`, `m."odd key"`."""

    span: Span
    base: Expr
    part: Name


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """`4:8` inside an index; a missing end is the axis's own."""

    span: Span
    start: Expr | None
    stop: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """`x[-1]`, `w[:, 3]`, `logits[single]`."""

    span: Span
    base: Expr
    items: tuple[Expr | Slice, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """`heads = 12` in `f[heads = 12](x)`: a dimension that a call says."""

    span: Span
    name: Name
    dim: DimExpr


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`f(x)`: a circuit, or a function of the language (`relu`, `argmax`, …); `f[k = 8](x)` says a dimension."""

    span: Span
    function: Name
    args: tuple[Expr, ...]
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """`hidden[4:8] := e` in a `do`: one wire replaced."""

    span: Span
    path: tuple[Name, ...]
    items: tuple[Expr | Slice, ...]
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Do:
    """`f(x) do { hidden := 0 }`: the same call with wires replaced."""

    span: Span
    base: Expr
    edits: tuple[Edit, ...]


UnaryOp = Literal["-", "not", "old"]
BinaryOp = Literal["+", "-", "*", "/", "@", "and", "or", "implies"]
CompareOp = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`-x`, `not p`, `old e`."""

    span: Span
    op: UnaryOp
    operand: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """Arithmetic and logical connectives with two operands."""

    span: Span
    op: BinaryOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Compare:
    """A chain `a <= b < c`, or `a == b within e`; n operands, n - 1 operators."""

    span: Span
    operands: tuple[Expr, ...]
    ops: tuple[CompareOp, ...]
    within: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """`c in [single, double]`."""

    span: Span
    element: Expr
    choices: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """`s matches letter* blank`: whether the whole word has that form."""

    span: Span
    word: Expr
    pattern: WordPattern


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """`x as Resid`: the same numbers along axes of other names."""

    span: Span
    operand: Expr
    type: TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """`x on Quote`, the part of x in a subspace; `x off Quote`, the rest of it."""

    span: Span
    operand: Expr
    side: Literal["on", "off"]
    subspace: Name


@dataclass(frozen=True, slots=True, eq=False)
class Coords:
    """`coords(x, Quote)`, written as a call of `function`: how much of each vector of a subspace adds up to `x on Quote`."""

    span: Span
    function: Name
    operand: Expr
    subspace: Name


@dataclass(frozen=True, slots=True, eq=False)
class TupleExpr:
    """`(q, c)`: what a `match` may take apart."""

    span: Span
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ListExpr:
    """`[a, b, c]`: stacked along a new leading axis."""

    span: Span
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comprehension:
    """`[ e for c in s ]`: `e` for every entry of the leading axis of `s`, stacked."""

    span: Span
    body: Expr
    binder: Name
    source: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """`count { c in s | p }`: how many entries of `s`, or inputs of a domain, meet `p`, or are there.

    `count { s: Char[8] | p }` has a type for its source, and counts the values of that.
    """

    span: Span
    binder: Name
    source: Expr | TypeExpr
    condition: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """`fold q = e over c in s: body`."""

    span: Span
    state: Name
    initial: Expr
    binder: Name
    source: Expr
    body: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """`guard => value`; the guard of `else => value` is None."""

    span: Span
    guard: Expr | None
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """`cases { g => e, else => e }`: the first arm whose guard holds."""

    span: Span
    arms: tuple[Case, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """`pattern => value`."""

    span: Span
    pattern: Pattern
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """`match e { … }`: the first arm whose pattern fits."""

    span: Span
    subject: Expr
    arms: tuple[Arm, ...]


Expr = (
    Number
    | Ref
    | Quoted
    | Attr
    | Index
    | Call
    | Do
    | Unary
    | Binary
    | Compare
    | Member
    | Matches
    | Cast
    | Projection
    | Coords
    | TupleExpr
    | ListExpr
    | Comprehension
    | Count
    | Fold
    | Cases
    | Match
)
