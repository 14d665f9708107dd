"""A softmax over some entries, which lowering takes apart into one for each group of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from circ.compiler.builder import Builder
from circ.compiler.ir import Circuit, Reindex, Softmax, Wire
from circ.compiler.masked_softmax import assembled


@dataclass(frozen=True, slots=True)
class Masked:
    """The softmax of the rows of `scores`, each over the entries that it keeps."""

    scores: Wire
    kept: tuple[tuple[int, ...], ...]

    @property
    def reads(self) -> list[Wire]:
        """The wires that have to be there before it."""
        return [self.scores]

    @property
    def kept_text(self) -> str:
        """What is kept, as an expression of Python."""
        if self.kept == tuple(tuple(range(place + 1)) for place in range(len(self.kept))):
            return f"[list(range(i + 1)) for i in range({len(self.kept)})]"
        return f"[{', '.join(str([*places]) for places in self.kept)}]"


def builder_of(circuit: Circuit) -> Builder:
    """A builder that has the ops of a circuit, by their wires."""
    known = {op: Wire(place) for place, op in reversed([*enumerate(circuit.ops)])}
    return Builder([*circuit.ops], [*circuit.types], known)


def masked_of(circuit: Circuit, wire: Wire, b: Builder) -> Masked | None:
    """The masked softmax that a wire is, if lowering such a one leads to this very wire."""
    op = circuit.ops[wire]
    if not isinstance(op, Reindex) or not op.shape or len(op.operands) < 2:
        return None
    flat = flat_scores(circuit, op)
    kept = kept_by(op)
    if flat is None or () in kept or circuit.types[flat].entries != prod(op.shape):
        return None
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, places in enumerate(kept):
        groups.setdefault(places, []).append(row)
    scores = shaped(circuit, flat, op.shape)
    if scores is None or assembled(b, flat, groups, op.shape) != wire:
        return None
    return Masked(scores, kept)


def flat_scores(circuit: Circuit, op: Reindex) -> Wire | None:
    """The wire that the first softmax among the operands picks its rows from."""
    for wire in op.operands:
        inner = circuit.ops[wire]
        while isinstance(inner, Reindex) and len(inner.operands) == 1:
            inner = circuit.ops[inner.operands[0]]
        if isinstance(inner, Softmax):
            rows = circuit.ops[inner.operand]
            return rows.operands[0] if isinstance(rows, Reindex) else inner.operand
    return None


def kept_by(op: Reindex) -> tuple[tuple[int, ...], ...]:
    """The entries of each row that are not the first of all, which is 0."""
    side = op.shape[-1]
    rows: list[Sequence[int]] = [
        op.source[row * side : (row + 1) * side] for row in range(prod(op.shape[:-1]))
    ]
    return tuple(tuple(place for place, source in enumerate(row) if source) for row in rows)


def shaped(circuit: Circuit, flat: Wire, shape: tuple[int, ...]) -> Wire | None:
    """The wire of this shape that was laid flat, or is so itself."""
    op = circuit.ops[flat]
    identity = tuple(range(circuit.types[flat].entries))
    if isinstance(op, Reindex) and op.source == identity and len(op.operands) == 1:
        flat = op.operands[0]
    return flat if circuit.types[flat].shape == shape else None
