"""`softmax` over some entries: those left out are 0, and count for nothing in the others."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

from circ.compiler.builder import Builder, flatten, reals, reindex
from circ.compiler.ir import Const, Softmax, Wire
from circ.compiler.lower.endless import tied
from circ.compiler.lower.environment import Environment
from circ.compiler.passes.drop_dead import drop_dead
from circ.compiler.passes.fold_constants import fold_constants
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
    kept = known_truths(b, env.wire(keep))
    if kept is None:
        raise CircError(not_constant(keep.span, "what `softmax` keeps", "known without an input"))
    rows = [[i for i in range(side) if kept[row * side + i]] for row in range(prod(outer))]
    if [] in rows:
        raise CircError(empty_axis(keep.span, "each row of what `softmax` keeps"))
    flat = flatten(b, wire)
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, places in enumerate(rows):
        groups.setdefault(tuple(places), []).append(row)
    return assembled(b, flat, groups, (*outer, side))


def known_truths(b: Builder, wire: Wire) -> Sequence[bool] | None:
    """The entries of a truth tensor that depends on nothing; None where it does."""
    found = fold_constants(drop_dead(b.circuit({"kept": wire})))
    op = found.ops[found.outputs["kept"]]
    return [bool(value) for value in op.values] if isinstance(op, Const) else None


def assembled(
    b: Builder, scores: Wire, groups: dict[tuple[int, ...], list[int]], shape: tuple[int, ...]
) -> Wire:
    """The softmax of each group of rows, put where its entries stand, and 0 everywhere else."""
    side = shape[-1]
    wires, source, first = [reals(b, (Fraction(0),), (1,))], [0] * prod(shape), 1
    for places, rows in groups.items():
        picked = [row * side + place for row in rows for place in places]
        wires.append(weights(b, scores, picked, len(places)))
        for offset, target in enumerate(picked):
            source[target] = first + offset
        first += len(picked)
    return reindex(b, wires, source, shape)


def weights(b: Builder, scores: Wire, picked: Sequence[int], width: int) -> Wire:
    """The softmax of rows of `width` scores, flat; of a single score it is 1."""
    if width == 1:
        return reals(b, (Fraction(1),) * len(picked), (len(picked),))
    rows = reindex(b, [scores], picked, (len(picked) // width, width))
    return flatten(b, b.add(Softmax(rows)))
