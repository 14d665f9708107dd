"""The command `circ`: its words, their help, and the exit code of whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from circ.lang.diagnostic import CircError
from circ.runtime.bug import bug_text
from circ.runtime.cli_audit import audit
from circ.runtime.cli_compile import compile_to
from circ.runtime.cli_diff import diff
from circ.runtime.cli_editor import fmt, lsp
from circ.runtime.cli_extents import range_over, regions_of_value
from circ.runtime.cli_patch import patch
from circ.runtime.cli_session import repl
from circ.runtime.exits import Exit
from circ.runtime.options import (
    EXIT_CODES,
    JSON,
    LISTED,
    SPEC,
    TIMEOUT,
    Answer,
    kept,
    settings,
    worked,
)
from circ.runtime.process import set_up


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="circ-lang", prog_name="circ")
def circ() -> None:
    """Write down what a mechanism inside a network does, and have it proved or refuted.

    \b
    circ check quote.circ              is the spec well-formed?
    circ prove quote.circ              decide every claim
    circ audit quote.circ proofs       check the certificates that `prove` left
    circ patch quote.circ mend         make and prove a patch, write the checkpoint
    circ diff old.safetensors new.safetensors  what changed, and does it matter?
    circ run quote.circ 'rule([...])'  evaluate an expression, exactly and in PyTorch
    circ range quote.circ 'x over s in D'  how small and large a number gets
    circ regions box.circ 'f on Box'   its linear regions, exactly
    circ repl quote.circ               ask questions
    circ fmt quote.circ                lay it out in the canonical form
    circ vnnlib net.onnx safe.vnnlib   answer a standard problem: sat, unsat or unknown
    """


@circ.command(cls=Answer)
@SPEC
@settings
@JSON
def check(
    spec: Path, params: tuple[str, ...], checkpoints: tuple[str, ...], outside: bool, as_json: bool
) -> int:
    """Check SPEC: syntax, names, types, shapes of tensors, bounded domains.

    \b
    circ check examples/quote_closing/quote.circ
    circ check quote.circ --json
    """
    from circ.runtime.commands.check import run_check

    return run_check(spec, (params, checkpoints, outside), as_json)


@circ.command(cls=Answer, epilog=EXIT_CODES)
@SPEC
@click.argument("claims", nargs=-1)
@settings
@TIMEOUT
@LISTED
@click.option(
    "--certificate", "certificates", type=click.Path(path_type=Path), metavar="DIR",
    help="Leave a certificate of each proof in DIR, for `circ audit`.",
)  # fmt: skip
@click.option(
    "--repro", "repros", type=click.Path(path_type=Path), metavar="DIR",
    help="Leave in DIR a script for each input that is shown, which replays it with PyTorch alone.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace scripts of --repro that are already there.")
@worked
@kept
@JSON
def prove(
    spec: Path,
    claims: tuple[str, ...],
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    listed: int,
    certificates: Path | None,
    repros: Path | None,
    force: bool,
    jobs: int,
    memory: int,
    device: str,
    cache: Path | None,
    no_cache: bool,
    as_json: bool,
) -> int:
    """Decide CLAIMS of SPEC (all of them by default) on their whole domains.

    What is wrong in a claim that is not named is a warning. Verdicts are kept, and a claim is decided
    again only where it, a tensor that it reads, or Circ has changed.

    \b
    circ prove quote.circ
    circ prove quote.circ faithful wider --list 20
    circ prove quote.circ wider --checkpoint m=patched.safetensors
    circ prove max_10.circ large --certificate proofs
    circ prove quote.circ wider --repro found    leaves found/wider.py
    circ prove quote.circ --no-cache          decide every claim anew
    """
    from circ.compiler.finding import Limits
    from circ.runtime.cache.recall import Keeping
    from circ.runtime.commands.prove import run_prove
    from circ.runtime.repro import Repros

    opened, keeping = (params, checkpoints, outside), Keeping(cache, no_cache)
    limits = Limits(timeout=timeout, jobs=jobs, memory=memory, device=device)
    left = None if repros is None else Repros(repros, force)
    return run_prove(spec, claims, opened, limits, listed, as_json, certificates, keeping, left)


@circ.command(cls=Answer)
@SPEC
@click.argument("expression")
@settings
@TIMEOUT
@JSON
def run(
    spec: Path,
    expression: str,
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Evaluate EXPRESSION in SPEC, in exact arithmetic and in PyTorch.

    \b
    circ run quote.circ 'argmax(model([letter, single, blank, digit, letter, eos, blank, blank]))'
    circ run quote.circ 'count { s in Wide | argmax(model(s)) == rule(s) }' --timeout 10

    Where the time is up a count is an interval, and another value what PyTorch says alone (code 2).
    """
    from circ.runtime.commands.run import run_expression

    return run_expression(spec, expression, (params, checkpoints, outside), timeout, as_json)


