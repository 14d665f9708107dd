"""An einsum of two tensors as transposes, reshapes and one product of ONNX."""

from __future__ import annotations

from math import prod

from circ.compiler.export.graph import Growing, Made
from circ.compiler.ir import Shape


def einsum(growing: Growing, spec: str, left: Made, right: Made) -> Made:
    """`Contract`: entrywise where nothing is summed, otherwise a matrix product."""
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    sizes = dict(zip(first + second, left.shape + right.shape, strict=True))
    shape = tuple(sizes[x] for x in output)
    if not (set(first) & set(second)) - set(output):
        aligned = (along(growing, left, first, output), along(growing, right, second, output))
        return growing.node("Mul", [part.name for part in aligned], shape)
    if left.values is not None and right.values is None:
        first, second, left, right = second, first, right, left
    return product(growing, (first, left), (second, right), output, sizes)


def along(growing: Growing, made: Made, letters: str, output: str) -> Made:
    """A tensor with its axes in the order of the output, of length 1 where it lacks one."""
    order = sorted(range(len(letters)), key=lambda axis: output.index(letters[axis]))
    moved = growing.transposed(made, order)
    sizes = dict(zip(letters, made.shape, strict=True))
    return growing.reshaped(moved, tuple(sizes.get(x, 1) for x in output))


def product(
    growing: Growing,
    first: tuple[str, Made],
    second: tuple[str, Made],
    output: str,
    sizes: dict[str, int],
) -> Made:
    """Batches, rows and columns brought together, multiplied, and taken apart again."""
    letters, others = first[0], second[0]
    batch = "".join(x for x in output if x in letters and x in others)
    rows = "".join(x for x in output if x in letters and x not in others)
    columns = "".join(x for x in output if x in others and x not in letters)
    summed = "".join(x for x in letters if x not in output)

    def size(some: str) -> int:
        return prod(sizes[x] for x in some)

    def matrix(operand: tuple[str, Made], high: str, wide: str) -> Made:
        order = [operand[0].index(x) for x in batch + high + wide]
        moved = growing.transposed(operand[1], order)
        lead: Shape = (size(batch),) if batch else ()
        return growing.reshaped(moved, (*lead, size(high), size(wide)))

    left, right = matrix(first, rows, summed), matrix(second, summed, columns)
    shape = (*left.shape[:-1], right.shape[-1])
    multiplied = growing.node("MatMul", [left.name, right.name], shape)
    found = batch + rows + columns
    apart = growing.reshaped(multiplied, tuple(sizes[x] for x in found))
    return growing.transposed(apart, [found.index(x) for x in output])
