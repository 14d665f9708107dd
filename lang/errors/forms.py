"""E0606 to E0612: what a patch may compute of tensors."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span
from circ.lang.types import Array, Axis, Dim, Space, show, size


def other_checkpoint(span: Span, first: Span, checkpoint: str) -> Diagnostic:
    """A patch of tensors of two checkpoints."""
    headline = f"a patch changes one checkpoint, and `{checkpoint}` is another"
    help = "make a patch for each"
    return Diagnostic("E0606", headline, span, "another", (Label(first, "first here"),), help)


def no_axis(span: Span, tensor: str, found: Array, wanted: Dim) -> Diagnostic:
    """A tensor without an axis along which its vectors could be taken."""
    headline = f"`{tensor}` is `{show(found)}`: no axis left open is {counted(wanted)}"
    return Diagnostic("E0607", headline, span, show(found))


def several_axes(
    span: Span, tensor: str, found: Array, axes: Sequence[int], wanted: Dim
) -> Diagnostic:
    """A tensor whose vectors could be taken along one axis or another."""
    headline = f"several axes of `{tensor}` are {counted(wanted)}"
    ways = " or ".join(f"`{tensor}{marked(at, len(found.dims))}`" for at in axes)
    help = f"say which with `:`, and `_` for the others: {ways}"
    return Diagnostic("E0608", headline, span, show(found), help=help)


def marked(axis: int, axes: int) -> str:
    """`[:, _]`."""
    return f"[{', '.join(':' if at == axis else '_' for at in range(axes))}]"


def counted(dim: Dim) -> str:
    """An axis as a part of a sentence."""
    if isinstance(dim, Space):
        return f"of `{dim.name}`"
    return f"of `{dim.enum}`" if isinstance(dim, Axis) else f"of {size(dim)} entries"


def edited_as_well(span: Span, first: Span, tensor: str) -> Diagnostic:
    """A tensor that is searched for and computed."""
    headline = f"`{tensor}` is both edited and computed: an edit would undo what is computed"
    return Diagnostic("E0609", headline, span, "again", (Label(first, "first here"),))


def nothing_searched(span: Span) -> Diagnostic:
    """A norm to minimize where there is nothing to choose."""
    headline = "`minimize` says which edit is looked for, and this patch has no `edit`"
    return Diagnostic("E0610", headline, span)


def no_direction(span: Span) -> Diagnostic:
    """The zero vector as a direction."""
    return Diagnostic("E0611", "nothing lies along a vector that is zero", span)


def empty_range(span: Span, other: Span) -> Diagnostic:
    """Bounds of a `clamp` that leave nothing between them."""
    headline = "the lower bound is above the upper one"
    return Diagnostic("E0612", headline, span, "lower", (Label(other, "upper"),))
