"""`circ compile`: a claim in another tool's format."""

from __future__ import annotations

from pathlib import Path

from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import cannot_write, not_expressible
from circ.runtime.exits import Exit
from circ.runtime.session import Opened, chosen, settings, usable
from circ.runtime.terminal import write_file, write_text


def run_compile(spec: Path, claim: str, opened: Opened, form: str, out: Path | None) -> int:
    """Write the claim; raises `CircError` where the format cannot say it."""
    program = usable(spec, settings(*opened))
    (name,) = chosen(program, [claim], "claim")
    question = program.question(name)
    if question.lengths is not None:
        raise CircError(not_expressible(f"`{name}`", f"{form} has no words of several lengths"))
    obligation = question.at(None)
    if obligation.over is not None:
        raise CircError(not_expressible(f"`{name}`", f"{form} has no {obligation.over} executions"))
    if obligation.quantities:
        raise CircError(not_expressible(f"`{name}`", f"{form} counts no domains"))
    if form == "smt2":
        write_smt2(obligation, program.weights, out)
    else:
        write_standard(obligation, program.weights, form, out)
    return Exit.AS_CLAIMED


def write_smt2(obligation: Obligation, weights: Weights, out: Path | None) -> None:
    """Write SMT-LIB 2; raises `CircError` (E0705)."""
    from circ.compiler.smt.encoding import Unsupported
    from circ.compiler.smt.smtlib import to_smt2

    try:
        text = to_smt2(obligation, weights)
    except Unsupported as error:
        raise CircError(not_expressible(f"`{obligation.name}`", f"smt2 has no {error}")) from error
    write_text(text, out)


def write_standard(obligation: Obligation, weights: Weights, form: str, out: Path | None) -> None:
    """Write a network or a property; raises `CircError` (E0705, E0707, E0801)."""
    from circ.compiler.export.problem import exported
    from circ.compiler.export.sought import Unsayable

    try:
        problem = exported(obligation, weights)
    except Unsayable as error:
        raise CircError(not_expressible(f"`{obligation.name}`", str(error))) from error
    match form:
        case "vnnlib":
            write_text(problem.property(1), out)
        case "vnnlib2":
            write_text(problem.property(2), out)
        case _ if out is None:
            reason = "a network is no text; name a file with `--out`"
            raise CircError(cannot_write("to the screen", reason))
        case _:
            write_file(problem.model(), out)
