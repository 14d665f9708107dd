"""What a patch does to tensors: a choice that is searched for, or a form that is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from circ.lang.span import Span
from circ.lang.syntax.domains import Formula
from circ.lang.syntax.expressions import Expr, Name, Slice
from circ.lang.syntax.patterns import Wildcard


@dataclass(frozen=True, slots=True, eq=False)
class TensorPath:
    """`m.blocks.0.mlp.W_out[:, 3]`, the target of an `edit`; no items is the whole tensor.

    `rank`, of `m.blocks.0.mlp.W_out rank 2`, is that which its change may have.
    """

    span: Span
    parts: tuple[Name, ...]
    items: tuple[Expr | Slice, ...] = ()
    rank: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """`m.W[:, _]`, the vectors of a tensor along one axis: `:` is theirs, `_` is any place of another.

    `m.W[:, 3]` and `m.W[:, 0:4]` are some of them; of an axis that no item names that is left open.
    """

    span: Span
    parts: tuple[Name, ...]
    items: tuple[Expr | Slice | Wildcard, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Spanned:
    """`span [v, w]`: a subspace that has no name."""

    span: Span
    vectors: Expr


@dataclass(frozen=True, slots=True, eq=False)
class EditClause:
    """`edit m.W, m.b[3]`: what may change as the requirements ask."""

    span: Span
    paths: tuple[TensorPath, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """`project m.W, m.b off Quote`: these vectors without their part in a subspace."""

    span: Span
    targets: tuple[Vectors, ...]
    subspace: Name | Spanned


@dataclass(frozen=True, slots=True, eq=False)
class Clamp:
    """`clamp m.W along v to [lo, hi]`: these vectors with so much of `v` as lies between two bounds."""

    span: Span
    targets: tuple[Vectors, ...]
    direction: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Graft:
    """`graft m.mlp at x in D margin 0.05 when g(x) => e`: units more, that add `e` where the guard is open.

    `rule` binds x, has the guard as its `where` and e as its body.
    """

    span: Span
    layer: tuple[Name, ...]
    rule: Formula
    margin: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Install:
    """`install m.mlp at x in D margin 0.05 => rule(x)`: the units that there are, made to compute this."""

    span: Span
    layer: tuple[Name, ...]
    rule: Formula
    margin: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class ClampUnits:
    """`clamp m.mlp at x in D along v to [lo, hi]`: units more, that add what x lacks of having so much of `v`.

    `rule` binds x and has v as its body.
    """

    span: Span
    layer: tuple[Name, ...]
    rule: Formula
    low: Expr
    high: Expr


Growing = Graft | ClampUnits
"""What adds units to a layer."""

LayerForm = Growing | Install
"""What is computed of a layer, and not of one tensor."""

Form = Project | Clamp | LayerForm
"""What is computed, and not searched for."""

Change = EditClause | Form


def changed_tensors(change: Change) -> tuple[TensorPath | Vectors, ...]:
    """The tensors that a clause changes, as it names them: those of a layer by the path that they stand below."""
    match change:
        case EditClause(paths=paths):
            return paths
        case Project(targets=targets) | Clamp(targets=targets):
            return targets
        case Graft(layer=layer) | Install(layer=layer) | ClampUnits(layer=layer):
            return (TensorPath(layer[0].span.to(layer[-1].span), layer),)
        case _:
            assert_never(change)
