"""E02xx: values whose types do not fit where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.types import Array, Type, same_element, show


def mismatch(
    span: Span, found: Type, wanted: Type, role: str, why: tuple[Label, ...] = ()
) -> Diagnostic:
    """A value of one type where another is wanted; `role` says who wants it."""
    headline = f"{role} is `{show(wanted)}`, but this is `{show(found)}`"
    return Diagnostic("E0201", headline, span, show(found), why, size_hint(found, wanted))


def wrong_kind(span: Span, found: Type, wanted: str, role: str, help: str = "") -> Diagnostic:
    """A value of the wrong kind; `wanted` names the kind in words."""
    headline = f"{role} needs {wanted}, but this is `{show(found)}`"
    return Diagnostic("E0201", headline, span, show(found), help=help)


def operands_differ(span: Span, op: str, left: Span, right: Span, a: Type, b: Type) -> Diagnostic:
    """Two operands whose shapes or elements do not fit."""
    if isinstance(a, Array) and isinstance(b, Array) and same_element(a.element, b.element):
        what = "shapes"
    else:
        what = "types"
    why = (Label(left, show(a)), Label(right, show(b)))
    headline = f"the two sides of `{op}` have different {what}: `{show(a)}` and `{show(b)}`"
    return Diagnostic("E0202", headline, span, "", why, size_hint(a, b))


def size_hint(a: Type, b: Type) -> str:
    """What to say when only the axes' names differ."""
    if not (isinstance(a, Array) and isinstance(b, Array)):
        return ""
    if same_element(a.element, b.element) and len(a.dims) == len(b.dims):
        sizes = [(x, y) for x, y in zip(a.dims, b.dims, strict=True)]
        if all(getattr(x, "size", None) == getattr(y, "size", None) for x, y in sizes):
            return "equal sizes are not enough: the axes are named differently"
    if not a.dims or not b.dims:
        return "a scalar is broadcast, anything else must have the same shape"
    return ""


def argument_count(call: Span, name: str, wanted: str, found: int) -> Diagnostic:
    """Too many or too few arguments."""
    headline = f"`{name}` takes {wanted}, but {found} {'is' if found == 1 else 'are'} given"
    return Diagnostic("E0204", headline, call)


def too_many_indices(span: Span, base: Type) -> Diagnostic:
    """More indices than axes, or an index into a scalar."""
    return Diagnostic("E0205", f"`{show(base)}` has no axis for this index", span)


def index_range(span: Span, index: int, size: int) -> Diagnostic:
    """An index past the end."""
    headline = f"index {index} is out of range: the axis has {size} entries"
    return Diagnostic("E0206", headline, span, help=f"indices go from {-size} to {size - 1}")


def wrong_index(span: Span, found: Type, axis: str) -> Diagnostic:
    """An index of a type that does not range over the axis."""
    headline = f"`{show(found)}` does not index an axis of `{axis}`"
    return Diagnostic("E0207", headline, span, show(found))


def not_exhaustive(span: Span, missing: Sequence[str]) -> Diagnostic:
    """A match that leaves a value without an arm."""
    shown = ", ".join(f"`{m}`" for m in missing[:4]) + (", …" if len(missing) > 4 else "")
    help = "add an arm for it, or `_ => …` for everything else"
    return Diagnostic("E0208", f"this match has no arm for {shown}", span, help=help)


def unreachable_arm(span: Span) -> Diagnostic:
    """An arm behind arms that already take everything it fits."""
    headline = "this arm is never reached: the arms before it take all it fits"
    return Diagnostic("E0209", headline, span, severity="warning")


def no_else(span: Span) -> Diagnostic:
    """`cases` that may fall through."""
    return Diagnostic("E0210", "`cases` needs a last arm `else => …`", span)


def wrong_pattern(span: Span, subject: Type) -> Diagnostic:
    """A pattern that fits no value of the subject."""
    return Diagnostic("E0211", f"this pattern fits no value of `{show(subject)}`", span)


def tensor_order(span: Span, where: str) -> Diagnostic:
    """A comparison of tensors where "all entries" may not be what is meant."""
    headline = f"a comparison of tensors is ambiguous under {where}"
    help = "write `all(…)` or `any(…)` around it"
    return Diagnostic("E0212", headline, span, "compares many entries", help=help)


def product_sizes(span: Span, left: Span, right: Span, a: Type, b: Type) -> Diagnostic:
    """A matrix product whose inner axes differ."""
    why = (Label(left, show(a)), Label(right, show(b)))
    headline = f"`@` cannot multiply `{show(a)}` by `{show(b)}`: the inner axes differ"
    help = "a matrix times a vector is `W @ x` with W: real[out, in] and x: real[in]"
    return Diagnostic("E0213", headline, span, "", why, help)


def not_constant(span: Span, what: str) -> Diagnostic:
    """A value that must be known without running anything."""
    return Diagnostic("E0214", f"{what} must be a constant", span)


def unknown_type(name: Name, known: Sequence[str]) -> Diagnostic:
    """A type or dimension that nothing declares."""
    from circ.lang.errors.names import nearest, suggestion

    help, fix = suggestion(name.span, nearest(name.text, known))
    headline = f"there is no type or dimension `{name.text}`"
    return Diagnostic("E0215", headline, name.span, "unknown", help=help, fix=fix)


def entry_differs(span: Span, tensor: str, file: str, declared: Type, stored: str) -> Diagnostic:
    """A checkpoint entry declared with another shape than the file has."""
    headline = f"`{tensor}` is declared `{show(declared)}`, but {file} stores {stored}"
    return Diagnostic("E0216", headline, span, f"the file has {stored}", help=transposed(declared))


def transposed(declared: Type) -> str:
    """A hint for matrices, the usual mistake."""
    if isinstance(declared, Array) and len(declared.dims) == 2:
        return "is it transposed? Circ writes a map from `in` to `out` as real[out, in]"
    return ""


def divides_by_zero(span: Span) -> Diagnostic:
    """A constant divisor that is zero."""
    return Diagnostic("E0217", "division by zero", span)


def bad_dimension(span: Span, why: str) -> Diagnostic:
    """A dimension that cannot stand here."""
    return Diagnostic("E0218", why, span)


def empty_axis(span: Span, what: str) -> Diagnostic:
    """A reduction or list without entries."""
    return Diagnostic("E0219", f"{what} needs at least one entry", span)