VNNLIB_CODES = """\b
Exit codes: 0 sat or unsat, 2 unknown, 4 a wrong command line or file, 5 a bug in Circ."""


@circ.command(cls=Answer, epilog=VNNLIB_CODES)
@click.argument("network", type=click.Path(path_type=Path))
@click.argument("wanted", metavar="PROPERTY", type=click.Path(path_type=Path))
@TIMEOUT
@worked
@click.option(
    "--certificate", "certificates", type=click.Path(path_type=Path), metavar="DIR",
    help="Leave a certificate of `unsat` in DIR, for `circ audit PROPERTY DIR --network NETWORK`.",
)  # fmt: skip
@JSON
def vnnlib(
    network: Path,
    wanted: Path,
    timeout: float,
    jobs: int,
    memory: int,
    device: str,
    certificates: Path | None,
    as_json: bool,
) -> int:
    """Say whether an input of NETWORK (ONNX) meets PROPERTY (VNN-LIB): sat, unsat or unknown.

    The first line is the answer alone. `sat` comes with the input, which exact arithmetic has
    confirmed; the network's floats are the rationals they denote, and `unsat` is about them.

    \b
    circ vnnlib net.onnx safe.vnnlib
    circ vnnlib net.onnx safe.vnnlib --timeout 300 --json
    circ vnnlib net.onnx safe.vnnlib --certificate proofs
    """
    from circ.compiler.finding import Limits
    from circ.runtime.commands.vnnlib import run_vnnlib

    limits = Limits(timeout=timeout, jobs=jobs, memory=memory, device=device)
    return run_vnnlib(network, wanted, limits, as_json, certificates)


@circ.command(cls=Answer)
@click.argument("what", required=False)
@click.argument("name", required=False)
def explain(what: str | None, name: str | None) -> int:
    """Explain an error's code, or what a spec says of itself or of one NAME in it; without either, list the codes.

    \b
    circ explain
    circ explain E0208
    circ explain quote.circ
    circ explain quote.circ model
    """
    from circ.runtime.commands.explain import run_explain

    return run_explain(what, name)


for other in (audit, patch, diff, compile_to, range_over, regions_of_value, repl, fmt, lsp):
    circ.add_command(other)


def outcome(command: Callable[[], int]) -> int:
    """The exit code of a command, whatever it raises; nobody sees a traceback."""
    try:
        return command()
    except CircError as error:
        from circ.runtime.terminal import show_diagnostics

        show_diagnostics(error.diagnostics)
        return Exit.INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Exit.UNKNOWN
    except click.ClickException as error:
        error.show()
        return Exit.INPUT
    except BrokenPipeError:
        sys.stdout = None
        return Exit.AS_CLAIMED
    except Exception as error:  # noqa: BLE001
        click.echo(bug_text(error), err=True)
        return Exit.BUG


def main() -> None:
    """Run the command line."""
    set_up()
    sys.exit(outcome(lambda: circ.main(standalone_mode=False) or Exit.AS_CLAIMED))
