"""What of a spec is written as a module: a circuit at given sizes, or a claim at one length of its word."""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from circ.compiler.driver import Program, claim_of
from circ.compiler.ir import Circuit, Const, Wire
from circ.compiler.lower.alone import RESULT, Alone, lower_alone
from circ.compiler.margin import margin, with_slack
from circ.compiler.obligation import AtValue, Obligation, Site, Words
from circ.compiler.pytorch.literals import Names
from circ.compiler.pytorch.module import Asked
from circ.compiler.readings.torch import NAMES, dtype_read
from circ.compiler.rounding import SPELLED
from circ.compiler.tensor import Tensor, Weights, as_stored
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_claim, wrong_sizes
from circ.lang.syntax import CircuitDecl

MARGIN = "margin"
"""The output that has the signed slack of a claim's goal."""


def asked_of(program: Program, name: str, sizes: Sequence[int], folder: Path) -> Asked:
    """The circuit or the claim of this name, for a file in `folder`.

    `sizes` are those of the circuit's dimensions. Raises `CircError` for a name that is neither
    (E0704), for other sizes than it has (E0710), and as lowering does.
    """
    scope = program.typed.scope
    decl = scope.values.get(name)
    if isinstance(decl, CircuitDecl):
        return asked_circuit(program, decl, sizes, folder)
    if name not in scope.claims:
        circuits = [key for key, item in scope.values.items() if isinstance(item, CircuitDecl)]
        raise CircError(no_claim("circuit or claim", name, [*circuits, *scope.claims]))
    if sizes:
        raise CircError(wrong_sizes("claim", name, [], len(sizes)))
    return asked_claim(program, name, None, folder)


def asked_circuit(program: Program, decl: CircuitDecl, sizes: Sequence[int], folder: Path) -> Asked:
    """A circuit, computed in the dtype that `circ run` computes it in."""
    name, dims = decl.name.text, [dim.text for dim in decl.dims]
    if len(sizes) != len(dims):
        raise CircError(wrong_sizes("circuit", name, dims, len(sizes)))
    sized = dict(zip(dims, sizes, strict=True))
    alone = lower_alone(program.typed, decl, sized, program.params, program.weights)
    outputs = {RESULT: alone.circuit.outputs[RESULT]}
    return Asked(
        name=name,
        title=f"The circuit `{name}` of {PurePath(decl.span.source.name).name}.",
        circuit=replace(alone.circuit, outputs=outputs),
        dtype=NAMES[dtype_read(alone.circuit, with_placeholders(program, alone))],
        doc=decl.doc,
        sites=sites_of(alone.circuit, alone.sites),
        members={key: names for key, names in alone.members.items() if not numbered(names)},
        files=files_from(program, folder),
        records=alone.records,
    )


def with_placeholders(program: Program, alone: Alone) -> Weights:
    """The tensors that a circuit reads, those of its records as float32 ones that are not there yet."""
    return {
        key: Tensor((), "F32", array("d"))
        if key.partition("/")[0] in alone.records
        else program.weights[key]
        for key in alone.circuit.weights
    }


def asked_claim(
    program: Program, name: str, length: int | None, folder: Path, at: AtValue | None = None
) -> Asked:
    """A claim, computed in the dtype that `circ prove` replays it in: goal, margin and conditions.

    `length` is that of its word, where that may have several, and `at` the value of a quantifier before its own.
    Raises `CircError` as lowering does.
    """
    value = None if at is None else at.value
    bare = program.claim(name, length, value)
    sited = program.claim(name, length, value, sited=True)
    decl = program.typed.scope.claims[claim_of(name)]
    dtype = NAMES[dtype_read(bare.circuit, program.weights)]
    where = "" if at is None else f", at {at.text}"
    return Asked(
        name=name,
        title=f"The claim `{bare.title}` of {PurePath(decl.span.source.name).name}{where}.",
        circuit=judged(sited),
        dtype=dtype if bare.over is None else SPELLED[bare.over],
        doc=f"{decl.doc}\n{decl.span.text}".strip(),
        sites=sites_of(sited.circuit, sited.sites),
        members=members_of(sited),
        files=files_from(program, folder),
        alone=False,
    )


def tensors_beside(program: Program, asked: Asked, stem: str) -> dict[str, tuple[str, Weights]]:
    """The networks whose tensors a module reads, by key: the file of theirs beside it, and the tensors.

    They stand in no file that PyTorch alone can read, so that the module comes with one.
    """
    found = dict[str, tuple[str, Weights]]()
    for network, name in files_beside(program, stem).items():
        keys = [key for key in asked.circuit.weights if as_stored(key).startswith(f"{network}/")]
        if keys:
            tensors = {as_stored(key).partition("/")[2]: program.weights[key] for key in keys}
            found[network] = name, tensors
    return found


def files_beside(program: Program, stem: str) -> dict[str, str]:
    """The file that each network's tensors would have beside a module of this name, by key."""
    names = Names()
    return {
        network: f"{stem}.{names.new(network)}.safetensors" for network in program.weights.networks
    }


def judged(obligation: Obligation) -> Circuit:
    """What says whether a claim holds at an input, and the values that are shown there."""
    circuit = with_slack(obligation.circuit, ["goal"], margin)
    conditions = [name for name in obligation.conditions if not is_true(circuit, name)]
    shows = [name for name in circuit.outputs if name.startswith("show ")]
    names = {name: name for name in (*shows, *conditions, "goal")} | {"slack goal": MARGIN}
    found = {new: circuit.outputs[old] for old, new in names.items() if old in circuit.outputs}
    return replace(circuit, outputs=found)


def is_true(circuit: Circuit, name: str) -> bool:
    """Whether an output holds whatever the input."""
    op = circuit.ops[circuit.outputs[name]]
    return isinstance(op, Const) and op.values == (True,)


def sites_of(circuit: Circuit, sites: Sequence[Site]) -> dict[Wire, Site]:
    """The site that each wire is the value of; constants and inputs have names of their own."""
    found: dict[Wire, Site] = {}
    for place, site in enumerate(sites):
        found.setdefault(circuit.outputs[f"site {place}"], site)
    return found


def members_of(obligation: Obligation) -> dict[str, Sequence[str]]:
    """The names of the values of inputs and of what is shown."""
    found: dict[str, Sequence[str]] = {
        bound.name: bound.values.members
        for bound in obligation.binders
        if isinstance(bound.values, Words)
    }
    found |= obligation.members
    return {name: names for name, names in found.items() if not numbered(names)}


def numbered(names: Sequence[str]) -> bool:
    """Whether values are called by their own numbers, or not at all."""
    return [*names] == [str(place) for place in range(len(names))]


def files_from(program: Program, folder: Path) -> Mapping[str, str]:
    """The file of each checkpoint, as seen from a folder; its whole path where there is no way."""
    found: dict[str, str] = {}
    for key, decl in program.weights.checkpoints.items():
        path = program.files.path(decl).resolve()
        try:
            found[key] = PurePath(os.path.relpath(path, folder.resolve())).as_posix()
        except ValueError:  # another drive
            found[key] = path.as_posix()
    return found
