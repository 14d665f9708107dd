"""E024x: records, and the groups of tensors that are given for them."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.names import suggestion
from circ.lang.errors.spelling import nearest
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.types import Record, Type, described, show


def no_field(span: Span) -> Diagnostic:
    """A field that is no tensor."""
    help = "write its path without `*`, and a type of tensors or a record"
    return Diagnostic(
        "E0240", "a field of a record is a tensor, or a record of its own", span, help=help
    )


def sizes_of_record(span: Span, name: str, wanted: int, found: int) -> Diagnostic:
    """A record with too many or too few dimensions."""
    takes = f"{wanted} dimension{'' if wanted == 1 else 's'}" if wanted else "no dimensions"
    headline = f"`{name}` takes {takes}, but {found} {'is' if found == 1 else 'are'} given"
    return Diagnostic("E0240", headline, span)


def only_a_parameter(span: Span, name: str) -> Diagnostic:
    """A record where a value is wanted."""
    headline = f"`{name}` is a record: only a parameter of a circuit can be one"
    return Diagnostic("E0240", headline, span, help="give the type of the tensor that is meant")


def unknown_field(part: Name, record: str, known: Sequence[str]) -> Diagnostic:
    """A field that a record has not."""
    help, fix = suggestion(part.span, nearest(part.text, known))
    headline = f"`{record}` has no field `{part.text}`"
    listed = ", ".join(f"`{name}`" for name in known[:6]) + (", …" if len(known) > 6 else "")
    return Diagnostic("E0241", headline, part.span, help=help or f"it has {listed}", fix=fix)


def no_tensor(span: Span, found: Type, wanted: Record, role: str) -> Diagnostic:
    """A value where tensors of a checkpoint are wanted."""
    headline = f"{role} is {described(wanted)}, but this is {described(found)}"
    help = "name tensors of a checkpoint that stand below one path, as in `m.blocks.0.mlp`"
    return Diagnostic("E0242", headline, span, show(found), help=help)


def lacks_field(
    span: Span, given: Type, wanted: Record, path: str, known: Sequence[str]
) -> Diagnostic:
    """Tensors among which one is missing."""
    headline = f"{described(given)} has no `{path}`, which {described(wanted)} has"
    listed = ", ".join(f"`{name}`" for name in known[:6]) + (", …" if len(known) > 6 else "")
    near = nearest(path, known)
    help = f"it has `{near}`" if near else f"it has {listed}" if known else ""
    return Diagnostic("E0242", headline, span, help=help)


def field_differs(span: Span, path: str, found: Type, wanted: Record, field: Type) -> Diagnostic:
    """Tensors of which one has another type."""
    headline = (
        f"`{path}` of {described(wanted)} is {described(field)}, but here it is {described(found)}"
    )
    return Diagnostic("E0242", headline, span, f"{path}: {show(found)}")
