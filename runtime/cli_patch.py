"""The words of `circ patch`: make a patch, and handle one that was left on its own."""

from __future__ import annotations

from pathlib import Path

import click

from circ.runtime.options import EXIT_CODES, JSON, SPEC, TIMEOUT, Answer, settings, written

MAKE = "make"


class Patching(click.Group):
    """`circ patch SPEC` makes patches, unless the first word is one of the other commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take a spec for what it is."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


@click.group("patch", cls=Patching, epilog=EXIT_CODES)
def patch() -> None:
    """Change a checkpoint, once what a patch asks for is proved of the change.

    `circ patch SPEC [PATCH ...]` is short for `circ patch make`. A spec that is named as a command is has a
    path, `./apply`.

    \b
    circ patch quote.circ mend --out patched.safetensors    make, prove and write
    circ patch quote.circ mend --delta mend                 leave the patch alone, in a folder
    circ patch show mend                                    what changes, and what was proved
    circ patch apply mend model.safetensors --in-place      write what was proved
    circ patch revert mend model.safetensors --in-place     take it back, byte for byte
    circ patch lora model.safetensors.receipt.json --out a  write it as an adapter of low rank
    circ audit model.safetensors.receipt.json               prove it again, from the files alone
    """


CHECKPOINT = click.argument("checkpoint", type=click.Path(path_type=Path))
FOLDER = click.argument("delta", metavar="FOLDER", type=click.Path(path_type=Path))
IN_PLACE = click.option("--in-place", is_flag=True, help="Replace the checkpoint itself.")


def one_place(out: Path | None, *, in_place: bool) -> None:
    """Refuse to be told two places for one checkpoint."""
    if out is not None and in_place:
        raise click.UsageError("--out and --in-place say two places for the checkpoint; name one")


@patch.command(MAKE, cls=Answer, epilog=EXIT_CODES)
@SPEC
@click.argument("patches", nargs=-1)
@settings
@TIMEOUT
@written("Where to write the checkpoint", "beside the one that is patched")
@IN_PLACE
@click.option(
    "--delta", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Leave the patch on its own in FOLDER. The checkpoint is written besides only if --out or --in-place says so.",
)  # fmt: skip
@click.option(
    "--untie",
    is_flag=True,
    help="Part tensors that a loader takes for one, as embedding and head: the second gets its own name in the file, and the config ties nothing.",
)
@click.option(
    "--tied",
    is_flag=True,
    help="Change such a tensor in all places at once, of a circuit that reads it in all.",
)
@JSON
def make(
    spec: Path,
    patches: tuple[str, ...],
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    out: Path | None,
    force: bool,
    in_place: bool,
    delta: Path | None,
    untie: bool,
    tied: bool,
    as_json: bool,
) -> int:
    """Make a patch of SPEC, prove it, and write the patched checkpoint with its receipt.

    Nothing is written unless every `require` and `preserve` is proved of what is written. Without --out, the
    patch `mend` of `model.safetensors` is written to `model.mend.safetensors` beside it. Of a checkpoint in shards
    those that change are written, and an index last.

    \b
    circ patch quote.circ mend --out patched.safetensors
    circ patch quote.circ mend --delta mend
    """
    from circ.runtime.commands.patch import Target, run_patch

    one_place(out, in_place=in_place)
    opened = (params, checkpoints, outside)
    target = Target(out, force, in_place, delta, untie, tied)
    return run_patch(spec, patches, opened, timeout, target, as_json)


@patch.command(cls=Answer)
@FOLDER
@CHECKPOINT
@written("Where to write the patched checkpoint", "beside the one that is patched")
@IN_PLACE
@JSON
def apply(
    delta: Path, checkpoint: Path, out: Path | None, force: bool, in_place: bool, as_json: bool
) -> int:
    """Write what the patch in FOLDER makes of CHECKPOINT, which must be the one it was proved of.

    \b
    circ patch apply mend model.safetensors
    circ patch apply mend model.safetensors --in-place
    """
    from circ.runtime.commands.patch_files import Target, run_apply

    one_place(out, in_place=in_place)
    return run_apply(delta, checkpoint, Target(out, force, in_place), as_json)


@patch.command(cls=Answer)
@FOLDER
@CHECKPOINT
@written("Where to write the checkpoint as it was", "beside the patched one")
@IN_PLACE
@JSON
def revert(
    delta: Path, checkpoint: Path, out: Path | None, force: bool, in_place: bool, as_json: bool
) -> int:
    """Write CHECKPOINT as it was before the patch in FOLDER, byte for byte.

    \b
    circ patch revert mend model.mend.safetensors --out model.safetensors
    """
    from circ.runtime.commands.patch_files import Target, run_revert

    one_place(out, in_place=in_place)
    return run_revert(delta, checkpoint, Target(out, force, in_place), as_json)


@patch.command(cls=Answer)
@click.argument("what", type=click.Path(path_type=Path))
@JSON
def show(what: Path, as_json: bool) -> int:
    """Say what a patch changes and what was proved of it: of a FOLDER, a receipt, or a patched checkpoint.

    \b
    circ patch show mend
    circ patch show model.mend.safetensors.receipt.json
    circ patch show model.mend.safetensors      the receipts that it carries, the oldest first
    """
    from circ.runtime.commands.patch_files import run_show

    return run_show(what, as_json)


@patch.command(cls=Answer, epilog=EXIT_CODES)
@click.argument("receipt", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    required=True,
    help="Where to write the adapter.",
)
@click.option("--force", is_flag=True, help="Replace an adapter that is already there.")
@click.option(
    "--rank",
    type=click.IntRange(min=1),
    metavar="R",
    help="The rank of the factors.  [default: the least that gives the change to its dtype's precision]",
)
@click.option(
    "--fan-in-fan-out/--no-fan-in-fan-out",
    "transposed",
    default=None,
    help="Whether layers keep their weights as [in, out].  [default: by the `config.json` beside the checkpoint]",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="NAME=FILE",
    help="Where a checkpoint that the receipt names is now.",
)
@TIMEOUT
@JSON
def lora(
    receipt: Path,
    out: Path,
    force: bool,
    rank: int | None,
    transposed: bool | None,
    checkpoints: tuple[str, ...],
    timeout: float,
    as_json: bool,
) -> int:
    """Write a patch as a LoRA adapter of PEFT, once what was proved is proved of the weights it is merged into.

    These need not be those of the patched checkpoint to the last bit: how far they lie from them is told.

    \b
    circ patch lora model.mend.safetensors.receipt.json --out adapter
    """
    from circ.runtime.commands.patch_lora import run_lora
    from circ.runtime.session import settings as parsed

    elsewhere = parsed((), checkpoints, outside=True).checkpoints
    return run_lora(receipt, out, elsewhere, rank, transposed, timeout, force, as_json)
