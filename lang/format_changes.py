"""What a patch does to tensors, as canonical text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from circ.lang.format_domains import format_domain
from circ.lang.format_expressions import STEP, SUM, format_expression, index, indices
from circ.lang.format_long import fits, fitted
from circ.lang.syntax import (
    Change,
    Clamp,
    ClampUnits,
    EditClause,
    Expr,
    Formula,
    Graft,
    Install,
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
    text = f"{word:<8} {rest}"
    match change:
        case Graft(rule=rule) | Install(rule=rule) if not fits(text, len(STEP)):
            head = text.removesuffix(format_expression(rule.body, 0, STEP)).rstrip()
            return f"{head}\n{STEP * 2}{fitted(rule.body, STEP * 2, 2 * len(STEP))}"
        case _:
            return text


def change_text(change: Change) -> str:
    """One clause on a line."""
    match change:
        case EditClause(paths=paths):
            return f"edit {', '.join(map(tensor_path, paths))}"
        case Project(targets=targets, subspace=subspace):
            return f"project {vectors(targets)} off {away(subspace)}"
        case Clamp(targets=targets, direction=direction, low=low, high=high):
            return f"clamp {vectors(targets)}{limits(direction, low, high)}"
        case ClampUnits(layer=layer, rule=rule, low=low, high=high):
            return f"clamp {dotted(layer)}{at_point(rule)}{limits(rule.body, low, high)}"
        case Graft(layer=layer, rule=rule, margin=margin):
            when = "" if rule.where is None else format_expression(rule.where, 0, STEP)
            start = f"graft {dotted(layer)}{at_point(rule)}{band(margin)}"
            return f"{start} when {when}{value(rule)}"
        case Install(layer=layer, rule=rule, margin=margin):
            return f"install {dotted(layer)}{at_point(rule)}{band(margin)}{value(rule)}"
        case _:
            assert_never(change)


def limits(direction: Expr, low: Expr, high: Expr) -> str:
    """` along v to [lo, hi]`."""
    to = ", ".join(format_expression(end, 0, STEP) for end in (low, high))
    return f" along {format_expression(direction, SUM, STEP)} to [{to}]"


def at_point(rule: Formula) -> str:
    """` at x in D`."""
    return f" at {', '.join(f'{b.name.text} in {format_domain(b.domain)}' for b in rule.binders)}"


def band(margin: Expr | None) -> str:
    """` margin 0.05`, where there is one."""
    return "" if margin is None else f" margin {format_expression(margin, SUM, STEP)}"


def value(rule: Formula) -> str:
    """` => e`."""
    return f" => {format_expression(rule.body, 0, STEP)}"


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
