"""The commands for whoever writes a spec: its layout, and the server that editors talk to."""

from __future__ import annotations

import click

from circ.runtime.options import JSON, Answer

FMT_CODES = """\b
Exit codes: 0 done (with --check: nothing to do), 1 with --check: some would change,
            4 a wrong command line, spec or file, 5 a bug in Circ."""


@click.command(cls=Answer, epilog=FMT_CODES)
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--check", is_flag=True, help="Write nothing: show what would change.")
@JSON
def fmt(specs: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Lay out each SPEC in the canonical form, of which every text has one.

    A folder stands for the specs below it; `-` is standard input, whose canonical form is printed. Comments
    stay where they belong. What has errors of syntax is left as it is.

    \b
    circ fmt quote.circ
    circ fmt examples stdlib
    circ fmt --check .                what would change, as a diff
    circ fmt - < quote.circ           print it
    """
    from circ.runtime.commands.fmt import run_fmt

    return run_fmt(specs, check, as_json)


@click.command(cls=Answer)
@click.option("--stdio", is_flag=True, help="Talk over standard input and output (the only way).")
def lsp(stdio: bool) -> int:
    """Serve an editor: the Language Server Protocol over standard input and output.

    Errors as you type, with their reasons and mends; hover, definitions, completion, renaming, layout
    and the outline. An editor starts this by itself; it needs the extra `lsp`.

    \b
    pip install 'circ-lang[lsp]'
    circ lsp
    """
    from circ.runtime.commands.lsp import run_lsp

    return run_lsp()
