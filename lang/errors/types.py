"""E02xx: values whose types do not fit where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.errors.hints import (
    cast_hint,
    each_index_hint,
    entry_hint,
    largest_hint,
    named_apart,
    position_hint,
    size_hint,
)
from circ.lang.errors.names import suggestion
from circ.lang.errors.spelling import nearest
from circ.lang.polynomials import Polynomial, combined, show_polynomial
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.types import (
    Array,
    Axis,
    Dim,
    Type,
    described,
    same_dim,
    same_dims,
    same_element,
    show,
    show_dim,
)


def mismatch(span: Span, found: Type, wanted: Type, role: str, help: str = "") -> Diagnostic:
    """A value of one type where another is wanted; `role` says who wants it."""
    headline = f"{role} is {described(wanted)}, but this is {described(found)}"
    help = help or size_hint(span, found, wanted) or entry_hint(span, found, wanted)
    help = help or position_hint(found, wanted)
    return Diagnostic("E0201", headline, span, show(found), help=help)


def wrong_kind(span: Span, found: Type, wanted: str, role: str, help: str = "") -> Diagnostic:
    """A value of the wrong kind; `wanted` names the kind in words."""
    headline = f"{role} needs {wanted}, but this is {described(found)}"
    return Diagnostic("E0201", headline, span, show(found), help=help)


def operands_differ(span: Span, who: str, left: Span, right: Span, a: Type, b: Type) -> Diagnostic:
    """Two operands whose shapes or elements do not fit; `who` names them in words."""
    why = (Label(left, show(a)), Label(right, show(b)))
    if named_apart(a, b):
        headline = f"{who} have axes of different names: {described(a)} and {described(b)}"
        return Diagnostic("E0203", headline, span, "", why, cast_hint(right, a))
    headline = f"{who} have different {difference(a, b)}"
    return Diagnostic("E0202", headline, span, "", why, largest_hint(left, right, a, b))


def parts_differ(span: Span, parts: str, first: Span, a: Type, b: Type) -> Diagnostic:
    """Entries of a list, or arms, whose shapes or elements do not fit; `parts` in words."""
    why = (Label(first, show(a)),)
    if named_apart(a, b):
        headline = f"{parts} have axes of different names: {described(a)} and {described(b)}"
        return Diagnostic("E0203", headline, span, show(b), why, cast_hint(span, a))
    headline = f"{parts} have different {difference(a, b)}"
    return Diagnostic("E0202", headline, span, show(b), why)


def no_cast(span: Span, operand: Span, found: Type, wanted: Type) -> Diagnostic:
    """A value that cannot be had as the type that `as` names."""
    why = (Label(operand, show(found)),)
    headline = f"{described(found)} cannot be read as {described(wanted)}"
    help = "`as` changes the names of axes, not how many there are, how long they are, or of what"
    return Diagnostic("E0229", headline, span, "", why, help)


def difference(a: Type, b: Type) -> str:
    """What differs between two types, and the two."""
    what = "types"
    if isinstance(a, Array) and isinstance(b, Array) and same_element(a.element, b.element):
        what = "shapes"
    return f"{what}: {described(a)} and {described(b)}"


def argument_count(call: Span, name: str, wanted: str, found: int) -> Diagnostic:
    """Too many or too few arguments."""
    headline = f"`{name}` takes {wanted}, but {found} {'is' if found == 1 else 'are'} given"
    return Diagnostic("E0204", headline, call)


def too_many_indices(span: Span, base: Type) -> Diagnostic:
    """More indices than axes, or an index into a scalar."""
    return Diagnostic("E0205", f"`{show(base)}` has no axis for this index", span)


def index_range(span: Span, index: int, entries: int) -> Diagnostic:
    """An index past the end."""
    headline = f"index {index} is out of range: the axis has {counted(entries)}"
    return Diagnostic("E0206", headline, span, help=f"indices go from {-entries} to {entries - 1}")


def place_range(span: Span, index: int, entries: int) -> Diagnostic:
    """Arithmetic in an index that leaves the axis."""
    headline = f"this place is {index} here, but the axis has {counted(entries)}"
    help = f"places go from 0 to {entries - 1}; a leading minus counts from the back"
    return Diagnostic("E0206", headline, span, help=help)


def slice_range(span: Span, start: Polynomial, stop: Polynomial, entries: int | None) -> Diagnostic:
    """A slice past an end, or one that keeps nothing; ends are counted from the front."""
    first, last = show_polynomial(start), show_polynomial(stop)
    kept = combined("-", stop, start).constant
    if entries is not None and (kept is None or kept > 0):
        headline = f"this slice, {first} to {last}, leaves its axis, which has {counted(entries)}"
        return Diagnostic("E0206", headline, span)
    headline = f"this slice keeps nothing: it starts at {first} and stops before {last}"
    return Diagnostic("E0206", headline, span)


def position_range(span: Span, value: object, entries: int | None) -> Diagnostic:
    """A number that is no value of the `fin[n]` it is compared with."""
    kind = f"`fin[{entries}]`" if entries is not None else "`fin[n]`"
    help = "its values are the whole numbers from 0" + (f" to {entries - 1}" if entries else "")
    return Diagnostic("E0206", f"{value} is no value of {kind}", span, help=help)


def keeps_too_many(span: Span, count: object, entries: int) -> Diagnostic:
    """A `topk` of more entries than there are, or of fewer than none."""
    headline = f"`topk` cannot keep {count} of {counted(entries)}"
    return Diagnostic("E0206", headline, span, help=f"it keeps 0 to {entries}")


def counted(entries: int) -> str:
    """A number of entries in words."""
    return "1 entry" if entries == 1 else f"{entries} entries"


def wrong_index(span: Span, found: Type, dim: Dim) -> Diagnostic:
    """An index of a type that does not range over the axis."""
    entries = f"`{show_dim(dim)}`" if isinstance(dim, Axis) else f"{show_dim(dim)} entries"
    headline = f"{described(found)} does not index an axis of {entries}"
    help = "an index is a whole number, or a value of the type that counts the axis"
    return Diagnostic(
        "E0207", headline, span, show(found), help=each_index_hint(span, found) or help
    )


def not_exhaustive(span: Span, subject: Sequence[Type], missing: Sequence[str]) -> Diagnostic:
    """A match that leaves a value of its `subject`, of one or several types, without an arm."""
    shown = ", ".join(f"`{m}`" for m in missing[:4]) + (", …" if len(missing) > 4 else "")
    help = "add an arm for what is missing, or `_ => …` for everything else"
    types = ", ".join(map(show, subject))
    label = types if len(subject) == 1 else f"({types})"
    return Diagnostic("E0208", f"this match has no arm for {shown}", span, label, help=help)


def too_many_values(span: Span, most: int) -> Diagnostic:
    """A match whose table would be too large."""
    headline = f"this match goes over more than {most:,} combinations of values"
    return Diagnostic("E0223", headline, span, help="match fewer values at once")


def unreachable_arm(span: Span) -> Diagnostic:
    """An arm behind arms that already take everything it fits."""
    headline = "this arm is never reached: the arms before it take all it fits"
    return Diagnostic("E0209", headline, span, severity="warning")


def no_else(span: Span) -> Diagnostic:
    """`cases` that may fall through."""
    return Diagnostic("E0210", "`cases` needs a last arm `else => …`", span)


def wrong_pattern(span: Span, subject: Type, near: str | None = None) -> Diagnostic:
    """A pattern that fits no value of the subject; `near` is a member that is spelt alike."""
    help, fix = suggestion(span, near)
    headline = f"this pattern fits no value of {described(subject)}"
    return Diagnostic("E0211", headline, span, help=help, fix=fix)


def tensor_order(span: Span, where: str) -> Diagnostic:
    """A comparison of tensors where "all entries" may not be what is meant."""
    headline = f"a comparison of tensors is ambiguous {where}"
    help = "write `all(…)` or `any(…)` around it"
    return Diagnostic("E0212", headline, span, "compares many entries", help=help)


def product_sizes(span: Span, left: Span, right: Span, a: Type, b: Type) -> Diagnostic:
    """A matrix product whose inner axes differ, or of a number."""
    why = (Label(left, show(a)), Label(right, show(b)))
    scalar = isinstance(a, Array) and isinstance(b, Array) and not (a.dims and b.dims)
    reason = "a number multiplies with `*`" if scalar else "the inner axes differ"
    headline = f"`@` cannot multiply {described(a)} by {described(b)}: {reason}"
    help = "a matrix times a vector is `W @ x` with W: real[out, in] and x: real[in]"
    if input_first(a, b) and "\n" not in left.text + right.text:
        help = f"if the matrix is stored input-first, as GPT-2's are, write `{right.text} @ {left.text}`"
    return Diagnostic("E0213", headline, span, "", why, help)


def input_first(a: Type, b: Type) -> bool:
    """Whether a matrix would take a vector if it stood on the other side, and only there."""
    if not (isinstance(a, Array) and isinstance(b, Array) and len(a.dims) == 2):
        return False
    return len(b.dims) == 1 and same_dim(a.dims[0], b.dims[0])


def not_constant(span: Span, what: str, wanted: str = "a constant") -> Diagnostic:
    """A value that must be known without running anything; `wanted` says in what form."""
    return Diagnostic("E0214", f"{what} must be {wanted}", span)


def edit_place(span: Span) -> Diagnostic:
    """An edit at a place that depends on a variable."""
    help = (
        "go through the places: `h := [ cases { j == i => e, else => it[j] } for j in fin[n] ]`, "
        "or claim it of each by itself: `forall i in fin[n]: forall x in D: …`"
    )
    return Diagnostic("E0214", "the place of an edit must be a constant", span, help=help)


def unknown_type(name: Name, known: Sequence[str]) -> Diagnostic:
    """A type or dimension that nothing declares."""
    help, fix = suggestion(name.span, nearest(name.text, known))
    headline = f"there is no type or dimension `{name.text}`"
    return Diagnostic("E0215", headline, name.span, "unknown", help=help, fix=fix)


def entry_differs(span: Span, tensor: str, file: str, declared: Type, stored: Array) -> Diagnostic:
    """A checkpoint entry declared with another shape than the file has."""
    headline = f"`{tensor}` is declared {described(declared)}, but `{file}` stores `{show(stored)}`"
    label = f"the file has {show(stored)}"
    return Diagnostic("E0216", headline, span, label, help=transposed(declared, stored))


def transposed(declared: Type, stored: Array) -> str:
    """A hint for matrices, the usual mistake."""
    if not isinstance(declared, Array) or same_dims(declared.dims, stored.dims):
        return ""
    if same_dims(declared.dims[::-1], stored.dims):
        return "GPT-2 stores matrices input-first: if this is one, declare what is stored, and write `x @ W`"
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


def within_order(span: Span, op: str) -> Diagnostic:
    """A tolerance on an order, where it would say nothing that the order does not."""
    help = f"write the tolerance into a side: `a {op} b + e`"
    return Diagnostic("E0220", f"`within` goes with `==`, not with `{op}`", span, help=help)


def may_vanish(span: Span, *, edited: bool = False) -> Diagnostic:
    """A divisor that is not known, perhaps because a patch edits it, and may come close to zero."""
    help = (
        "keep what is never negative clear of zero: `x / sqrt(dot(x, x) + 0.00001)`, or "
        "`x / (relu(k - 1) + 1)` for a count `k`; the mean over an axis is `mean(x)`"
    )
    headline = "a divisor must be known beforehand, or certainly keep clear of zero"
    if edited:
        help = "the patch edits a tensor that this is made of; leave that as it is, or keep the divisor clear of zero"
    return Diagnostic("E0227", headline, span, help=help)


def may_be_negative(span: Span) -> Diagnostic:
    """What a root is taken of, where it is no constant and not certainly positive or zero."""
    help = "squares, their sums and means, and `relu` are never negative"
    headline = "what `sqrt` reads must be a constant, or certainly not negative"
    return Diagnostic("E0227", headline, span, help=help)


def negative_root(span: Span) -> Diagnostic:
    """The square root of a negative constant."""
    return Diagnostic("E0221", "the square root of a negative number", span)


def too_large_a_circuit(span: Span, what: str) -> Diagnostic:
    """A circuit that would not fit in memory once it is unfolded; `what` says which limit."""
    headline = f"this unfolds to more than {what}"
    help = "shorten the axes that it goes over, or let fewer circuits call one another"
    return Diagnostic("E0222", headline, span, help=help)


def too_many_positions(span: Span, positions: int, most: int) -> Diagnostic:
    """A comparison of positions whose table would be too large."""
    headline = f"comparing values of `fin[{positions}]` takes a table of more than {most:,} entries"
    help = "compare with a number, or with `==`"
    return Diagnostic("E0226", headline, span, help=help)


def no_word(span: Span, found: Type) -> Diagnostic:
    """A pattern of words for something that is none."""
    help = "a word has one axis, with letters from an enum or from `fin[n]`"
    return wrong_kind(span, found, "a word", "`matches`", help)


def wrong_letter(span: Span, word: Type, near: str | None) -> Diagnostic:
    """A letter that no word of this type has; `near` is a member that is spelt alike."""
    headline = f"`{span.text}` is no letter of {described(word)}"
    if re.search(r"[*+?|(_.]", span.text) and span.text.startswith('"'):
        help = "a quoted text is one letter; a pattern stands bare: `s matches a b*`"
        return Diagnostic("E0211", headline, span, help=help)
    help, fix = suggestion(span, near)
    return Diagnostic("E0211", headline, span, help=help, fix=fix)


def pattern_too_large(span: Span, what: str) -> Diagnostic:
    """A pattern of words that would take too long to turn into an automaton."""
    headline = f"this pattern needs more than {what}"
    help = "write smaller counts, or say where in the word a part stands"
    return Diagnostic("E0224", headline, span, help=help)


def pattern_decided(span: Span, length: int, *, fits: bool) -> Diagnostic:
    """A pattern that every word of the length fits, or none."""
    many = "1 letter" if length == 1 else f"{length} letters"
    headline = f"{'every' if fits else 'no'} word of {many} matches this pattern"
    help = "" if fits else "a pattern is for the whole word, from its first letter to its last"
    return Diagnostic("E0225", headline, span, help=help, severity="warning")


def no_margin(span: Span) -> Diagnostic:
    """The margin of a truth that is not made of comparisons of reals."""
    headline = "a margin is the slack of comparisons of reals, and this is made of others"
    help = "members, positions and states are equal or not: claim it of the scores that choose them"
    return Diagnostic("E0228", headline, span, "no margin", help=help)
