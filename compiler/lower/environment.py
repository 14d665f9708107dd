"""What an expression is lowered in: the ops so far, and what each name stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from circ.compiler.builder import Builder
from circ.compiler.ir import Shape, Wire
from circ.lang.check.items import TypedModule
from circ.lang.span import Span
from circ.lang.syntax import DimExpr, DimNumber, EnumDecl, Expr, TypeExpr


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several values, for `match` to take apart."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tensors:
    """The tensors of a checkpoint below a prefix."""

    checkpoint: str
    prefix: tuple[str, ...]


Value = Wire | Tuple | Tensors
"""A wire is an int at run time; the other two are records."""


@dataclass(slots=True)
class Lowering:
    """One circuit in the making. `arms` gathers, for each `cases` arm, when it is reached."""

    typed: TypedModule
    params: Mapping[str, Fraction]
    lower: Callable[[Expr, Environment], Value]
    b: Builder = field(default_factory=Builder)
    arms: dict[Span, list[Wire]] = field(default_factory=dict[Span, list[Wire]])


@dataclass(frozen=True, slots=True)
class Environment:
    """Names in reach. `old`: whether tensors are those of the unpatched checkpoint."""

    low: Lowering
    locals: Mapping[str, Value] = field(default_factory=dict[str, Value])
    dims: Mapping[str, int] = field(default_factory=dict[str, int])
    old: bool = False

    @property
    def b(self) -> Builder:
        return self.low.b

    def lower(self, e: Expr) -> Value:
        """The value of `e`."""
        return self.low.lower(e, self)

    def wire(self, e: Expr) -> Wire:
        """The wire of an expression whose type is a tensor."""
        return as_wire(self.lower(e))

    def bind(self, name: str, value: Value) -> Environment:
        """This environment with one more local."""
        return replace(self, locals={**self.locals, name: value})

    def shape(self, t: TypeExpr) -> Shape:
        """The shape that an annotation means here."""
        dims = t.dims[1:] if t.name.text == "fin" else t.dims
        return tuple(map(self.side, dims))

    def side(self, dim: DimExpr) -> int:
        """How many entries a dimension has here."""
        if isinstance(dim, DimNumber):
            return dim.value
        if dim.name in self.dims:
            return self.dims[dim.name]
        enum = self.low.typed.scope.values[dim.name]
        assert isinstance(enum, EnumDecl)
        return len(enum.members)


def as_wire(value: Value) -> Wire:
    """The wire that the type checker has shown a value to be."""
    assert not isinstance(value, Tuple | Tensors), value
    return value
