"""The words of `circ compile`."""

from __future__ import annotations

from pathlib import Path

import click

from circ.runtime.options import SPEC, Answer, settings, written

FORMS = ("torch", "smt2", "onnx", "vnnlib", "vnnlib2")


@click.command("compile", cls=Answer)
@SPEC
@click.argument("name")
@settings
@click.option("--to", "form", type=click.Choice(FORMS), required=True, help="The format to write.")
@written("A file to write, or a folder for a claim at several values", "the screen")
def compile_to(
    spec: Path,
    name: str,
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    form: str,
    out: Path | None,
    force: bool,
) -> int:
    """Write the claim NAME of SPEC in another tool's format, or its circuit NAME as a PyTorch module.

    A claim with a quantifier before its own is written at one of its values, as in `c[3]`, or at all of them into a
    folder.

    A module (`torch`) needs PyTorch alone: it reads its tensors from the checkpoint, and computes bit
    for bit what `circ run` and the replay of a witness do. That of a claim computes its goal. A circuit
    with dimensions is written for given sizes of them, as in `state[8]`.

    SMT-LIB 2 asks whether a counterexample exists: `unsat` means the claim holds. So does a
    standard problem, which is a network (`onnx`) and a property of it (`vnnlib`, or `vnnlib2` for
    version 2.0); it can say claims about boxes of real inputs.

    \b
    circ compile quote.circ model --to torch -o model.py
    circ compile quote.circ 'state[8]' --to torch
    circ compile quote.circ no_blank --to smt2 -o no_blank.smt2
    circ compile box.circ small --to onnx -o small.onnx
    circ compile box.circ small --to vnnlib -o small.vnnlib
    circ compile heads.circ 'needed[3]' --to smt2
    circ compile heads.circ needed --to torch -o needed/
    """
    from circ.runtime.commands.compile import run_compile
    from circ.runtime.outputs import Output

    return run_compile(spec, name, (params, checkpoints, outside), form, Output(out, force))
