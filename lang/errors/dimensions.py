"""E0234 to E0236: dimensions of a circuit that a call says, leaves open, or makes impossible."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.binding import as_polynomial
from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.names import suggestion
from circ.lang.errors.spelling import nearest
from circ.lang.polynomials import show_polynomial
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.types import Binding, Dim, show_dim


def undetermined(span: Span, circuit: str, dim: Name) -> Diagnostic:
    """A dimension that neither the arguments nor the call say."""
    headline = f"the dimension `{dim.text}` of `{circuit}` is not found from the arguments"
    help = f"say it in the call, as in `{circuit}[{dim.text} = 2](…)`"
    return Diagnostic("E0234", headline, span, help=help)


def leaves_a_rest(
    span: Span, circuit: str, want: Dim, have: Dim, unknown: str, binding: Binding
) -> Diagnostic:
    """Arithmetic on dimensions that no whole number solves."""
    known = sorted(as_polynomial(want).names & binding.keys())
    where = ", ".join(f"{name} = {show_dim(binding[name])}" for name in known)
    length = show_polynomial(as_polynomial(have))
    headline = f"no whole number `{unknown}` makes `{show_dim(want)}` of `{circuit}` {length}"
    return Diagnostic("E0235", headline, span, f"with {where}" if where else "")


def unfit_size(span: Span, dim: str, value: int) -> Diagnostic:
    """A dimension that comes out as no size of an axis."""
    headline = f"`{dim}` is {value} here, which no axis can be long"
    help = "an axis has at least one entry" if value < 1 else "an axis is not as long as that"
    return Diagnostic("E0235", headline, span, help=help)


def too_long(span: Span, circuit: str, dim: str) -> Diagnostic:
    """Arithmetic on dimensions that grew from call to call."""
    headline = f"`{dim}` of `{circuit}` becomes too long a sum of products here"
    return Diagnostic("E0235", headline, span, help="give the dimension a name of its own")


def no_such_dimension(name: Name, circuit: str, known: Sequence[str]) -> Diagnostic:
    """A dimension that the circuit does not have."""
    help, fix = suggestion(name.span, nearest(name.text, known))
    headline = f"`{circuit}` has no dimension `{name.text}`"
    return Diagnostic("E0236", headline, name.span, "unknown", help=help, fix=fix)


def said_twice(name: Name) -> Diagnostic:
    """A dimension that one call says twice."""
    return Diagnostic("E0236", f"the dimension `{name.text}` is said twice", name.span)
