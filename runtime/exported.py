"""A module of PyTorch as the calls that `torch.export` finds in it at an example."""
# What torch.export returns is typed in part; nothing untyped leaves this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import logging
import operator
import traceback
import warnings
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from typing import Any, NoReturn, cast

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node

from circ.compiler.aten.calls import Argument, Call, Made, ModuleCalls, Ref, part_of
from circ.compiler.onnx.graph import Declared, Origin, Stored
from circ.lang.diagnostic import CircError
from circ.lang.errors.networks import not_exported
from circ.runtime.model_lines import model_line, module_of, operator_name, places_of

DTYPES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.bool: "BOOL",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
}
"""The dtypes of tensors that are read, by safetensors' name."""

BY_SHAPE = frozenset({"full_like", "new_full", "new_ones", "new_zeros", "ones_like", "zeros_like"})
"""Operators that look at the shape of a tensor alone."""

TRAINING = frozenset({"dropout_p", "train", "training"})
"""Arguments that say whether an operator draws at random."""

SILENT = frozenset({"_assert_tensor_metadata", "_assert_async.msg", "sym_constrain_range"})
"""Operators that compute nothing, and say what is so at the example."""


def calls_of(module: nn.Module, example: Sequence[Tensor]) -> tuple[ModuleCalls, Inside]:
    """The calls of a module at an example, and what its values inside are at inputs.

    Raises `CircError` (E0822) where it is not read so.
    """
    name = type(module).__name__
    for k, tensor in enumerate(example):
        if DTYPES.get(tensor.dtype) not in ("F32", "F64", "I64", "I32"):
            reason = f"input {k} is of {str(tensor.dtype).removeprefix('torch.')}"
            help = "inputs are float32 or float64, or tokens in int64 or int32: `module.float()` makes floats of others"
            raise CircError(not_exported(name, reason, help))
    with quietly(), torch.no_grad():
        exported = program_of(name, module, tuple(example))
        require_evaluated(name, exported)
        try:
            functional = exported.run_decompositions({})
        except Exception as error:  # the library raises classes of its own
            raise CircError(not_exported(name, first_line(error))) from error
        gathering = Gathering(name, functional)
        return gathering.gathered(), partial(values_at, gathering)


Inside = Callable[[Sequence[Tensor]], Mapping[str, Tensor]]
"""What a module's calls make of inputs, by their names."""


@contextmanager
def quietly() -> Generator[None]:
    """Leave out what the library warns of and logs: what is wrong is told by a diagnostic."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def program_of(name: str, module: nn.Module, example: tuple[Tensor, ...]) -> ExportedProgram:
    """The module as the library exports it, at the line of the model where it does not."""
    try:
        return torch.export.export(module, example, strict=False)
    except Exception as error:  # the library raises classes of its own, the model any
        places = [
            (frame.filename, frame.lineno or 1)
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        dependent = "GuardOnDataDependent" in type(error).__name__
        what = "what it does next depends on values of its input"
        reason = what if dependent else f"torch.export says: {first_line(error)}"
        help = "`torch.where` chooses without branching" if dependent else tokens_help(error)
        raise CircError(not_exported(name, reason, help, model_line(places))) from error


def tokens_help(error: Exception) -> str:
    """What to do where a module looks its input up in a table, and the example has floats."""
    if "scalar types: Long, Int" not in str(error):
        return ""
    return (
        "an input of tokens has an example of whole numbers, `torch.zeros(1, 8, dtype=torch.int64)`"
    )


def first_line(error: Exception) -> str:
    """What an exception says, in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


def require_evaluated(name: str, exported: ExportedProgram) -> None:
    """Raise `CircError` (E0822) for a module that trains: one that draws, or keeps what it has seen."""
    for node in exported.graph.nodes:
        if node.op == "call_function" and trains(node):
            layer = module_of(node) or "the module itself"
            reason = f"it is in training mode: {operator_name(node.target)} in `{layer}`"
            help = "call `module.eval()` first"
            raise CircError(not_exported(name, reason, help, model_line(places_of(node))))


