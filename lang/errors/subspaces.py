"""E023x: subspaces, and the conditions of guards."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span
from circ.lang.types import Space, Type, described, show


def not_vectors(span: Span, found: Type, space: Space) -> Diagnostic:
    """What cannot span a subspace."""
    headline = (
        f"a subspace of `{space.name}` is spanned by vectors of it, but this is {described(found)}"
    )
    help = (
        f"give one vector, a list of them, or a matrix whose rows they are: `real[k, {space.name}]`"
    )
    return Diagnostic("E0230", headline, span, show(found), help=help)


def not_in_space(span: Span, found: Type, projection: str, space: Space) -> Diagnostic:
    """A projection of what does not lie in the subspace's space."""
    headline = f"`{projection}` is of vectors of `{space.name}`, but this is {described(found)}"
    return Diagnostic("E0230", headline, span, show(found))


def dependent(span: Span, name: str, vector: int) -> Diagnostic:
    """Vectors of which one lies in the span of those before it."""
    headline = f"the vectors of `{name}` are linearly dependent"
    what = (
        "vector 0 is zero"
        if vector == 0
        else f"vector {vector} is a combination of those before it"
    )
    help = f"{what}: leave it out, and the span is the same"
    return Diagnostic("E0231", headline, span, help=help)


def nearly_dependent(span: Span, name: str, vector: int, sine: float) -> Diagnostic:
    """Vectors of which one nearly lies in the span of those before it."""
    headline = f"the vectors of `{name}` are nearly dependent: what is projected there is exact, but may mean little"
    help = f"the sine of the angle of vector {vector} to the span of those before it is {sine:.1e}"
    return Diagnostic("E0231", headline, span, help=help, severity="warning")


def not_known(span: Span, name: str, why: str) -> Diagnostic:
    """Vectors that are not known when a claim is read; `why` in words."""
    headline = f"the vectors of `{name}` must be known exactly, without an input: {why}"
    return Diagnostic("E0232", headline, span)


def too_many_vectors(span: Span, count: int, most: int) -> Diagnostic:
    """A span of very many vectors."""
    headline = f"a subspace of {count} vectors is too large: {most} at most"
    return Diagnostic("E0232", headline, span)


def no_condition(span: Span) -> Diagnostic:
    """A part of a guard that has no margin."""
    headline = "a guard is made of comparisons of reals, joined by `and`, `or`, `not` and `implies`"
    help = "a condition without a margin is a `circuit` to `bool`"
    return Diagnostic("E0233", headline, span, help=help)
