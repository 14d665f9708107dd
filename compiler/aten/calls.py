"""A module of PyTorch as calls of ATen operators: plain records, free of the library that found them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from circ.compiler.ir import Shape
from circ.compiler.onnx.graph import Declared, Origin, Stored


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor, by the name of what makes it."""

    name: str


Argument = Ref | float | str | None | tuple["Argument", ...]
"""What an operator is given; truths and whole numbers are `bool` and `int`."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a call makes: the shape, and the dtype by safetensors' name (`F32`, `BOOL`, `I64`)."""

    shape: Shape
    dtype: str


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operator; `operator` is its name with the overload (`add.Tensor`).

    `arguments` has all of them by name, defaults included, `given` the names of those that are not their
    default. An operator that makes several tensors has several in `made`, which are called as `part_of` says.
    `layer` says that it stands in a module of PyTorch's own, such as `nn.Linear`.
    """

    operator: str
    name: str
    arguments: Mapping[str, Argument]
    given: frozenset[str]
    made: tuple[Made, ...]
    origin: Origin
    layer: bool = False

    @property
    def first(self) -> str:
        """The name of the first tensor that it makes."""
        return self.names[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tensors that it makes."""
        if len(self.made) == 1:
            return (self.name,)
        return tuple(part_of(self.name, place) for place in range(len(self.made)))


def part_of(call: str, place: int) -> str:
    """The name of one of several tensors that a call makes."""
    return f"{call}[{place}]"


def references(call: Call) -> Iterator[str]:
    """The tensors that a call is given, by name."""
    waiting = [*call.arguments.values()]
    while waiting:
        match waiting.pop():
            case Ref(name=name):
                yield name
            case tuple(several):
                waiting += several
            case _:
                pass


@dataclass(frozen=True, slots=True)
class ModuleCalls:
    """A module at an example: its calls in order, operands first; `tensors` has what no input changes."""

    name: str
    inputs: tuple[Declared, ...]
    calls: tuple[Call, ...]
    tensors: Mapping[str, Stored] = field(repr=False)
    output: str