def trains(node: Node) -> bool:
    """Whether a call does something else in training than after it, and is told to train."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return False
    given = bound(node)
    if "dropout_p" in given:
        return bool(given["dropout_p"])
    chance = given.get("p", 1)
    return any(bool(given.get(word)) and chance != 0 for word in ("train", "training"))


def bound(node: Node) -> dict[str, Any]:
    """The arguments of a call by name, defaults included."""
    arguments = cast("Any", node.target)._schema.arguments
    found = {x.name: x.default_value for x in arguments if x.has_default_value()}
    found |= {x.name: value for x, value in zip(arguments, node.args, strict=False)}
    return found | dict(node.kwargs)


# --- the calls ------------------------------------------------------------------------------


@dataclass(slots=True)
class Gathering:
    """The program that is gone through; what no input changes is computed by PyTorch, once."""

    name: str
    program: ExportedProgram
    known: dict[str, Any] = field(default_factory=dict[str, Any])
    names: dict[str, str] = field(default_factory=dict[str, str])
    calls: list[Call] = field(default_factory=list[Call])

    def refuse(self, reason: str, node: Node | None = None, help: str = "") -> NoReturn:
        """Raise `CircError` (E0822), at the model's line where a call is to blame."""
        span = None if node is None else model_line(places_of(node))
        raise CircError(not_exported(self.name, reason, help, span))

    def gathered(self) -> ModuleCalls:
        """All calls."""
        output, inputs = self.output(), self.given()
        for node in self.program.graph.nodes:
            if node.op == "call_function":
                self.take(node)
        if output in self.known:
            self.refuse("its output does not depend on its input")
        last = self.names.get(output, output)
        return ModuleCalls(self.name, inputs, tuple(self.calls), self.tensors(), last)

    def output(self) -> str:
        """The name of what the module returns; it is one tensor, and nothing else is changed."""
        specs = self.program.graph_signature.output_specs
        changed = [spec for spec in specs if spec.kind != OutputKind.USER_OUTPUT]
        if changed:
            what = changed[0].target or "its input"
            self.refuse(f"it changes `{what}` as it runs", help="call `module.eval()` first")
        if len(specs) != 1:
            reason = f"it returns {len(specs)} tensors, and one is read"
            self.refuse(reason, help="hand over a module that returns one of them")
        found = getattr(specs[0].arg, "name", None)
        return found if isinstance(found, str) else self.refuse("it returns no tensor")

    def given(self) -> tuple[Declared, ...]:
        """The inputs; parameters, buffers and constants are known."""
        inputs: list[Declared] = []
        holders = {**self.program.state_dict, **self.program.constants}
        nodes = {node.name: node for node in self.program.graph.nodes}
        for spec in self.program.graph_signature.input_specs:
            name = cast("str", getattr(spec.arg, "name", ""))
            if spec.kind == InputKind.USER_INPUT:
                value = nodes[name].meta["val"] if name in nodes else None
                if not isinstance(value, Tensor):
                    self.refuse(f"its input `{name}` is no tensor")
                inputs.append(Declared(name, DTYPES[value.dtype], sides_of(value)))
                continue
            held, target = holders.get(spec.target or ""), spec.target or name
            if not isinstance(held, Tensor):
                self.refuse(f"`{target}` is no tensor")
            self.known[name] = held.detach()
            self.names[name] = free(target, nodes)
        return tuple(inputs)

    def take(self, node: Node) -> None:
        """One call: computed where no input reaches it, else kept."""
        if node.target is operator.getitem:
            self.part(node)
            return
        name = operator_name(node.target)
        if name.removesuffix(".default") in SILENT:
            return
        if not hasattr(node.target, "_schema"):
            self.refuse(f"it uses {name}, which is no operator of tensors", node)
        random = torch.Tag.nondeterministic_seeded in cast("Any", node.target).tags
        if random and not TRAINING & bound(node).keys():
            self.refuse(f"{name} draws at random", node)
        by_shape = name.removesuffix(".default") in BY_SHAPE
        if by_shape or all(read.name in self.known for read in node.all_input_nodes):
            self.known[node.name] = self.computed(node)
        else:
            self.calls.append(self.call(node))

    def part(self, node: Node) -> None:
        """One of the tensors that a call made."""
        made, place = cast("tuple[Node, int]", node.args)
        if made.name in self.known:
            self.known[node.name] = self.known[made.name][place]
        else:
            self.names[node.name] = part_of(made.name, place)

    def computed(self, node: Node) -> Any:
        """What PyTorch makes of what is known."""

        def value(read: Node) -> Any:
            if read.name in self.known:
                return self.known[read.name]
            like = read.meta["val"]
            return torch.zeros(like.shape, dtype=like.dtype)

        return called(node, value)

    def call(self, node: Node) -> Call:
        """A call as a record."""
        value = node.meta.get("val")
        several = value if isinstance(value, tuple | list) else (value,)
        made = tuple(self.made(x, node) for x in several)
        arguments, given = bound(node), {*dict(node.kwargs)}
        schema = cast("Any", node.target)._schema.arguments
        defaults = {x.name: x.default_value for x in schema if x.has_default_value()}
        given |= {x.name for x, _ in zip(schema, node.args, strict=False)}
        other = {k for k in given if k not in defaults or not alike(arguments[k], defaults[k])}
        layers = [*node.meta.get("nn_module_stack", {}).values()]
        own = bool(layers) and str(layers[-1][1]).removeprefix("<class '").startswith("torch.nn.")
        operator = operator_name(node.target).removesuffix(".default")
        origin = Origin(node.name, f"aten.{operator}", module_of(node), model_line(places_of(node)))
        plain = {name: self.plain(x) for name, x in arguments.items()}
        return Call(operator, node.name, plain, frozenset(other), made, origin, own)

    def made(self, value: object, node: Node) -> Made:
        """What a call makes; its shape is known."""
        if not isinstance(value, Tensor):
            self.refuse(f"{operator_name(node.target)} makes no tensor of a known shape", node)
        if any(isinstance(side, torch.SymInt) for side in cast("Sequence[object]", value.shape)):
            self.refuse(f"the shape of {node.name} depends on values of the input", node)
        return Made(sides_of(value), DTYPES.get(value.dtype, str(value.dtype)))

    def plain(self, value: object) -> Argument:
        """An argument as a record."""
        match value:
            case Node(name=name):
                return Ref(self.names.get(name, name))
            case None | bool() | int() | float() | str():
                return value
            case list() | tuple():
                return tuple(self.plain(x) for x in cast("Sequence[object]", value))
            case _:
                return str(value)

    def tensors(self) -> dict[str, Stored]:
        """What is known and read by some call, by name."""
        found: dict[str, Stored] = {}
        for name, value in self.known.items():
            if isinstance(value, Tensor) and value.dtype in DTYPES:
                key = self.names.get(name, name)
                found[key] = stored(key, value)
        return found


