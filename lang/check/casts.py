"""`x as Resid`: the same entries along axes of other names."""

from __future__ import annotations

from circ.lang.check.annotations import as_tensor
from circ.lang.check.context import Context
from circ.lang.errors.types import no_cast, wrong_kind
from circ.lang.syntax import Cast
from circ.lang.types import INVALID, Array, Invalid, Type, same_element, same_sizes


def infer_cast(e: Cast, ctx: Context) -> Type:
    """The type that is named, which must have as many entries along each axis; of what, stays as it is."""
    found, wanted = ctx.infer(e.operand), as_tensor(e.type, ctx)
    if isinstance(found, Invalid) or isinstance(wanted, Invalid):
        return INVALID
    if not isinstance(found, Array):
        return ctx.error(wrong_kind(e.operand.span, found, "a tensor", "`as`"))
    assert isinstance(wanted, Array)
    if same_element(found.element, wanted.element) and same_sizes(found.dims, wanted.dims):
        return wanted
    return ctx.error(no_cast(e.type.span, e.operand.span, found, wanted))
