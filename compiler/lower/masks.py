"""`softmax` over some entries: those left out are 0, and count for nothing in the others."""

from __future__ import annotations

from math import prod

from circ.compiler.ir import Wire
from circ.compiler.lower.constants import worked_out
from circ.compiler.lower.endless import tied
from circ.compiler.lower.environment import Environment
from circ.compiler.masked_softmax import softmax_of_kept
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import empty_axis, not_constant
from circ.lang.syntax import Expr


def lower_masked_softmax(scores: Expr, keep: Expr, env: Environment) -> Wire:
    """Each row's softmax over the entries that `keep` has there.

    Rows that keep the same entries are one op. Raises `CircError` where what is kept depends on an
    input or a checkpoint, and for a row that keeps nothing.
    """
    b, wire = env.b, tied(scores, env)
    *outer, side = b.shape(wire)
    env.low.require_room(scores.span, b.types[wire].entries)
    kept = worked_out(b, env.wire(keep))
    if kept is None:
        raise CircError(not_constant(keep.span, "what `softmax` keeps", "known without an input"))
    rows = [[i for i in range(side) if kept.values[row * side + i]] for row in range(prod(outer))]
    if [] in rows:
        raise CircError(empty_axis(keep.span, "each row of what `softmax` keeps"))
    return softmax_of_kept(b, wire, rows)
