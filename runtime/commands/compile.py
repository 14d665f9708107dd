"""`circ compile`: a claim in another tool's format."""

from __future__ import annotations

from pathlib import Path

from circ.lang.diagnostic import CircError
from circ.lang.errors.command import not_expressible
from circ.runtime.exits import Exit
from circ.runtime.session import Opened, chosen, settings, usable
from circ.runtime.terminal import write_text


def run_compile(spec: Path, claim: str, opened: Opened, form: str, out: Path | None) -> int:
    """Write the claim; raises `CircError` where the format cannot say it."""
    from circ.compiler.smt.encoding import Unsupported
    from circ.compiler.smt.smtlib import to_smt2

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
    try:
        text = to_smt2(obligation, program.weights)
    except Unsupported as error:
        raise CircError(not_expressible(f"`{name}`", f"{form} has no {error}")) from error
    write_text(text, out)
    return Exit.AS_CLAIMED
