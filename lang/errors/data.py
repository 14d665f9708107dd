"""E0415 to E0418: files that list members of an enum or the rows of a data set."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span
from circ.lang.words import quoted


def no_vocabulary(span: Span, path: str, reason: str) -> Diagnostic:
    """A file that lists no members of an enum, and why not."""
    headline = f"`{path}` is no list of members: {reason}"
    help = 'write `["a", "b"]`, or each member with its index, `{"a": 0, "b": 1}`'
    return Diagnostic("E0415", headline, span, help=help)


def not_json(span: Span, path: str, reason: str) -> Diagnostic:
    """A file that is no JSON, or holds what no list of words does."""
    return Diagnostic("E0416", f"`{path}` cannot be read as JSON: {reason}", span)


def which_tensor(span: Span, path: str, known: Sequence[str]) -> Diagnostic:
    """Rows from a file of several tensors, or of none."""
    headline = f"`{path}` has {len(known):,} tensors, and one of them has the rows"
    help = f"name it: `at {quoted(min(known))}`" if known else "name another file"
    return Diagnostic("E0417", headline, span, help=help)


def no_tensor_there(span: Span, row: str) -> Diagnostic:
    """`at` behind a list of words."""
    headline = f"rows of `{row}` are listed in JSON, which has no tensors"
    return Diagnostic("E0417", headline, span, help="leave `at` out")


def bad_rows(span: Span, path: str, row: str, reason: str) -> Diagnostic:
    """A file whose rows are no values of the type that is declared."""
    headline = f"`{path}` does not list values of `{row}`: {reason}"
    return Diagnostic("E0418", headline, span, help="every row is one value of the type")
