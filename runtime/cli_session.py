"""The command that asks question after question."""

from __future__ import annotations

from pathlib import Path

import click

from circ.runtime.options import JSON, Answer, kept, settings


@click.command(cls=Answer)
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@settings
@kept
@JSON
def repl(
    spec: Path | None,
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    cache: Path | None,
    no_cache: bool,
    as_json: bool,
) -> int:
    """Ask questions about SPEC: evaluate, trace, prove, find; also from a pipe.

    Without SPEC, `:load` opens one, and declarations can be tried out. With --json, each answer is an
    object on a line.

    \b
    circ repl quote.circ
    echo 'find s in Wide where argmax(model(s)) != rule(s)' | circ repl quote.circ
    circ repl quote.circ --json < script
    """
    from circ.runtime.cache.recall import Keeping
    from circ.runtime.commands.repl import run_repl

    return run_repl(spec, (params, checkpoints, outside), Keeping(cache, no_cache), as_json)
