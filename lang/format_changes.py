"""What a patch does to tensors, as canonical text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from circ.lang.format_expressions import STEP, SUM, format_expression, index, indices
from circ.lang.syntax import (
    Change,
    Clamp,
    EditClause,
    Expr,
    Name,
    Project,
    Slice,
    Spanned,
    TensorPath,
    Vectors,
    Wildcard,
)
from circ.lang.words import written_part


def format_change(change: Change) -> str:
    """One clause, its word as wide as the widest."""
    word, _, rest = change_text(change).partition(" ")
    return f"{word:<8} {rest}"


def change_text(change: Change) -> str:
    """One clause on a line."""
    match change:
        case EditClause(paths=paths):
            return f"edit {', '.join(map(tensor_path, paths))}"
        case Project(targets=targets, subspace=subspace):
            return f"project {vectors(targets)} off {away(subspace)}"
        case Clamp(targets=targets, direction=direction, low=low, high=high):
            to = ", ".join(format_expression(end, 0, STEP) for end in (low, high))
            along = format_expression(direction, SUM, STEP)
            return f"clamp {vectors(targets)} along {along} to [{to}]"
        case _:
            assert_never(change)


def away(subspace: Name | Spanned) -> str:
    """A subspace by its name, or `span [v, w]`."""
    match subspace:
        case Name(text=name):
            return name
        case Spanned(vectors=spanning):
            return f"span {format_expression(spanning, 0, STEP)}"
        case _:
            assert_never(subspace)


def tensor_path(path: TensorPath) -> str:
    """`m.blocks.0.mlp.W_out[:, 3]`, `m.blocks.0.mlp.W_out rank 2`."""
    rank = "" if path.rank is None else f" rank {path.rank}"
    return dotted(path.parts) + (indices(path.items, STEP) if path.items else "") + rank


def vectors(targets: Iterable[Vectors]) -> str:
    """`m.W[:, _], m.b`."""
    return ", ".join(dotted(each.parts) + places(each.items) for each in targets)


def places(items: Sequence[Expr | Slice | Wildcard]) -> str:
    """Places in their brackets; nothing where there are none."""
    texts = ("_" if isinstance(item, Wildcard) else index(item, STEP) for item in items)
    return f"[{', '.join(texts)}]" if items else ""


def dotted(parts: Sequence[Name]) -> str:
    """A path to a tensor."""
    first, *others = parts
    return ".".join([first.text, *(written_part(part.text) for part in others)])
