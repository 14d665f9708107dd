"""Numbers of a patch that are known before any input is, exactly."""

from __future__ import annotations

from fractions import Fraction

from circ.compiler.inverse import Matrix
from circ.compiler.ir import Wire
from circ.compiler.lower.constants import constant
from circ.compiler.lower.environment import Environment
from circ.compiler.lower.quantities import restricted
from circ.compiler.lower.subspaces import as_rows, matrix
from circ.lang.diagnostic import CircError
from circ.lang.errors.forms import empty_range, no_direction
from circ.lang.errors.subspaces import not_known
from circ.lang.errors.types import not_constant
from circ.lang.span import Span
from circ.lang.syntax import Expr


def single_row(direction: Expr, env: Environment) -> tuple[Fraction, ...]:
    """The vector of a `clamp`; raises `CircError` where it is not known exactly, or is zero."""
    (found,) = rows_of(as_rows(env.wire(direction), env), direction.span, env)
    if not any(found):
        raise CircError(no_direction(direction.span))
    return found


def rows_of(vectors: Wire, span: Span, env: Environment) -> Matrix:
    """The rows of a matrix, exactly; raises `CircError` where they are irrational or depend on an input."""
    circuit, text = restricted(env.low, {"vectors": vectors}), " ".join(span.text.split())
    if circuit.inputs:
        raise CircError(not_known(span, text, "they depend on one"))
    count, width = env.b.shape(vectors)
    return matrix(circuit, (count, width), env, not_known(span, text, "they are irrational"))


def bounds_of(low: Expr, high: Expr, env: Environment) -> tuple[Fraction, Fraction]:
    """The bounds of a `clamp`; raises `CircError` where one is irrational, or nothing lies between them."""
    first, last = (rational(end, "a bound", env) for end in (low, high))
    if first > last:
        raise CircError(empty_range(low.span, high.span))
    return first, last


def rational(e: Expr, what: str, env: Environment) -> Fraction:
    """A number; raises `CircError`, which calls it `what`, where it is irrational."""
    value = constant(e, env)
    if value is None:
        raise CircError(not_constant(e.span, what, "rational"))
    return value
