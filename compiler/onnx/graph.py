"""A network as its file says it: plain records, free of the library that read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Shape
from circ.lang.span import Span

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Exact = npt.NDArray[np.object_]
"""Whole numbers of any size."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of the file; its floats as doubles, its whole numbers as int64.

    `dtype` is a checkpoint's name for what it is in the file: `F32`, `I64`, `U8`, `BOOL`.
    """

    name: str
    dtype: str
    values: Floats | Wholes | Flags = field(repr=False)


Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | Stored


@dataclass(frozen=True, slots=True)
class Origin:
    """What a node was in a module of PyTorch: the call and its operator, the module's path, the line."""

    call: str
    operator: str
    module: str
    span: Span | None = None

    @property
    def told(self) -> str:
        """The call as a message names it."""
        return f"`{self.call}`, in {f'`{self.module}`' if self.module else 'the module itself'}"


@dataclass(frozen=True, slots=True)
class Node:
    """One use of an operator; an operand that is left out has an empty name.

    `origin` is there where the node was made from something else than a file.
    """

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    origin: Origin | None = None

    @property
    def told(self) -> str:
        """The node as a message names it: by its own name, or by what it makes."""
        if self.origin is not None:
            return self.origin.told
        return f"node `{self.name}`" if self.name else f"which makes `{', '.join(self.outputs)}`"

    @property
    def called(self) -> str:
        """The operator as who wrote the network calls it."""
        return self.operator if self.origin is None else self.origin.operator

    @property
    def span(self) -> Span | None:
        """The line that it comes from, where there is one."""
        return None if self.origin is None else self.origin.span


@dataclass(frozen=True, slots=True)
class Declared:
    """An input of the network; sides that the file leaves open are None."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Graph:
    """A network: nodes in order, operands first.

    `dtype` is that of the output, where the graph was made from something else than a file.
    """

    opset: int
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Stored]
    inputs: tuple[Declared, ...]
    outputs: tuple[str, ...]
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """Where the bytes of a tensor are that is kept in another file."""

    file: str
    offset: int
    length: int | None


def entries(shape: Shape) -> int:
    """How many entries a tensor of this shape has, however large."""
    count = 1
    for side in shape:
        count *= side
    return count
