"""`circ compile`: a claim in another tool's format, or a circuit as a PyTorch module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from circ.compiler.driver import Program
from circ.compiler.obligation import AtValue, Obligation, Question
from circ.compiler.tensor import Weights
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_text, no_value, not_expressible, several_files
from circ.runtime.exits import Exit
from circ.runtime.outputs import Output, make_folder, write_bytes
from circ.runtime.session import Opened, chosen, settings, usable

if TYPE_CHECKING:
    from circ.compiler.pytorch.module import Asked

SIZED = re.compile(r"(\w+)\[([0-9]{1,9}(?:, *[0-9]{1,9})*)\]")
"""A circuit's name with sizes behind it, or a claim's with the number of a value."""

SUFFIXES = {"torch": "py", "smt2": "smt2", "onnx": "onnx", "vnnlib": "vnnlib", "vnnlib2": "vnnlib"}
"""How the names of files end, by their format."""


def run_compile(spec: Path, words: str, opened: Opened, form: str, out: Output) -> int:
    """Write what is named; raises `CircError` where the format cannot say it, or the file not be written."""
    program = usable(spec, settings(*opened))
    name, several = claimed(program, words)
    if several and words == name:
        write_values(program, name, several, form, out)
        return Exit.AS_CLAIMED
    out.require_free(program.files_read)
    if several:
        write_claim(program, name, valued(words, name, several), form, out)
    elif form == "torch":
        write_module(program, words, out)
    else:
        (name,) = chosen(program, [words], "claim")
        write_claim(program, name, None, form, out)
    return Exit.AS_CLAIMED


# --- claims at several values -----------------------------------------------------------------


def claimed(program: Program, words: str) -> tuple[str, Sequence[AtValue]]:
    """What is named without sizes, and the values of a quantifier before a claim's own; raises as `chosen`."""
    sized = SIZED.fullmatch(words)
    name = sized[1] if sized else words
    decl = program.typed.scope.claims.get(name)
    if decl is None or decl.outer is None:
        return name, ()
    chosen(program, [name], "claim")
    each = program.each(name)
    assert each is not None
    return name, each.values


def valued(words: str, name: str, several: Sequence[AtValue]) -> AtValue:
    """The value that is named by its number, `c[3]`; raises `CircError` (E0704)."""
    found = [at for at in several if at.question.name == words]
    if not found:
        raise CircError(no_value(name, words, [at.question.name for at in several]))
    return found[0]


def write_values(
    program: Program, name: str, several: Sequence[AtValue], form: str, out: Output
) -> None:
    """A file for each value, in a folder; raises as `run_compile`, and E0705 where there is none to write them into."""
    first = several[0]
    if out.path is None:
        raise CircError(several_files(name, len(several), first.question.name, first.text))
    make_folder(out.path)
    files = [Output(out.path / f"{at.question.name}.{SUFFIXES[form]}", out.force) for at in several]
    for file in files:
        file.require_free(program.files_read)
    for at, file in zip(several, files, strict=True):
        write_claim(program, name, at, form, file)


# --- one claim, or one circuit ----------------------------------------------------------------


def write_claim(program: Program, name: str, at: AtValue | None, form: str, out: Output) -> None:
    """A claim in a format, at a value where there are several; raises as `run_compile`."""
    question = program.question(name) if at is None else at.question
    obligation = obligation_of(question, form)
    if form == "torch":
        from circ.compiler.pytorch.of_spec import asked_claim

        write_text(program, asked_claim(program, name, None, beside(program, out), at), out)
    elif form == "smt2":
        out.write_text(smt2(obligation, program.weights), program.files_read)
    else:
        write_standard(obligation, program.weights, form, out, program.files_read)


def write_module(program: Program, words: str, out: Output) -> None:
    """A circuit or a claim as a module; raises `CircError` (E0650-E0653, E0704, E0705, E0710)."""
    from circ.compiler.pytorch.of_spec import asked_of

    sized = SIZED.fullmatch(words)
    name, sizes = (sized[1], [*map(int, sized[2].split(","))]) if sized else (words, list[int]())
    if name in program.typed.scope.claims:
        obligation_of(program.question(name), "torch")
    write_text(program, asked_of(program, name, sizes, beside(program, out)), out)


def beside(program: Program, out: Output) -> Path:
    """The folder from which a module looks for the files of tensors."""
    return Path(program.source.name).parent if out.path is None else out.path.parent


def write_text(program: Program, asked: Asked, out: Output) -> None:
    """A module. The tensors of networks that it reads go into files beside it, which the screen has not."""
    from circ.compiler.pytorch.module import written
    from circ.runtime.beside import with_tensors

    out.write_text(written(with_tensors(program, asked, out)), program.files_read)


def obligation_of(question: Question, form: str) -> Obligation:
    """A claim that a format can say; raises `CircError` (E0705) for one that is about something else."""
    name = question.name
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
