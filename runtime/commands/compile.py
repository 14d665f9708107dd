"""`circ compile`: a claim in another tool's format, or a circuit as a PyTorch module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from circ.compiler.driver import Program
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_text, not_expressible
from circ.runtime.exits import Exit
from circ.runtime.outputs import Output, write_bytes
from circ.runtime.session import Opened, chosen, settings, usable

SIZED = re.compile(r"(\w+)\[([0-9]{1,9}(?:, *[0-9]{1,9})*)\]")
"""A circuit's name with sizes behind it."""


def run_compile(spec: Path, claim: str, opened: Opened, form: str, out: Output) -> int:
    """Write the claim; raises `CircError` where the format cannot say it, or the file not be written."""
    program = usable(spec, settings(*opened))
    out.require_free(program.files_read)
    if form == "torch":
        write_module(program, claim, spec, out)
        return Exit.AS_CLAIMED
    (name,) = chosen(program, [claim], "claim")
    obligation = obligation_of(program, name, form)
    if form == "smt2":
        out.write_text(smt2(obligation, program.weights), program.files_read)
    else:
        write_standard(obligation, program.weights, form, out, program.files_read)
    return Exit.AS_CLAIMED


def write_module(program: Program, words: str, spec: Path, out: Output) -> None:
    """A circuit or a claim as a module; raises `CircError` (E0650-E0653, E0704, E0705, E0710).

    The tensors of networks that it reads go into files beside it, which the screen has not.
    """
    from circ.compiler.pytorch.module import written
    from circ.compiler.pytorch.of_spec import asked_of
    from circ.runtime.beside import with_tensors

    sized = SIZED.fullmatch(words)
    name, sizes = (sized[1], [*map(int, sized[2].split(","))]) if sized else (words, list[int]())
    if name in program.typed.scope.claims:
        obligation_of(program, name, "torch")
    beside = spec.parent if out.path is None else out.path.parent
    asked = asked_of(program, name, sizes, beside)
    out.write_text(written(with_tensors(program, asked, out)), program.files_read)


def obligation_of(program: Program, name: str, form: str) -> Obligation:
    """A claim that a format can say; raises `CircError` (E0705) for one that is about something else."""
    question = program.question(name)
    if question.lengths is not None:
        raise CircError(not_expressible(f"`{name}`", f"{form} has no words of several lengths"))
    obligation = question.at(None)
    if obligation.over is not None and form != "torch":
        raise CircError(not_expressible(f"`{name}`", f"{form} has no {obligation.over} executions"))
    if obligation.quantities:
        raise CircError(not_expressible(f"`{name}`", f"{form} counts no domains"))
    return obligation


def smt2(obligation: Obligation, weights: Weights) -> str:
    """The claim as SMT-LIB 2; raises `CircError` (E0705)."""
    from circ.compiler.smt.encoding import Unsupported
    from circ.compiler.smt.smtlib import to_smt2

    try:
        return to_smt2(obligation, weights)
    except Unsupported as error:
        raise CircError(not_expressible(f"`{obligation.name}`", f"smt2 has no {error}")) from error


def write_standard(
    obligation: Obligation, weights: Weights, form: str, out: Output, read: Iterable[Path]
) -> None:
    """Write a network or a property; raises `CircError` (E0650-E0653, E0705, E0707, E0801)."""
    from circ.compiler.export.problem import exported
    from circ.compiler.export.sought import Unsayable

    try:
        problem = exported(obligation, weights)
    except Unsayable as error:
        raise CircError(not_expressible(f"`{obligation.name}`", str(error))) from error
    match form:
        case "vnnlib":
            out.write_text(problem.property(1), read)
        case "vnnlib2":
            out.write_text(problem.property(2), read)
        case _ if out.path is None:
            raise CircError(no_text())
        case _:
            write_bytes(problem.model(), out.path, out.force, read)
