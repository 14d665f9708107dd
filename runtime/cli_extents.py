"""The commands about a value over a whole domain: how large it gets, and of which affine maps it is made."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click

from circ.runtime.options import (
    EXIT_CODES,
    JSON,
    SPEC,
    TIMEOUT,
    Answer,
    positive,
    settings,
    worked,
    written,
)


@click.command("range", cls=Answer, epilog=EXIT_CODES)
@SPEC
@click.argument("question")
@settings
@TIMEOUT
@click.option(
    "--within", default="0.000001", show_default=True, metavar="SHARE", callback=positive,
    help="On boxes, bring the bounds of each end together up to this share of it (of 1, if it is smaller).",
)  # fmt: skip
@worked
@JSON
def range_over(
    spec: Path,
    question: str,
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    within: Fraction,
    jobs: int,
    memory: int,
    device: str,
    as_json: bool,
) -> int:
    """Say how small and how large a number gets on a domain: QUESTION is `e over s in D`.

    Each end is enclosed for certain, and an input that reaches it is shown. When the time is up, an end lies
    between the value of that input and what was proved not to be exceeded.

    \b
    circ range quote.circ 'model(s)[single] over s in Prompts'
    circ range quote.circ 'max(mix(s)) over s in Prompts where s[0] == single'
    circ range box.circ 'f(x)[0] - f(x)[1] over x in Box' --within 0.001
    circ range box.circ 'norm_inf(f(x) - f(y)) over x in Box, y in Box where norm_inf(x - y) <= 0.1'
    """
    from circ.compiler.finding import Limits
    from circ.runtime.commands.range import run_range

    limits = Limits(timeout=timeout, jobs=jobs, memory=memory, device=device)
    return run_range(spec, question, (params, checkpoints, outside), limits, within, as_json)


@click.command("regions", cls=Answer, epilog=EXIT_CODES)
@SPEC
@click.argument("question")
@settings
@TIMEOUT
@click.option(
    "--most", type=click.IntRange(min=1), default=1000, show_default=True, metavar="N",
    help="Give up where there are more regions.",
)  # fmt: skip
@click.option("--circ", "as_circ", is_flag=True, help="Answer with a spec that Circ can prove.")
@written("A file for that spec", "the screen")
@JSON
def regions_of_value(
    spec: Path,
    question: str,
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    most: int,
    as_circ: bool,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """List the linear regions of a value on a box, exactly: QUESTION is `e over x in D`, or `f on D`.

    Each region is told by the half-spaces that bound it, the affine map that the value is there, and how much
    room is around its middle. With --circ they are a circuit of guarded affine maps, and a claim that it is
    the same on the whole domain.

    \b
    circ regions box.circ 'f on Box'
    circ regions box.circ 'f(x)[0] - f(x)[1] over x in Box where x[0] >= 0'
    circ regions box.circ 'f on Box' -o pieces.circ && circ prove pieces.circ
    """
    from circ.runtime.commands.regions import run_regions
    from circ.runtime.outputs import Output

    opened = (params, checkpoints, outside)
    return run_regions(spec, question, opened, timeout, most, as_json, as_circ, Output(out, force))
