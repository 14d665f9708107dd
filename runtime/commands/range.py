"""`circ range`: how small and how large a number gets on a domain."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from circ.compiler.finding import Limits
from circ.compiler.query import ranged
from circ.lang.span import Source
from circ.runtime.advice import advised
from circ.runtime.range_lines import range_data, range_exit, range_lines
from circ.runtime.ranges import range_of
from circ.runtime.session import Opened, settings, usable
from circ.runtime.terminal import progress, show_data, show_lines


def run_range(
    spec: Path, text: str, opened: Opened, limits: Limits, within: Fraction, as_json: bool
) -> int:
    """Show both ends; raises `CircError` where the expression is no number over a domain."""
    program = usable(spec, settings(*opened))
    with advised(text):
        question = ranged(program, Source("<range>", text), {}).question
    with progress(question.name, as_json) as move:
        found = range_of(question, program.weights, limits, move, within)
    code = range_exit(found)
    if as_json:
        show_data({**range_data(question.name, found), "exit": int(code)})
    else:
        show_lines(range_lines(found))
    return code
