"""E0618 to E0626: layers whose units a patch adds or replaces."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span
from circ.lang.types import Array, Dim, show, show_dim


def no_layer(span: Span, path: str, layouts: Sequence[Sequence[str]]) -> Diagnostic:
    """A path below which the tensors of no layer stand."""
    headline = f"`{path}` is no layer with hidden units"
    known = ", or ".join(" ".join(f"`{name}`" for name in names) for names in layouts)
    return Diagnostic("E0618", headline, span, "no layer", help=f"a layer has {known}")


def wrong_shapes(
    span: Span, names: str, kinds: Sequence[Array], ends: tuple[Dim, Dim]
) -> Diagnostic:
    """Tensors that are no layer from one axis to another."""
    told = ", ".join(map(show, kinds))
    headline = f"these tensors are no layer from {show_dim(ends[0])} to {show_dim(ends[1])} numbers"
    return Diagnostic("E0618", headline, span, told, help=f"they are {names}")


def no_side(span: Span, found: Dim, wanted: Dim) -> Diagnostic:
    """A rule that gives another vector than the layer writes."""
    headline = f"the layer writes {show_dim(wanted)} numbers, and this is {show_dim(found)}"
    return Diagnostic("E0618", headline, span, "")


def two_ways(span: Span, name: str) -> Diagnostic:
    """Square matrices, of which a unit may be a row or a column."""
    headline = f"a unit may be a row of `{name}`, or a column: it is square"
    help = "say which in the braces of `checkpoint`, with a `space` for the units and one for what the layer reads"
    return Diagnostic("E0619", headline, span, help=help)


def not_one_layer(span: Span, why: str) -> Diagnostic:
    """A rule that takes more than a hidden layer of relu."""
    headline = f"no hidden layer is this rule, as far as it is read: there is {why}"
    help = "a layer follows sums, one bend at a time (`relu`, `abs`, `max` and `min` of two, `clamp`), and a guard of one condition with a margin"
    return Diagnostic("E0620", headline, span, "not a layer", help=help)


def too_few_units(span: Span, needed: int, width: int) -> Diagnostic:
    """A rule that takes more units than a layer has."""
    headline = f"this takes {needed} unit{'s' * (needed != 1)}, and the layer has {width}"
    return Diagnostic(
        "E0621", headline, span, f"{needed} units", help="`graft` adds units to a layer"
    )


def changes_nothing(span: Span, *, shut: bool) -> Diagnostic:
    """A guard that the domain decides."""
    where = "shut" if shut else "open"
    headline = f"on all of the domain the guard is {where}, or nothing is added behind it"
    return Diagnostic("E0622", headline, span, "nothing to guard")


def within_already(span: Span) -> Diagnostic:
    """A `clamp` to bounds that the domain keeps."""
    headline = "on all of the domain there is so much of it already, or there is no such input"
    return Diagnostic("E0622", headline, span, "nothing to clamp")


def no_band(span: Span, margin: Fraction) -> Diagnostic:
    """A margin that leaves a guard no band."""
    headline = f"a margin is above 0, and this is {margin}"
    return Diagnostic("E0623", headline, span)


def width_in_config(file: str, key: str, width: int, units: int) -> Diagnostic:
    """A file beside the checkpoint that says how many units its layers have."""
    headline = (
        f"`{file}` says that layers have {width} units (`{key}`), and this one is to have {units}"
    )
    help = "write the checkpoint to another folder (`--out`), and load it by what it holds"
    return Diagnostic("E0624", headline, None, help=help)


def computed_twice(span: Span, first: Span, tensor: str) -> Diagnostic:
    """A tensor of a layer that something else is computed of."""
    headline = f"`{tensor}` is computed twice: units are all that may be added to a layer's tensors"
    return Diagnostic("E0625", headline, span, "again", (Label(first, "first here"),))


def reads_another(span: Span, taken: Dim, given: Dim) -> Diagnostic:
    """A `clamp` of a layer that does not read such a vector as it writes."""
    sides = f"{show_dim(taken)} numbers and writes {show_dim(given)}"
    headline = f"units clamp what a layer reads by what it writes, and this one reads {sides}"
    help = "`clamp` the weights of one of its matrices"
    return Diagnostic("E0626", headline, span, help=help)
