"""`circ run`: an expression's value, in exact arithmetic and in PyTorch."""

from __future__ import annotations

from pathlib import Path

from circ.compiler.finding import Limits
from circ.compiler.query import expression
from circ.lang.span import Source
from circ.runtime.evaluate import evaluate
from circ.runtime.exits import Exit
from circ.runtime.session import Opened, settings, usable
from circ.runtime.terminal import progress, show_data, show_lines
from circ.runtime.value_data import evaluated_data
from circ.runtime.value_lines import value_lines


def run_expression(spec: Path, text: str, opened: Opened, timeout: float, as_json: bool) -> int:
    """Show the value, in so many seconds; raises `CircError` where the expression has none."""
    program = usable(spec, settings(*opened))
    query = expression(program, Source("<expression>", text), {})
    with progress("counting", as_json or not query.quantities) as move:
        found = evaluate(query, program.weights, Limits(timeout), move)
    if as_json:
        show_data(evaluated_data(found))
    else:
        show_lines(value_lines(found))
    return Exit.UNKNOWN if found.late else Exit.AS_CLAIMED
