"""One call being said in operators of ONNX: its arguments by kind, and the nodes that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from circ.compiler.aten.calls import Argument, Call, Made, ModuleCalls, Ref, part_of, references
from circ.compiler.ir import Shape
from circ.compiler.onnx.graph import Attribute, Flags, Floats, Node, Stored, Wholes
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import not_this_way

FLOATS = ("F32", "F64")
"""The dtypes that a module may compute in."""

WHOLE = ("I64", "I32")
"""The dtypes of tokens."""

CODES = {"F32": 1, "F64": 11, "I64": 7, "I32": 6}
"""The numbers that ONNX gives to these."""


@dataclass(slots=True)
class Writing:
    """The nodes so far, the tensors that they read, and what each value is."""

    module: ModuleCalls
    nodes: list[Node] = field(default_factory=list[Node])
    tensors: dict[str, Stored] = field(default_factory=dict[str, Stored])
    made: dict[str, Made] = field(default_factory=dict[str, Made])
    modules: Mapping[str, str] = field(default_factory=dict[str, str])
    """The module that a call alone makes the output of, by the call's name."""
    tokens: set[str] = field(default_factory=set[str])
    """The values that are tokens."""


@dataclass(slots=True)
class Use:
    """A call, and where the nodes go that it becomes."""

    call: Call
    writing: Writing
    parts: int = 0

    def refuse(self, reason: str) -> NoReturn:
        """Raise `CircError` (E0804): this call is not read."""
        told, name = self.call.origin.told, self.writing.module.name
        raise CircError(not_this_way(name, told, self.call.origin.operator, reason))

    # --- arguments ----------------------------------------------------------------------------

    def argument(self, name: str) -> Argument:
        """An argument of any kind."""
        return self.call.arguments[name]

    def has(self, name: str) -> bool:
        """Whether an argument is there, and is not None."""
        return self.call.arguments.get(name) is not None

    def whole(self, name: str) -> int:
        """A whole number."""
        found = self.argument(name)
        return found if isinstance(found, int) else self.refuse(f"`{name}` is no whole number")

    def number(self, name: str) -> float:
        """A number."""
        found = self.argument(name)
        return found if isinstance(found, int | float) else self.refuse(f"`{name}` is no number")

    def wholes(self, name: str) -> list[int]:
        """Whole numbers; one stands for a list of itself."""
        whole: list[int] = []
        for one in self.listed(name):
            whole.append(
                one if isinstance(one, int) else self.refuse(f"`{name}` is not of numbers")
            )
        return whole

    def listed(self, name: str) -> tuple[Argument, ...]:
        """A list; a single thing stands for a list of itself."""
        found = self.argument(name)
        return found if isinstance(found, tuple) else (found,)

    def names(self, name: str) -> list[str]:
        """A list of tensors."""
        listed = self.listed(name)
        refs = [x.name for x in listed if isinstance(x, Ref)]
        return refs if len(refs) == len(listed) else self.refuse(f"`{name}` is no list of tensors")

    def name(self, name: str) -> str:
        """A tensor, by its name."""
        found = self.argument(name)
        return found.name if isinstance(found, Ref) else self.refuse(f"`{name}` is no tensor")

    def of(self, name: str) -> Made:
        """What a tensor is, by its name."""
        return self.writing.made[name]

    def shape(self, name: str) -> Shape:
        """The shape of a tensor among the arguments."""
        return self.of(self.name(name)).shape

    def real(self, name: str) -> str:
        """A tensor of real numbers, or a number, as operands that compute have it: in the call's own dtype."""
        found = self.argument(name)
        if isinstance(found, Ref):
            return self.as_real(found.name)
        return self.constant(np.array(self.number(name), np.float64))

    def as_real(self, name: str) -> str:
        """A tensor in the dtype that the call computes in."""
        dtype = self.dtype
        if self.of(name).dtype == dtype:
            return name
        if name not in self.writing.tensors:
            return self.put("Cast", name, dtype=dtype, to=CODES[dtype])
        values = self.writing.tensors[name].values.astype(np.float64)
        return self.constant(values)

    def is_tokens(self, name: str) -> bool:
        """Whether an argument is tokens."""
        found = self.argument(name)
        return isinstance(found, Ref) and found.name in self.writing.tokens

    def as_whole(self, name: str) -> str:
        """Tokens, or known whole numbers, as int64."""
        if name in self.writing.tensors:
            values = self.writing.tensors[name].values
            if values.dtype != np.int64:
                self.refuse(f"`{name}` is not of whole numbers")
            return self.keep("I64", values)
        if name not in self.writing.tokens:
            self.refuse(f"`{name}` is not of tokens")
        dtype, shape = self.of(name).dtype, self.of(name).shape
        return name if dtype == "I64" else self.put("Cast", name, shape=shape, dtype="I64", to=7)

    def own(self, name: str) -> str:
        """A tensor among several that are put together: tokens, or in the dtype that the call computes in."""
        return self.as_whole(name) if self.carries else self.as_real(name)

    @property
    def carries(self) -> bool:
        """Whether it is given tokens."""
        return not self.writing.tokens.isdisjoint(references(self.call))

    @property
    def made(self) -> Made:
        """What the call makes, first."""
        return self.call.made[0]

    @property
    def dtype(self) -> str:
        """The floats that the call computes in: its own, or those of what it looks at."""
        if self.made.dtype in FLOATS:
            return self.made.dtype
        refs = [x for x in self.call.arguments.values() if isinstance(x, Ref)]
        floats = [self.of(x.name).dtype for x in refs if self.of(x.name).dtype in FLOATS]
        return max(floats, default="F32")

    def rounded(self, value: float) -> float:
        """A number as the call has it, in its own dtype."""
        return float(np.float32(value)) if self.dtype == "F32" else float(value)

    # --- nodes --------------------------------------------------------------------------------

    def constant(self, values: Floats, word: str = "") -> str:
        """Known reals, rounded to the dtype of the call."""
        own = np.asarray(values, np.float32) if self.dtype == "F32" else np.asarray(values)
        return self.keep(self.dtype, own.astype(np.float64), word)

    def counts(self, values: Sequence[int] | int) -> str:
        """Known whole numbers."""
        return self.keep("I64", np.array(values, np.int64))

    def flags(self, values: Flags) -> str:
        """Known truths."""
        return self.keep("BOOL", values)

    def keep(self, dtype: str, values: Floats | Wholes | Flags, word: str = "") -> str:
        """A tensor that the nodes read."""
        name = self.new(word)
        self.writing.tensors[name] = Stored(name, dtype, values)
        self.writing.made[name] = Made(tuple(map(int, values.shape)), dtype)
        return name

    def new(self, word: str = "") -> str:
        """A name for a part of the call."""
        self.parts += 1
        return f"{self.call.name}/{word or self.parts}"

    def put(
        self,
        operator: str,
        *operands: str,
        shape: Shape | None = None,
        dtype: str | None = None,
        word: str = "",
        **attributes: Attribute,
    ) -> str:
        """A node on the way to what the call makes; its name."""
        name = self.new(word)
        made = Made(self.made.shape if shape is None else shape, dtype or self.dtype)
        self.write(operator, operands, name, made, attributes)
        return name

    def end(self, operator: str, *operands: str, **attributes: Attribute) -> None:
        """The node that makes what the call makes, first."""
        self.end_part(0, operator, *operands, **attributes)

    def end_part(self, part: int, operator: str, *operands: str, **attributes: Attribute) -> None:
        """The node that makes one of the tensors that the call makes."""
        made, name = self.call.made[part], self.call.name
        whole = len(self.call.made) == 1
        self.write(operator, operands, name if whole else part_of(name, part), made, attributes)

    def write(
        self,
        operator: str,
        operands: Sequence[str],
        name: str,
        made: Made,
        attributes: Mapping[str, Attribute],
    ) -> None:
        """A node that makes one value; what makes the output of a module is called as that."""
        module = self.writing.modules.get(name, "")
        node = Node(operator, module, tuple(operands), (name,), attributes, self.call.origin)
        self.writing.nodes.append(node)
        self.writing.made[name] = made


Saying = Callable[[Use], None]


@dataclass(frozen=True, slots=True)
class Said:
    """How an operator is said, and the arguments that are read; another one must be left as it is by default."""

    meaning: Saying
    read: frozenset[str]


def said(meaning: Saying, *read: str) -> Said:
    """An operator with these arguments."""
    return Said(meaning, frozenset(read))