def values_at(gathering: Gathering, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """What each call makes of inputs, as PyTorch computes it."""
    values, given = dict(gathering.known), iter(inputs)
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        for node in gathering.program.graph.nodes:
            if node.op == "placeholder" and node.name not in values:
                values[node.name] = next(given)
            elif node.op == "call_function" and node.name not in values:
                values[node.name] = called(node, lambda read: values[read.name])
            if isinstance(values.get(node.name), Tensor):
                found[str(gathering.names.get(node.name, node.name))] = values[node.name]
    return found


def called(node: Node, value: Callable[[Node], Any]) -> Any:
    """What PyTorch makes of a call whose operands have these values."""
    args, kwargs = (torch.fx.map_arg(x, value) for x in (node.args, node.kwargs))
    return cast("Callable[..., Any]", node.target)(*args, **cast("dict[str, Any]", kwargs))


def free(name: str, taken: Container[str]) -> str:
    """A name that is not taken: that of a parameter may be what a call is called."""
    while name in taken:
        name += "'"
    return name


def alike(left: object, right: object) -> bool:
    """Whether an argument is its default."""
    return not isinstance(left, Node) and left == right and type(left) is type(right)


def stored(name: str, value: Tensor) -> Stored:
    """A tensor of PyTorch as a record."""
    plain = value.detach().cpu()
    dtype = DTYPES[value.dtype]
    if value.dtype == torch.bool:
        return Stored(name, dtype, plain.numpy().copy())
    if value.dtype.is_floating_point:
        return Stored(name, dtype, plain.double().numpy().copy())
    return Stored(name, dtype, plain.long().numpy().copy())


def sides_of(value: Tensor) -> tuple[int, ...]:
    """A tensor's shape."""
    return tuple(map(int, value.shape))
