"""What the commands of `circ` have in common: arguments, options, and how each ends."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isfinite
from os import cpu_count
from pathlib import Path
from typing import ParamSpec

import click

from circ.lang.diagnostic import CircError
from circ.runtime.exits import Exit

P = ParamSpec("P")


def seconds(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    """A finite number of seconds; `inf` and `nan` are no time limit that can be kept."""
    if not isfinite(value):
        raise click.BadParameter("it must be a finite number of seconds")
    return value


EXIT_CODES = """\b
Exit codes: 0 all as claimed, 1 refuted, 2 unknown, 3 vacuous,
            4 a wrong command line, spec or file, 5 a bug in Circ."""


def positive(_ctx: click.Context, _param: click.Parameter, value: str) -> Fraction:
    """A number above 0, exactly as it is written."""
    try:
        found = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter("it must be a number, as 0.001 or 1/1000 is") from None
    if found <= 0:
        raise click.BadParameter("it must be above 0")
    return found


def present(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """The name of a device that there is; only for another than the processor is anything loaded."""
    if value == "cpu":
        return value
    from circ.runtime.engines.places import place_named

    try:
        place_named(value)
    except ValueError as error:
        raise click.BadParameter(f"`{value}` cannot be used: {error}") from None
    return value


SPEC = click.argument("spec", type=click.Path(path_type=Path))
LISTED = click.option(
    "--list", "listed", type=click.IntRange(min=0), default=5, show_default=True, metavar="N",
    help="Show up to N more failing inputs of what is refuted.",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
TIMEOUT = click.option(
    "--timeout", type=click.FloatRange(min=0), default=120.0, show_default=True,
    metavar="SECONDS", callback=seconds,
    help="Give up on a claim after this long, with what was reached.",
)  # fmt: skip


def worked(command: Callable[P, int]) -> Callable[P, int]:
    """The options that say what may be used to decide about boxes of reals."""
    jobs = click.option(
        "--jobs", type=click.IntRange(min=1), default=min(cpu_count() or 1, 8), metavar="N",
        help="Processes that share out the parts of a box.  [default: one a core, at most 8]",
    )  # fmt: skip
    memory = click.option(
        "--memory", type=click.IntRange(min=1), default=4096, show_default=True, metavar="MIB",
        help="Give up on a claim once the parts of its box that wait take up so much.",
    )  # fmt: skip
    device = click.option(
        "--device", default="cpu", show_default=True, metavar="NAME", callback=present,
        help="What bounds parts of a box: `cuda` is a GPU. It pays where layers are wide.",
    )  # fmt: skip
    return jobs(memory(device(command)))


def settings(command: Callable[P, int]) -> Callable[P, int]:
    """The options that say how a spec is opened."""
    param = click.option(
        "--param", "params", multiple=True, metavar="NAME=VALUE",
        help="Set a param of the spec, as in --param eps=0.01.",
    )  # fmt: skip
    checkpoint = click.option(
        "--checkpoint", "checkpoints", multiple=True, metavar="NAME=FILE",
        help="Read this file for a checkpoint of the spec, as in --checkpoint m=new.safetensors.",
    )  # fmt: skip
    outside = click.option(
        "--allow-outside", "outside", is_flag=True,
        help="Let paths in the spec leave its folder.",
    )  # fmt: skip
    return param(checkpoint(outside(command)))


def written(what: str, where: str) -> Callable[[Callable[P, int]], Callable[P, int]]:
    """The options that name a file to write: what it is, and where it goes unless it is named."""

    def added(command: Callable[P, int]) -> Callable[P, int]:
        out = click.option(
            "--out", "-o", type=click.Path(path_type=Path), metavar="FILE",
            help=f"{what}, instead of {where}.",
        )  # fmt: skip
        force = click.option(
            "--force", is_flag=True,
            help="Replace a file that is already there; never one that was read.",
        )  # fmt: skip
        return out(force(command))

    return added


def kept(command: Callable[P, int]) -> Callable[P, int]:
    """The options that say where verdicts are kept."""
    cache = click.option(
        "--cache", type=click.Path(path_type=Path), metavar="DIR", envvar="CIRC_CACHE",
        help="Keep verdicts in DIR, not in `.circ-cache` beside SPEC (or set CIRC_CACHE).",
    )  # fmt: skip
    nothing = click.option(
        "--no-cache", is_flag=True, envvar="CIRC_NO_CACHE",
        help="Decide every claim anew, and keep no verdict (or set CIRC_NO_CACHE=1).",
    )  # fmt: skip
    return cache(nothing(command))


class Answer(click.Command):
    """A command whose function returns the exit code."""

    def invoke(self, ctx: click.Context) -> None:
        """End with the code; under `--json` errors, and an interrupt, are data as well."""
        try:
            code = int(super().invoke(ctx))
        except (CircError, KeyboardInterrupt) as stopped:
            if not ctx.params.get("as_json"):
                raise
            code = told_as_data(stopped)
        ctx.exit(code)


def told_as_data(stopped: CircError | KeyboardInterrupt) -> Exit:
    """The exit code of a command that came to no answer, which is shown as data."""
    from circ.lang.render import as_data
    from circ.runtime.terminal import show_data

    if isinstance(stopped, KeyboardInterrupt):
        show_data({"ok": False, "interrupted": True, "exit": int(Exit.UNKNOWN)})
        return Exit.UNKNOWN
    found = [as_data(diagnostic) for diagnostic in stopped.diagnostics]
    show_data({"ok": False, "diagnostics": found, "exit": int(Exit.INPUT)})
    return Exit.INPUT
