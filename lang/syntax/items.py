"""The items of a module as nodes: declarations, domains, formulas, claims, patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from circ.lang.span import Span
from circ.lang.syntax.changes import Change, EditClause, Form, TensorPath
from circ.lang.syntax.domains import Binder, DomainValue, Formula, Parameter, Quantifier
from circ.lang.syntax.expressions import Expr, Name, TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """`use std.attention: attention`, or `use "rules.circ": state, rule`, which names a file."""

    span: Span
    module: Name
    is_file: bool
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EnumDecl:
    """`enum Quote = { none, in_single, in_double }`, or `enum Char from "vocab.json"`.

    Where a `file` lists the members they are added once it is read, each in the place of its name.
    """

    span: Span
    doc: str
    name: Name
    members: tuple[Name, ...]
    file: Name | None


@dataclass(frozen=True, slots=True, eq=False)
class SpaceDecl:
    """`space Resid = real[8]`: an axis with a name."""

    span: Span
    doc: str
    name: Name
    type: TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class SubspaceDecl:
    """`subspace Quote of Resid = span [m.single, m.double]`: what some vectors of a space span."""

    span: Span
    doc: str
    name: Name
    space: Name
    vectors: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """`mlp.W_in: real[32, 16]` in a record's braces, or a checkpoint's, where `*` stands for one part of a path."""

    span: Span
    path: tuple[Name, ...]
    type: TypeExpr


@dataclass(frozen=True, slots=True, eq=False)
class RecordDecl:
    """`record Mlp[d, h] = { W_in: real[h, d], b_in: real[h] }`: tensors that a circuit takes together."""

    span: Span
    doc: str
    name: Name
    dims: tuple[Name, ...]
    fields: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CheckpointDecl:
    """`checkpoint m from "model.safetensors" { … }`."""

    span: Span
    doc: str
    name: Name
    file: Name
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NetworkDecl:
    """`network f(x: real[8]) -> real[4] from "f.onnx"`: a graph from a file, with the types that it has here.

    Without a file it is handed over when the spec is opened.
    """

    span: Span
    doc: str
    name: Name
    params: tuple[Parameter, ...]
    result: TypeExpr
    file: Name | None


@dataclass(frozen=True, slots=True, eq=False)
class ParamDecl:
    """`param eps = 0.01`: a constant the command line may set."""

    span: Span
    doc: str
    name: Name
    type: TypeExpr | None
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Let:
    """`let hidden = e`: a site of its circuit."""

    span: Span
    name: Name
    type: TypeExpr | None
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class CircuitDecl:
    """`circuit f[n](x: real[n]) -> real[n] { let …  return e }`; `= e` has no lets.

    `guard open(x: Resid) = p` is a circuit to a truth that has a margin.
    """

    span: Span
    doc: str
    name: Name
    dims: tuple[Name, ...]
    params: tuple[Parameter, ...]
    result: TypeExpr
    lets: tuple[Let, ...]
    body: Expr
    is_guard: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class DomainDecl:
    """`domain Prompts = { s: Char[8] | … }`, or `domain Data: Char[8] from "prompts.json"`."""

    span: Span
    doc: str
    name: Name
    value: DomainValue


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """`forall i in fin[8] where p:` before another quantifier: what follows is asked for each value of `i`."""

    span: Span
    quantifier: Quantifier
    binders: tuple[Binder, ...]
    where: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class ClaimDecl:
    """`claim faithful [using a, b] [over float32] [expects refuted]: forall s in D: …`.

    `outer` is a quantifier before that of the formula.
    """

    span: Span
    doc: str
    name: Name
    using: tuple[Name, ...]
    over: Name | None
    expects: Literal["proved", "refuted"]
    outer: Head | None
    formula: Formula


@dataclass(frozen=True, slots=True, eq=False)
class PatchDecl:
    """`patch p of f { edit … project … require … preserve … minimize l2 }`; one `edit` at most."""

    span: Span
    doc: str
    name: Name
    circuit: Name
    changes: tuple[Change, ...]
    require: tuple[Formula, ...]
    preserve: tuple[Formula, ...]
    minimize: Name | None

    @property
    def edits(self) -> tuple[TensorPath, ...]:
        """What may change as the requirements ask."""
        clauses = (change for change in self.changes if isinstance(change, EditClause))
        return tuple(path for clause in clauses for path in clause.paths)

    @property
    def forms(self) -> tuple[Form, ...]:
        """What is computed, in order."""
        return tuple(change for change in self.changes if not isinstance(change, EditClause))


Item = (
    EnumDecl
    | SpaceDecl
    | SubspaceDecl
    | RecordDecl
    | CheckpointDecl
    | NetworkDecl
    | ParamDecl
    | CircuitDecl
    | DomainDecl
    | ClaimDecl
    | PatchDecl
)


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A parsed `.circ` text: what it says of itself, what it uses, and its items in order."""

    span: Span
    doc: str
    uses: tuple[Use, ...]
    items: tuple[Item, ...]
