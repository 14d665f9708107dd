"""A whole module as text: the circuit's statements between what holds its tensors and what they use."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from circ.compiler.ir import (
    Bool,
    Circuit,
    Index,
    Input,
    Real,
    Shape,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.obligation import Site
from circ.compiler.pytorch.block import Block
from circ.compiler.pytorch.expressions import Text
from circ.compiler.pytorch.lines import broken
from circ.compiler.pytorch.literals import (
    WIDTH,
    Names,
    comment,
    comments,
    escaped,
    quoted,
    shape_text,
)
from circ.compiler.pytorch.masked import builder_of
from circ.compiler.pytorch.page import filled
from circ.compiler.pytorch.paper import Paper, Stored
from circ.compiler.rewrite import live
from circ.compiler.rounding import SPELLED
from circ.compiler.tensor import as_stored

PARTS = {
    "batched": (),
    "common": ("batched",),
    "fresh": (),
    "rows": ("fresh",),
    "end_to_end": ("common",),
    "stack": ("end_to_end",),
    "added": (),
    "reindex": ("end_to_end",),
    "einsum": (),
    "lookup": ("common",),
    "largest": (),
    "kept_softmax": (),
    "self.real": (),
    "self.codes": (),
    "self.truths": (),
}
"""The functions that statements may call, and those that each needs itself."""

TAKEN = frozenset(
    {
        "self",
        "torch",
        "nn",
        "Tensor",
        "DTYPE",
        "FILES",
        "FORMATS",
        "MEMBERS",
        "TENSORS",
        "SAID",
        "EXACTLY",
    }
    | {
        "batch",
        "cls",
        "json",
        "string",
        "reduce",
        "len",
        "list",
        "main",
        "witness",
        "told",
        "CONDITIONS",
        "GOAL",
        "max",
        "read",
        "sys",
        "zip",
        "range",
        "float",
    }
    | {
        "attribute",
        "annotations",
        "Mapping",
        "Iterable",
        "Sequence",
        "Path",
        "True",
        "False",
        "None",
    }
    | {part for part in PARTS if "." not in part}
)
"""Names that a module uses for itself."""

DTYPES = {name: spelled for spelled, name in SPELLED.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be written: the outputs of `circuit`, computed in `dtype` (safetensors' name).

    `title` and `doc` are words about it, `sites` name its wires, `members` the values of inputs and
    outputs that are no numbers; `files` is where the file of each checkpoint is, as seen from the
    file that is written; `records` are those whose tensors are in no file and have to be given. A module of one output returns it, another one a dictionary of them.
    `witness` is Python text for the end of the file.
    """

    name: str
    title: str
    circuit: Circuit
    dtype: str
    doc: str = ""
    sites: Mapping[Wire, Site] = field(default_factory=dict[Wire, Site])
    members: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    records: Sequence[str] = ()
    alone: bool = True
    witness: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What the page has places for: lines and literals of Python."""

    title: str
    name: str
    dtype: str
    doc: Sequence[str]
    imports: Sequence[str]
    members: Sequence[str]
    tensors: Sequence[str]
    files: Sequence[str]
    parameters: str
    given: str
    constants: Sequence[str]
    inputs: str
    returns: str
    signature: Sequence[str]
    body: Sequence[str]
    uses: frozenset[str]
    witness: str


def written(asked: Asked) -> str:
    """The text of a module that computes what is asked, with PyTorch alone."""
    circuit = asked.circuit
    names = Names({*TAKEN})
    name = class_name(asked)
    names.taken.add(name)
    inputs = {wire: names.new(given) for given, wire in circuit.inputs.items()}
    paper = paper_of(asked)
    tensors = shapes_of(paper)
    body = statements(asked, paper, names, inputs)
    uses = used([*body, asked.witness, *(text for _, text in paper.constants.values())])
    keys = Names({"self"})
    parameters = [f"{keys.new(key)}: Mapping[str, Tensor]" for key in tensors]
    given = [
        f"{quoted(key)}: {text.partition(':')[0]}"
        for key, text in zip(tensors, parameters, strict=True)
    ]
    kinds = {wire: circuit.types[wire] for wire in inputs}
    return filled(
        "module.py.jinja",
        Page(
            title="".join(map(escaped, asked.title)),
            name=name,
            dtype=DTYPES[asked.dtype],
            doc=comments(asked.doc),
            imports=imports(bool(tensors), uses, asked.witness),
            members=[line for key, names_ in asked.members.items() for line in packed(key, names_)],
            tensors=[line for key, shapes in tensors.items() for line in table(key, shapes)],
            files=[
                f"    {quoted(key)}: Path(__file__).parent / {quoted(asked.files.get(key, ''))},"
                for key in tensors
                if key not in asked.records
            ],
            parameters=", ".join(["self", *parameters]),
            given=f"{{{', '.join(given)}}}",
            constants=[
                line
                for kept, text in paper.constants.values()
                for line in broken(f'self.register_buffer("{kept}", {text}, persistent=False)')
            ],
            inputs=", ".join(["self", *(f"{text}: Tensor" for text in inputs.values())]),
            returns="Tensor" if asked.alone else "dict[str, Tensor]",
            signature=[comment(f"{inputs[wire]}: {told(kind)}") for wire, kind in kinds.items()],
            body=body,
            uses=uses,
            witness=asked.witness,
        ),
    )


# --- the statements -------------------------------------------------------------------------


def paper_of(asked: Asked) -> Paper:
    """What is known of the circuit before anything is written."""
    circuit = asked.circuit
    wires = sorted(live(circuit, circuit.outputs.values()))
    readers: dict[Wire, list[Wire]] = {wire: [] for wire in wires}
    batched: set[Wire] = set()
    for wire in wires:
        op = circuit.ops[wire]
        for read in operands(op):
            readers[read].append(wire)
        if isinstance(op, Input) or batched.intersection(operands(op)):
            batched.add(wire)
    for wire in circuit.outputs.values():
        readers[wire].append(OUTSIDE)
    keys = [op.key for op in (circuit.ops[wire] for wire in wires) if isinstance(op, Weight)]
    names, b = tensor_names(keys), builder_of(circuit)
    return Paper(circuit, readers, asked.sites, names, frozenset(batched), asked.dtype, b)


OUTSIDE = Wire(-1)
"""The reader of an output."""


def statements(asked: Asked, paper: Paper, names: Names, inputs: Mapping[Wire, str]) -> list[str]:
    """The body of `forward`."""
    circuit = asked.circuit
    roots = [*circuit.outputs.values()]
    given = {wire: Text(name) for wire, name in inputs.items()}
    block = Block(paper, names, sorted(live(circuit, roots)), roots, given)
    texts = block.write()
    if len(inputs) != 1 or not paper.batched.issuperset(roots):
        batches = [f"len({name})" for name in inputs.values()]
        batch = f"max({', '.join(batches)})" if len(batches) > 1 else "".join(batches) or "1"
        block.lines.append(f"batch = {batch}")
        texts = [Text(f"batched({text.text}, batch)") for text in texts]
    if asked.alone:
        return [*block.lines, *broken(f"return {texts[0].text}")]
    entries = [
        f"    {quoted(name)}: {text.text},"
        for name, text in zip(circuit.outputs, texts, strict=True)
    ]
    return [*block.lines, "return {", *entries, "}"]


# --- tensors --------------------------------------------------------------------------------


def tensor_names(keys: Iterable[str]) -> dict[str, Stored]:
    """What to call each tensor: the last parts of its name, as many as tell it from the others."""
    found = {key: tuple(as_stored(key).partition("/")[::2]) for key in keys}
    parts = {key: name.split(".") for key, (_, name) in found.items()}
    names: dict[str, Stored] = {}
    for key, (checkpoint, name) in found.items():
        own = parts[key]
        ends = range(1, len(own) + 1)
        alike = [sum(other[-end:] == own[-end:] for other in parts.values()) for end in ends]
        fits = (end for end in ends if alike[end - 1] == 1 and not own[-end][:1].isdigit())
        end = next(fits, len(own))
        words = [*own[-end + 1 :], own[0]] if end > 1 and own[-end][:1].isdigit() else own[-end:]
        names[key] = Stored("_".join(words), checkpoint, name)
    return names


def shapes_of(paper: Paper) -> dict[str, dict[str, Shape]]:
    """The shape of each tensor by its name, by the key of its checkpoint."""
    found: dict[str, dict[str, Shape]] = {}
    for op in paper.circuit.ops:
        if isinstance(op, Weight) and op.key in paper.tensors:
            stored = paper.tensors[op.key]
            found.setdefault(stored.checkpoint, {})[stored.tensor] = op.shape
    return found


def table(checkpoint: str, shapes: Mapping[str, Shape]) -> list[str]:
    """The tensors of a checkpoint as a dictionary."""
    entries = [f"        {quoted(name)}: {shape!r}," for name, shape in shapes.items()]
    return [f"    {quoted(checkpoint)}: {{", *entries, "    },"]


# --- words ----------------------------------------------------------------------------------


def class_name(asked: Asked) -> str:
    """The name of the class that is written."""
    words = "".join(part[:1].upper() + part[1:] for part in asked.name.split("_"))
    return Names({*TAKEN}).new(words)


def told(kind: WireType) -> str:
    """What an input is, in words."""
    shape = shape_text(kind.shape, batched=True)
    match kind.sort:
        case Real():
            return f"{shape} of DTYPE"
        case Index(size=size):
            return f"{shape}, int64 codes below {size}"
        case Bool():
            return f"{shape}, truths"
        case _:
            assert_never(kind.sort)


def packed(key: str, names: Sequence[str]) -> list[str]:
    """The members behind a value, as lines of a dictionary's entry."""
    lines = [""]
    for name in map(quoted, names):
        if len(lines[-1]) + len(name) + 10 > WIDTH and lines[-1]:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{name},"
    if len(lines) == 1 and len(key) + len(lines[0]) + 10 < WIDTH:
        only = lines[0] if len(names) == 1 else lines[0].removesuffix(",")
        return [f"    {quoted(key)}: ({only}),"]
    return [f"    {quoted(key)}: (", *(f"        {line}" for line in lines), "    ),"]


def imports(reads: bool, uses: Container[str], witness: str) -> list[str]:
    """What the module needs of the standard library.

    A file with a witness is run as a script, and the files beside it may be called as libraries are.
    """
    kinds = ["Iterable", "Mapping"] * reads + ["Sequence"] * bool(witness)
    wanted = {
        "import json": reads,
        "import string": "einsum" in uses,
        f"from collections.abc import {', '.join(kinds)}": bool(kinds),
        "from functools import reduce": "added" in uses,
        "from pathlib import Path": reads,
    }
    lines = [line for line, needed in wanted.items() if needed]
    alone = 'if __name__ == "__main__" and not getattr(sys.flags, "safe_path", False):'
    remark = "# the files beside this one are no libraries"
    return (
        ["import sys", "", alone, f"    sys.path.pop(0)  {remark}", "", *lines]
        if witness
        else lines
    )


def used(lines: Iterable[str]) -> frozenset[str]:
    """The functions that are called, or that those need which are."""
    text = "\n".join(lines)
    waiting = [part for part in PARTS if f"{part}(" in text]
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        found.add(part.removeprefix("self."))
        waiting += PARTS[part]
    return frozenset(found)
