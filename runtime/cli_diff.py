"""The words of `circ diff`."""

from __future__ import annotations

from pathlib import Path

import click

from circ.runtime.options import EXIT_CODES, JSON, LISTED, TIMEOUT, Answer, settings


@click.command("diff", cls=Answer, epilog=EXIT_CODES)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--spec", type=click.Path(path_type=Path), metavar="SPEC",
    help="Compare what a circuit of this spec decides; without it only tensors are compared.",
)  # fmt: skip
@click.option(
    "--on", "domains", multiple=True, metavar="DOMAIN",
    help="On which domain of SPEC; several times where the circuit's arguments are of several.",
)  # fmt: skip
@click.option("--of", "circuit", metavar="CIRCUIT", help="Which circuit of SPEC.")
@click.option(
    "--in", "checkpoint", metavar="NAME", help="Which checkpoint of SPEC the files stand for."
)
@click.option(
    "--within", metavar="EPS",
    help="Compare the circuit's numbers, which may differ by EPS, and not the largest of them.",
)  # fmt: skip
@settings
@TIMEOUT
@LISTED
@JSON
def diff(
    old: Path,
    new: Path,
    spec: Path | None,
    domains: tuple[str, ...],
    circuit: str | None,
    checkpoint: str | None,
    within: str | None,
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    listed: int,
    as_json: bool,
) -> int:
    """Say what differs between the checkpoints OLD and NEW, and prove that it changes no decision, or show where it does.

    With a spec, all inputs of a domain are decided: both files give the same largest score (or value), or an input at
    which they do not is shown, and of words and rows how many there are. What a spec has one of need not be named.

    \b
    circ diff model.safetensors tuned.safetensors
    circ diff model.safetensors tuned.safetensors --spec quote.circ --on Prompts
    circ diff model.safetensors tuned.safetensors --spec box.circ --of f --on Box --within 1e-3
    circ diff model.safetensors tuned.safetensors --spec pair.circ --of g --on Words --on Box
    """
    from circ.runtime.commands.diff import Wanted, run_diff, tolerance

    opened = (params, checkpoints, outside)
    if spec is None and any((domains, circuit, checkpoint, within, *opened)):
        raise click.UsageError("what is to be decided is said of a spec; name it with --spec SPEC")
    wanted = Wanted(checkpoint, circuit, domains, None if within is None else tolerance(within))
    return run_diff(old, new, spec, wanted, opened, timeout, listed, as_json)
