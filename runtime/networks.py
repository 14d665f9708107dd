"""A module of PyTorch handed over as a network: what `circ.network` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from circ.compiler.agreement import Compared
from circ.compiler.aten.calls import ModuleCalls
from circ.compiler.aten.graph import graph_of
from circ.compiler.imported import Imported
from circ.compiler.ir import Shape
from circ.compiler.readings import torch as torch_reading
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from circ.lang.diagnostic import CircError
from circ.lang.errors.networks import not_exported, read_otherwise
from circ.lang.errors.writing import target_exists
from circ.lang.render import explained
from circ.lang.words import written_name
from circ.runtime.agreement import Floats, Points, apart, drawn, first_apart
from circ.runtime.exported import Inside, calls_of, quietly
from circ.runtime.outputs import write_bytes
from circ.runtime.show import printable

MOST_SHOWN = 12
"""So many sites are shown of a network."""


@dataclass(frozen=True, slots=True, repr=False)
class HandedOver:
    """A network from a module: called on tensors, given to a spec, written as ONNX.

    It is the module as it was when it was handed over; changing the module's parameters later changes nothing here.
    `module` is the module itself, to replay in.
    """

    module: nn.Module
    imported: Imported
    name: str

    def __repr__(self) -> str:
        """What it takes and gives, as a spec declares it, and the first of its sites."""
        counts = self.vocabularies
        takes = ", ".join(f"{n}: {kind(s, counts.get(n))}" for n, s in self.inputs.items())
        shown = [f"{written_name(name)}: {kind(shape)}" for name, shape in self.sites.items()]
        rest = f", … (all {len(shown)} in `.sites`)" if len(shown) > MOST_SHOWN else ""
        sites = ", ".join(shown[:MOST_SHOWN]) + rest if shown else "none"
        return printable(f"<network {self.name}({takes}) -> {kind(self.output)}; sites: {sites}>")

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """The shapes of its inputs by name."""
        return dict(self.imported.inputs)

    @property
    def vocabularies(self) -> Mapping[str, int]:
        """How many tokens there are, by the name of an input that takes tokens."""
        return self.imported.vocabularies

    @property
    def output(self) -> Shape:
        """The shape of its output."""
        ((_, shape),) = self.imported.outputs
        return shape

    @property
    def sites(self) -> Mapping[str, Shape]:
        """The shapes of the values inside, by the names that a spec has them by."""
        return self.imported.sites

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What Circ's reading computes in the floats of the network, on inputs of the shapes of the example."""
        network = self.imported.network
        dtype = torch_reading.DTYPES[network.format]
        module = torch_reading.module(network.circuit, network.weights, dtype)
        given = {
            name: x.to(torch.int64 if name in network.vocabularies else dtype).reshape(1, *shape)
            for (name, shape), x in zip(network.inputs, inputs, strict=True)
        }
        with torch.no_grad():
            (found,) = module.forward(given).values()
        return found[0]

    def exactly(self, *inputs: Tensor) -> list[tuple[Fraction, Fraction]]:
        """Bounds on each entry of the output in a row; both are the entry itself where that is rational."""
        network = self.imported.network
        point = {
            name: entries_of(x, name in network.vocabularies)
            for (name, _), x in zip(network.inputs, inputs, strict=True)
        }
        ((name, _),) = network.outputs
        found = enclose(network.circuit, at_point(network.circuit, point), network.weights)[name]
        assert isinstance(found, Reals)
        return list(found.box)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write it as ONNX; raises `CircError` (E0650, E0653, E0801, E0824)."""
        from circ.compiler.onnx.written import network_bytes  # needs an extra

        with explained():
            if Path(path).exists() and not overwrite:
                help = "name another file, or replace this one with `overwrite=True`"
                raise CircError(target_exists(str(path), help))
            data = network_bytes(self.name, self.imported.graph, self.output)
            write_bytes(data, Path(path), overwrite, ())


def network(module: nn.Module, example: Tensor | Sequence[Tensor]) -> HandedOver:
    """A module as a network that takes inputs of the shapes of `example`, and of its dtypes.

    An input of whole numbers (int64, int32) takes tokens: members of an enum, or `fin[n]`, by their numbers.

    It goes through `torch.export`; what no input changes is computed once, as PyTorch does. Raises `CircError`
    where the module is not read (E0803, E0804, E0822), or the reading differs from the module (E0823).
    """
    inputs = tuple[object, ...]([example] if isinstance(example, Tensor) else example)
    name = type(module).__name__
    with explained():
        if not inputs:
            raise CircError(not_exported(name, "it is given no example"))
        tensors = tuple(each for each in inputs if isinstance(each, Tensor))
        if len(tensors) < len(inputs):
            help = "give it a tensor of the input's shape, `torch.zeros(1, 8)`; of tokens `torch.zeros(1, 8, dtype=torch.int64)`"
            raise CircError(not_exported(name, "its example is no tensor", help))
        found, inside = calls_of(module, tensors)
        imported = Imported(name, name, graph_of(found))
        imported.cut(frozenset())
        require_agreement(module, found, imported, tensors, inside)
        imported.agreement = Compared("the module")
        return HandedOver(module, imported, name)


def require_agreement(
    module: nn.Module,
    found: ModuleCalls,
    imported: Imported,
    example: Sequence[Tensor],
    inside: Inside,
) -> None:
    """Raise `CircError` (E0823) where the module computes something else than the circuit."""
    read = imported.network
    points = drawn(read, [x.detach().double().cpu().numpy() for x in example])
    batches = [tensors_at(points, k, example) for k in range(count_of(points))]
    with quietly(), torch.no_grad():
        outputs = [output_of(module, inputs) for inputs in batches]
    (wire,) = read.circuit.outputs.values()
    difference = apart(read, wire, points, stacked(outputs))
    if difference is None:
        return
    values = [inside(inputs) for inputs in batches]
    calls = {call.first: call.origin for call in found.calls}
    names = {
        call.first: [each.get(call.name, each.get(call.first)) for each in values]
        for call in found.calls
    }
    first = first_apart(read, calls, points, lambda name: stacked_or_none(names[name]))
    told = "" if first is None else f"{calls[first].operator} ({calls[first].told})"
    span = None if first is None else calls[first].span
    distance, allowed = difference.distance, difference.allowed
    raise CircError(read_otherwise(found.name, "the module", distance, allowed, told, span))


def entries_of(x: Tensor, tokens: bool) -> list[Fraction | int]:
    """The entries of an input in a row."""
    return [int(v) if tokens else Fraction(v) for v in torch_reading.numbers(x)]


def kind(shape: Shape, tokens: int | None = None) -> str:
    """A shape as a type of a spec, `real[8]`; of so many tokens `fin[5, 8]`."""
    sides = [*shape] if tokens is None else [tokens, *shape]
    word = "real" if tokens is None else "fin"
    return f"{word}[{', '.join(map(str, sides))}]" if sides else word


def count_of(points: Points) -> int:
    """How many points there are."""
    return int(next(iter(points.values())).shape[-1])


def tensors_at(points: Points, k: int, example: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The inputs at one point, as the example has them."""
    pairs = zip(points.values(), example, strict=True)
    rows = [(x[..., k].ravel().tolist(), like) for x, like in pairs]
    return tuple(torch.tensor(row, dtype=like.dtype).reshape(like.shape) for row, like in rows)


def output_of(module: nn.Module, inputs: Sequence[Tensor]) -> Tensor:
    """The one tensor that a module returns."""
    leaves = cast("list[object]", pytree.tree_leaves(module(*inputs)))
    (found,) = (x for x in leaves if isinstance(x, Tensor))
    return found


def stacked(values: Sequence[Tensor]) -> Floats:
    """Values at several points, the points along the last axis."""
    return np.stack([np.asarray(x.detach().double().cpu().numpy(), np.float64) for x in values], -1)


def stacked_or_none(values: Sequence[Tensor | None]) -> Floats | None:
    """The same, where there is a value at each point."""
    known = [x for x in values if x is not None and x.is_floating_point()]
    return stacked(known) if len(known) == len(values) else None
