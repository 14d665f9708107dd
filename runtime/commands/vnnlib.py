"""`circ vnnlib`: the answer to a standard problem, in the words of the VNN competitions."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import assert_never

import click

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.vnnlib.formula import holds
from circ.compiler.vnnlib.problem import Problem, read_problem
from circ.runtime.exits import Exit
from circ.runtime.onnx_values import Computed, Missing, computed
from circ.runtime.prover import decide
from circ.runtime.show import printable, rational_text
from circ.runtime.standard import Answer, Sat, Undecided, Unsat, answer, terminates

DIGITS = 17
"""Significant digits of what is rounded to be shown: enough to tell doubles apart."""

LONGEST = 400
"""Characters of an input that are written in full."""


def run_vnnlib(
    network: Path, wanted: Path, limits: Limits, as_json: bool, certificates: Path | None = None
) -> int:
    """Answer `sat`, `unsat` or `unknown` first, then with what; raises `CircError` for bad files.

    `certificates` is the folder in which a proof of `unsat` is left, if it is to be.
    """
    start = monotonic()
    problem = read_problem(network, wanted)
    if certificates is not None:
        from circ.runtime.certificates.files import require_apart

        require_apart(certificates, [problem.asked.name], (network, wanted))
    left = max(limits.timeout - (monotonic() - start), 0.0)
    with watched(wanted.stem, as_json) as move:
        found = answer(problem, replace(limits, timeout=left), move, decide)
    seconds = monotonic() - start
    beside = computed(network, problem.network, found.inputs) if isinstance(found, Sat) else None
    if as_json:
        files = {"network": str(network), "property": str(wanted)}
        told = files | data(problem, found, beside) | {"seconds": round(seconds, 3)}
    else:
        told = dict[str, object]()
        click.echo("\n".join(map(printable, lines(problem, found, beside, seconds))))
    if certificates is not None:
        from circ.runtime.commands.vnnlib_certificates import certified

        told |= certified((network, wanted), problem, found, certificates, limits.timeout, as_json)
    if as_json:
        from circ.runtime.terminal import show_data

        show_data(told)
    return exit_of(found)


def watched(what: str, quiet: bool) -> AbstractContextManager[Progress]:
    """A bar on standard error; where nobody watches, what draws it is not even loaded."""
    if quiet or not sys.stderr.isatty():
        return nullcontext(silent)
    from circ.runtime.terminal import progress

    return progress(what, quiet)


def exit_of(found: Answer) -> Exit:
    """Decided or not."""
    return Exit.UNKNOWN if isinstance(found, Undecided) else Exit.AS_CLAIMED


# --- lines ------------------------------------------------------------------------------------


def lines(
    problem: Problem, found: Answer, beside: Computed | Missing | None, seconds: float
) -> list[str]:
    """The answer, the witness, and comments."""
    match found:
        case Sat():
            how = [f"; replayed in exact arithmetic; found by {found.method}, {seconds:.1f} s"]
            told = beside_lines(problem, found, beside)
            return [found.answer, *witness_lines(found), *how, *told]
        case Unsat(methods=methods, trusted=trusted):
            by = "; ".join(methods) or "bounds that contradict each other"
            rests = f"; trusted: {', '.join(trusted)}" if trusted else ""
            return [found.answer, f"; by {by}, {seconds:.1f} s{rests}"]
        case Undecided(reason=reason):
            return [found.answer, f"; {reason} ({seconds:.1f} s)"]
        case _:
            assert_never(found)


def witness_lines(found: Sat) -> list[str]:
    """The input and the output as VNN-LIB writes them, one number a line."""
    pairs = [f"(X_{k} {input_text(x)})" for k, x in enumerate(found.inputs)]
    pairs += [f"(Y_{k} {rounded((low + high) / 2)})" for k, (low, high) in enumerate(found.outputs)]
    return [f"({pairs[0]}", *(f" {pair}" for pair in pairs[1:-1]), f" {pairs[-1]})"]


def beside_lines(problem: Problem, found: Sat, beside: Computed | Missing | None) -> list[str]:
    """What onnxruntime says of it."""
    match beside:
        case Computed(outputs=outputs, version=version):
            values = ", ".join(f"Y_{k} = {y:.9g}" for k, y in enumerate(outputs))
            there = "it meets" if agrees(problem, found, beside) else "rounded, it does not meet"
            return [f"; onnxruntime {version}: {values}; {there} the property there"]
        case Missing(reason=reason):
            return [f"; {reason}"]
        case None:
            return []
        case _:
            assert_never(beside)


def agrees(problem: Problem, found: Sat, beside: Computed) -> bool:
    """Whether the property holds of what onnxruntime computed."""
    return holds(problem.asked.formula, found.inputs, [Fraction(y) for y in beside.outputs])


def input_text(value: Fraction) -> str:
    """An input to the last digit, where a decimal of some length writes it."""
    if not terminates(value):
        return rounded(value)
    bits = value.denominator.bit_length()
    digits = Context(prec=4 * LONGEST + bits).divide(
        Decimal(value.numerator), Decimal(value.denominator)
    )
    text = f"{digits:f}"
    return text if len(text) <= LONGEST else rounded(value)


def rounded(value: Fraction) -> str:
    """A number to the digits that tell doubles apart."""
    found = Context(prec=DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{found:f}" if -30 < found.adjusted() < 30 else f"{found:e}"


# --- data -------------------------------------------------------------------------------------


def data(problem: Problem, found: Answer, beside: Computed | Missing | None) -> dict[str, object]:
    """The answer as data; exact numbers as text."""
    base: dict[str, object] = {"answer": found.answer, "exit": int(exit_of(found))}
    match found:
        case Sat():
            outputs = [[rational_text(low), rational_text(high)] for low, high in found.outputs]
            inputs = [rational_text(x) for x in found.inputs]
            runtime: dict[str, object] = {}
            if isinstance(beside, Computed):
                met = agrees(problem, found, beside)
                runtime = {"onnxruntime": list(beside.outputs), "onnxruntime_agrees": met}
            witness = {"X": inputs, "Y": outputs}
            return base | {"witness": witness, "method": found.method, **runtime}
        case Unsat(methods=methods, trusted=trusted):
            return base | {"methods": list(methods), "trusted": list(trusted)}
        case Undecided(reason=reason):
            return base | {"reason": reason}
        case _:
            assert_never(found)
