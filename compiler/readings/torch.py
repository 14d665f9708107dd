"""The PyTorch reading: a circuit as a module over batches, and the one door to torch below runtime.

It computes the same function as the exact reference, up to the rounding of its dtype; on numbers
that the dtype holds at every step, exactly the same.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import assert_never, cast

import numpy as np
import torch
from torch import Tensor, nn

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Comparison,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Real,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    SmoothName,
    Softmax,
    Sort,
    Sum,
    TopK,
    Weight,
    Wire,
    operands,
)
from circ.compiler.rewrite import live
from circ.compiler.rounding import nearest
from circ.compiler.tensor import Tensor as Stored
from circ.compiler.tensor import Weights

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
}
"""PyTorch's dtypes by safetensors' name."""

NAMES = {dtype: name for name, dtype in DTYPES.items()}

SMOOTH: dict[SmoothName, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "recip": torch.reciprocal,
    "sqrt": torch.sqrt,
}

COMPARISONS: dict[Comparison, Callable[[Tensor, Tensor], Tensor]] = {
    "<": torch.lt,
    "<=": torch.le,
    "==": torch.eq,
}


def module(circuit: Circuit, weights: Weights, dtype: torch.dtype | None = None) -> CircuitModule:
    """`circuit` as a module that computes all its outputs for a batch of inputs.

    Computes in `dtype`; without one, in the dtype of the tensors it reads (float64 if none).
    """
    return CircuitModule(circuit, weights, dtype or dtype_read(circuit, weights))


def dtype_read(circuit: Circuit, weights: Weights) -> torch.dtype:
    """The dtype of the tensors that `circuit` reads, as PyTorch promotes it where they differ."""
    read = {DTYPES[weights[key].dtype] for key in circuit.weights}
    return reduce(torch.promote_types, read) if read else torch.float64


class CircuitModule(nn.Module):
    """A circuit over batches: every wire has a leading axis, the batch, or 1 if no input reaches it.

    `forward` maps input name -> (batch, *shape) to output name -> (batch, *shape): reals in
    `dtype`, indices as int64, truths as bool. Weights are parameters, `parameter_of` by their key.
    Ties go to the first, in `Argmax` and in `TopK`.
    """

    def __init__(self, circuit: Circuit, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__()
        self.circuit = circuit
        self.dtype = dtype
        self.wires = sorted(live(circuit, circuit.outputs.values()))
        self.spent = last_uses(circuit, self.wires)
        self.coefficients: dict[Wire, list[float]] = {}
        for wire in self.wires:
            match circuit.ops[wire]:
                case Weight(key=key):
                    self.register_parameter(
                        attribute(key), nn.Parameter(loaded(weights[key], dtype))
                    )
                case Const(type=known, values=values):
                    entries = constant(values, known.sort, known.shape, dtype)
                    self.register_buffer(f"const {wire}", entries, persistent=False)
                case Reindex(source=source):
                    picks = torch.tensor(source, dtype=torch.int64)
                    self.register_buffer(f"source {wire}", picks, persistent=False)
                case Sum(terms=terms):
                    self.coefficients[wire] = [nearest(c, NAMES[dtype]) for c, _ in terms]
                case _:
                    pass

    def parameter_of(self, key: str) -> nn.Parameter:
        """The parameter that holds the tensor of this `Weight` key."""
        return self.get_parameter(attribute(key))

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All outputs for a batch of inputs; raises `KeyError` if an input is missing."""
        batch = max((len(value) for value in inputs.values()), default=1)
        values: dict[Wire, Tensor] = {}
        for wire in self.wires:
            values[wire] = self.compute(wire, values, inputs)
            for done in self.spent[wire]:
                del values[done]
        outputs = self.circuit.outputs.items()
        return {name: to_batch(values[wire], batch) for name, wire in outputs}

    def compute(
        self, wire: Wire, values: Mapping[Wire, Tensor], inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """The value of one wire from those of its operands."""
        op = self.circuit.ops[wire]
        match op:
            case Input(name=name):
                return inputs[name]
            case Const():
                return self.get_buffer(f"const {wire}")[None]
            case Weight(key=key):
                return self.parameter_of(key)[None]
            case Reindex(operands=wires, shape=shape):
                gathered = [values[operand] for operand in wires]
                return reindex(gathered, self.get_buffer(f"source {wire}"), shape)
            case Sum(terms=terms):
                return linear(self.coefficients[wire], [values[operand] for _, operand in terms])
            case Contract(spec=spec, left=left, right=right):
                return contract(spec, values[left], values[right])
            case Relu(operand=x):
                return torch.relu(values[x])
            case Max(operand=x):
                return values[x].amax(-1)
            case Smooth(function=function, operand=x):
                return SMOOTH[function](values[x])
            case Softmax(operand=x):
                return values[x].softmax(-1)
            case Compare(op=comparison, left=left, right=right):
                return COMPARISONS[comparison](values[left], values[right])
            case Not(operand=x):
                return values[x].logical_not()
            case All(operand=x):
                return values[x].all(-1)
            case Any(operand=x):
                return values[x].any(-1)
            case Select(condition=condition, then=then, otherwise=otherwise):
                return select(values[condition], values[then], values[otherwise])
            case Lookup(table=table, indices=indices):
                return lookup(values[table], [values[index] for index in indices])
            case Argmax(operand=x):
                return values[x].argmax(-1)
            case TopK(count=count, operand=x):
                return largest(values[x], count)
            case _:
                assert_never(op)


def numbers(values: Tensor) -> list[float]:
    """All entries of a real tensor, row-major, each exactly the double that contains it."""
    return cast("list[float]", values.double().flatten().tolist())  # pyright: ignore[reportUnknownMemberType]


def whole_numbers(values: Tensor) -> list[int]:
    """All entries of a tensor of indices or truths, row-major."""
    return cast("list[int]", values.long().flatten().tolist())  # pyright: ignore[reportUnknownMemberType]


def attribute(key: str) -> str:
    """A parameter's name for a weight key: PyTorch allows no dot in one."""
    return "weight " + key.replace("%", "%25").replace(".", "%2E")


def last_uses(circuit: Circuit, wires: list[Wire]) -> dict[Wire, list[Wire]]:
    """The wires that nothing reads any more after each wire."""
    last = {read: wire for wire in wires for read in operands(circuit.ops[wire])}
    spent: dict[Wire, list[Wire]] = {wire: [] for wire in wires}
    for read, wire in last.items():
        if read not in circuit.outputs.values():
            spent[wire].append(read)
    return spent


def loaded(tensor: Stored, dtype: torch.dtype) -> Tensor:
    """A checkpoint's tensor, in memory of its own."""
    return torch.tensor(np.array(tensor.values), dtype=dtype).reshape(tensor.shape)


def constant(
    values: tuple[Fraction | int | bool, ...], sort: Sort, shape: Shape, dtype: torch.dtype
) -> Tensor:
    """A constant's entries; reals are rounded once, from the exact number to `dtype`."""
    match sort:
        case Real():
            name = NAMES[dtype]
            rounded = [nearest(Fraction(value), name) for value in values]
            return torch.tensor(rounded, dtype=dtype).reshape(shape)
        case Index():
            return torch.tensor(values, dtype=torch.int64).reshape(shape)
        case Bool():
            return torch.tensor(values, dtype=torch.bool).reshape(shape)
        case _:
            assert_never(sort)


def to_batch(value: Tensor, batch: int) -> Tensor:
    """A value that no input reaches, repeated for each of the batch."""
    return value.expand(batch, *value.shape[1:])


def common(values: list[Tensor]) -> list[Tensor]:
    """Values repeated to one batch."""
    batch = next((len(value) for value in values if len(value) != 1), 1)
    return [to_batch(value, batch) for value in values]


def reindex(values: list[Tensor], source: Tensor, shape: Shape) -> Tensor:
    """The entries `source` of the values laid end to end, as `shape`."""
    flat = [value.flatten(1) if value.dim() > 1 else value[:, None] for value in common(values)]
    entries = flat[0] if len(flat) == 1 else torch.cat(flat, 1)
    return entries.index_select(1, source).reshape(len(entries), *shape)


def linear(coefficients: list[float], values: list[Tensor]) -> Tensor:
    """The linear combination of tensors, in the order given."""
    terms = zip(coefficients, values, strict=True)
    scaled = (value if coefficient == 1 else value * coefficient for coefficient, value in terms)
    return reduce(torch.add, scaled)


def contract(spec: str, left: Tensor, right: Tensor) -> Tensor:
    """Batched einsum. A side with a batch of one goes in without it, so weights meet a matmul."""
    free = next(letter for letter in string.ascii_letters if letter not in spec)
    inputs, output = spec.split("->")
    letters, sides, batch = list[str](), list[Tensor](), ""
    for axes, side in zip(inputs.split(","), (left, right), strict=True):
        batched = len(side) != 1
        letters.append(free + axes if batched else axes)
        sides.append(side if batched else side[0])
        batch = free if batched else batch
    result = torch.einsum(f"{letters[0]},{letters[1]}->{batch}{output}", *sides)
    return result if batch else result[None]


def select(condition: Tensor, then: Tensor, otherwise: Tensor) -> Tensor:
    """The scalar condition of each row chooses between two tensors."""
    return torch.where(condition.reshape(-1, *[1] * (then.dim() - 1)), then, otherwise)


def largest(scores: Tensor, count: int) -> Tensor:
    """1 for each of the `count` largest along the last axis, else 0; of equal ones the first."""
    order = scores.argsort(dim=-1, descending=True, stable=True)
    return torch.zeros_like(scores).scatter(-1, order[..., :count], 1)


def lookup(table: Tensor, indices: list[Tensor]) -> Tensor:
    """`table[i1, …, ik]`, row by row of the batch."""
    depth = len(indices)
    place = indices[0]
    for index, side in zip(indices[1:], table.shape[2 : depth + 1], strict=True):
        place = place * side + index
    rows = table.flatten(1, depth)
    if len(rows) == 1:
        return rows[0][place]
    rows, place = common([rows, place])
    picks = torch.arange(len(rows), device=rows.device).reshape(-1, *[1] * (place.dim() - 1))
    return rows[picks, place]
