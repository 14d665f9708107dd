"""What variables range over, and formulas that quantify over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from circ.lang.span import Span
from circ.lang.syntax.expressions import Expr, Name, TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """`s: Char[8]` of a circuit, or a binder `s: Char[8]` of a domain."""

    span: Span
    name: Name
    type: TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class FreshDomain:
    """`{ s: Char[8] | p }`; no condition means all values of the type."""

    span: Span
    binder: Parameter
    condition: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class SubDomain:
    """`{ s in D | p }`, or the bare name `D` (binder and condition None), where an enum is the domain of its members."""

    span: Span
    binder: Name | None
    base: Name
    condition: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class TypeDomain:
    """`Char[8]`, `fin[3]`: all values of a type. A bare name is a `SubDomain`, whatever it names."""

    span: Span
    type: TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class ProductDomain:
    """`{ s: Char[4], x in Box | p }`: inputs of several variables, of which the condition speaks together.

    What a variable ranges over is a `TypeDomain` or the name of a domain.
    """

    span: Span
    binders: tuple[Binder, ...]
    condition: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class SubProduct:
    """`{ (s, x) in P | p }`: those of the inputs of a product that meet a condition."""

    span: Span
    joint: Joint
    condition: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """`(s, x) in P`: a name for each variable of an input."""

    span: Span
    names: tuple[Name, ...]
    domain: DomainExpr

    @property
    def written(self) -> str:
        """The names as they are bound, `(s, x)`."""
        return f"({', '.join(name.text for name in self.names)})"


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """What one name of `(s, x) in P` ranges over: the variable of P at that place, which goes with the others."""

    span: Span
    joint: Joint
    place: int


DomainExpr = FreshDomain | SubDomain | TypeDomain | ProductDomain | SubProduct | Component
"""A `Component` is the domain of a binder alone."""


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """`Char[8] from "prompts.json"`, `real[16] from "acts.safetensors" at "resid"`: rows of a file."""

    span: Span
    type: TypeExpr
    file: Name
    tensor: Name | None


DomainValue = DomainExpr | DataSet
"""What a domain may be declared to be; a binder's own domain is no data set."""


Quantifier = Literal["forall", "exists"]


@dataclass(frozen=True, slots=True, eq=False)
class Binder:
    """`s in Prompts`, or one name of `s, t in Prompts` or of `(s, x) in Pairs`."""

    span: Span
    name: Name
    domain: DomainExpr


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """`forall s in D where p: q`; a formula without binders is a closed condition."""

    span: Span
    quantifier: Quantifier
    binders: tuple[Binder, ...]
    where: Expr | None
    body: Expr
