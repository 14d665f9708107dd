"""What a patch computes of a checkpoint: each form in order, every result as its file can hold it.

Whoever has the checkpoint and the spec computes the same again: nothing here depends on the machine. Where the time is up, by
`readings/clock.py`, all of it raises `TimeUp`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

import numpy as np

from circ.compiler.patching import Clamping, LayerUnits, PatchForm, Projecting, VectorsAlong
from circ.compiler.rounding import at_least
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.convex import Floats, Indices
from circ.runtime.patches.clamping import beyond, clamped
from circ.runtime.patches.edited import Edited, as_array, part_of
from circ.runtime.patches.layers import astray, with_units
from circ.runtime.patches.projecting import left_in, projected
from circ.runtime.patches.receipt import Computed


def computed(forms: Iterable[PatchForm], weights: Weights) -> dict[str, Tensor]:
    """The tensors that forms change, by key; raises `OverflowError` where one cannot be stored."""
    found: dict[str, Tensor] = {}
    for form in forms:
        match form:
            case LayerUnits():
                for tensor in form.targets:
                    before = Edited(weights, found)[tensor.key]
                    found[tensor.key] = with_units(form, tensor, before)
            case Projecting() | Clamping():
                for target in form.targets:
                    now = applied(form, target, Edited(weights, found)[target.key])
                    found[target.key] = now
            case _:
                assert_never(form)
    return found


def applied(form: Projecting | Clamping, target: VectorsAlong, tensor: Tensor) -> Tensor:
    """A tensor after a form; all entries but those of its vectors are as they were."""
    places = places_of(target, tensor)
    values = as_array(tensor).ravel().copy()
    match form:
        case Projecting():
            values[places] = projected(form, values[places], tensor.dtype)
        case Clamping():
            values[places] = clamped(form, values[places], tensor.dtype)
        case _:
            assert_never(form)
    return Tensor(tensor.shape, tensor.dtype, array("d", values.tobytes()))


def places_of(target: VectorsAlong, tensor: Tensor) -> Indices:
    """[n, count]: the offsets of the entries of the vectors, a vector a column."""
    part = part_of(target.part, tensor.shape)
    return np.moveaxis(part, target.axis, 0).reshape(part.shape[target.axis], -1)


def accounts(forms: Sequence[PatchForm], weights: Weights) -> tuple[Computed, ...]:
    """What a receipt says of each form, where all of them have been applied to these weights."""
    return tuple(account(form, weights) for form in forms)


def account(form: PatchForm, weights: Weights) -> Computed:
    """The tensors of one form, and what rounding leaves of what it takes off."""
    match form:
        case Projecting(targets=targets):
            residue = max(left_in(form, vectors_of(target, weights)) for target in targets)
        case Clamping(targets=targets):
            residue = max(beyond(form, vectors_of(target, weights)) for target in targets)
        case LayerUnits():
            residue = astray(form, weights)
        case _:
            assert_never(form)
    names = tuple(key.partition("/")[2] for key in form.keys)
    return Computed(form.text, names, at_least(residue, "F64"))


def vectors_of(target: VectorsAlong, weights: Mapping[str, Tensor]) -> Floats:
    """[n, count]: the vectors of a target as they are in these weights, a vector a column."""
    tensor = weights[target.key]
    return as_array(tensor).ravel()[places_of(target, tensor)]
