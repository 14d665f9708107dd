"""Which positions of a word each entry of each wire reads: dependency analysis entry by entry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import assert_never

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
)
from circ.compiler.rewrite import live

Masks = npt.NDArray[np.int64]
"""For each entry of a wire the positions it reads: bit p is set for position p."""


def reads(circuit: Circuit, wanted: Sequence[Wire], word: Wire) -> dict[Wire, Masks]:
    """The masks of all wires that those wanted depend on; `word` has at most 62 entries."""
    bits = np.arange(circuit.types[word].entries, dtype=np.int64)
    return marked(circuit, wanted, {word: np.left_shift(1, bits)})


def marked(
    circuit: Circuit, wanted: Sequence[Wire], marks: Mapping[Wire, Masks]
) -> dict[Wire, Masks]:
    """What the entries of all wires that those wanted depend on read: these marks, joined by `or`."""
    found: dict[Wire, Masks] = {}
    for wire in sorted(live(circuit, wanted)):
        shape = circuit.types[wire].shape
        if wire in marks:
            found[wire] = marks[wire].reshape(shape)
        else:
            masks = masks_of(circuit.ops[wire], found)
            found[wire] = masks if masks.shape == shape else np.broadcast_to(masks, shape)
    return found


# --- one position, or more --------------------------------------------------------------------

NOWHERE = -1
"""Of an entry that reads no position."""

SEVERAL = -2
"""Of an entry that reads more than one position."""


def places(
    circuit: Circuit, wanted: Sequence[Wire], word: Wire, fixed: Collection[int] = ()
) -> dict[Wire, Masks]:
    """For each entry the one position that it reads, `NOWHERE` or `SEVERAL`; the `fixed` are not read.

    Position p is marked by the bits of p beside those of its complement: joined with another
    position, some bit is there both ways.
    """
    length = circuit.types[word].entries
    width = max(length - 1, 1).bit_length()
    numbers = np.arange(length, dtype=np.int64)
    marks = numbers | ((1 << width) - 1 - numbers) << width
    marks[list(fixed)] = 0
    found = marked(circuit, wanted, {word: marks})
    return dict(zip(found, places_of(list(found.values()), width), strict=True))


def places_of(masks: Sequence[Masks], width: int) -> Iterator[Masks]:
    """The position that each mark stands for."""
    if not masks:
        return
    every = np.concatenate([mask.reshape(-1) for mask in masks])
    low, high = every & ((1 << width) - 1), every >> width
    flat = np.where(low & high, SEVERAL, np.where(every == 0, NOWHERE, low))
    ends = np.cumsum([mask.size for mask in masks])
    for mask, end in zip(masks, ends.tolist(), strict=True):
        yield flat[end - mask.size : end].reshape(mask.shape)


def masks_of(op: Op, found: Mapping[Wire, Masks]) -> Masks:
    """What the entries of one op read, to be broadcast to its shape."""
    match op:
        case Input() | Const() | Weight():
            return np.zeros((), np.int64)
        case Reindex(operands=wires, source=source, shape=shape):
            flat = np.concatenate([found[wire].reshape(-1) for wire in wires])
            return flat[list(source)].reshape(shape)
        case Sum(terms=terms):
            return either([found[wire] for _, wire in terms])
        case Contract(spec=spec, left=left, right=right):
            return contracted(spec, found[left], found[right])
        case Compare(left=left, right=right):
            return either([found[left], found[right]])
        case Select(condition=condition, then=then, otherwise=otherwise):
            return either([found[condition], found[then], found[otherwise]])
        case Lookup(table=table, indices=indices):
            return looked_up(found[table], [found[index] for index in indices])
        case Relu(operand=x) | Smooth(operand=x) | Not(operand=x):
            return found[x]
        case Softmax(operand=x) | TopK(operand=x):
            return joined(found[x], (-1,))[..., None]
        case Max(operand=x) | All(operand=x) | Any(operand=x) | Argmax(operand=x):
            return joined(found[x], (-1,))
        case _:
            assert_never(op)


def either(masks: Sequence[Masks]) -> Masks:
    """What any of the operands reads."""
    found = masks[0]
    for mask in masks[1:]:
        found = found | mask
    return found


def joined(masks: Masks, axes: tuple[int, ...]) -> Masks:
    """What any entry along these axes reads."""
    return np.asarray(np.bitwise_or.reduce(masks, axis=axes), np.int64)


def contracted(spec: str, left: Masks, right: Masks) -> Masks:
    """What the products of each sum read."""
    inputs, output = spec.split("->")
    parts: list[Masks] = []
    for letters, masks in zip(inputs.split(","), (left, right), strict=True):
        summed = tuple(i for i, letter in enumerate(letters) if letter not in output)
        rest = [letter for letter in letters if letter in output]
        kept = joined(masks, summed)
        order = [rest.index(letter) for letter in output if letter in rest]
        sides = iter(kept.transpose(order).shape)
        aligned = [next(sides) if letter in rest else 1 for letter in output]
        parts.append(kept.transpose(order).reshape(aligned))
    return either(parts)


def looked_up(table: Masks, indices: Sequence[Masks]) -> Masks:
    """What the indices read, and what any entry of the table that they may name reads."""
    axes = len(indices)
    rest: Shape = table.shape[axes:]
    place = either(indices)
    most = joined(table.reshape((-1, *rest)), (0,))
    return either([place.reshape((*place.shape, *(1,) * len(rest))), most])
