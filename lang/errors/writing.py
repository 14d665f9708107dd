"""E065x: files that a command writes, a patched checkpoint and its receipt among them."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span

BY_THE_COMMAND = "name another file with `--out`, or replace this one with `--force`"


def target_exists(target: str, help: str = BY_THE_COMMAND) -> Diagnostic:
    """The file to be written is there already; `help` says how it is replaced."""
    return Diagnostic("E0650", f"`{target}` already exists", None, help=help)


def writes_over_source(source: str, target: str) -> Diagnostic:
    """The file to be written is the checkpoint that is patched, by this name or another."""
    headline = f"writing `{target}` would replace the checkpoint `{source}` that is patched"
    help = "name another file with `--out`, or patch the checkpoint itself with `--in-place`"
    return Diagnostic("E0651", headline, None, help=help)


def writes_over_read(target: str) -> Diagnostic:
    """The file to be written is one that was read for it, by this name or another."""
    headline = f"writing `{target}` would replace a file that was read for this"
    return Diagnostic("E0651", headline, None, help="name another file")


def left_for_another_folder(shard: str) -> Diagnostic:
    """A shard of a patch that was proved under the names of its source, as those in another folder are."""
    headline = f"writing `{shard}` would replace a shard of the checkpoint that is patched"
    help = "the patch was left with `--out` in another folder, where its shards keep their names: apply it to one with `--out`, or leave it again without"
    return Diagnostic("E0651", headline, None, help=help)


def writes_over_another(checkpoint: str, target: str) -> Diagnostic:
    """The file to be written is one that the requirements read unpatched."""
    headline = f"writing `{target}` would replace `{checkpoint}`, which the requirements read"
    return Diagnostic("E0651", headline, None, help="name another file with `--out`")


def source_changed(source: str) -> Diagnostic:
    """The checkpoint is not the one that the proof was about."""
    headline = f"`{source}` changed after it was read: what was proved is not about this file"
    return Diagnostic("E0652", headline, None, help="prove the patch again; nothing was written")


def cannot_write(target: str, reason: str) -> Diagnostic:
    """The operating system refused: a full disk, a read-only or missing folder."""
    headline = f"cannot write `{target}`: {reason}"
    return Diagnostic("E0653", headline, None, help="nothing was changed")


def does_not_fit(tensor: str, dtype: str, value: str) -> Diagnostic:
    """A patched entry too large for the tensor's dtype."""
    headline = f"the patch gives `{tensor}` an entry of {value}, which {dtype} cannot hold"
    return Diagnostic("E0654", headline, None, help="bound the edit, or patch another tensor")


def unwritable_dtype(tensor: str, dtype: str) -> Diagnostic:
    """A tensor stored in a format that patches are not written in."""
    headline = f"`{tensor}` is stored as {dtype}, and a patch is written as F64, F32, F16 or BF16"
    return Diagnostic("E0655", headline, None)


def bad_receipt(receipt: str, reason: str) -> Diagnostic:
    """A receipt that does not say what a receipt says."""
    return Diagnostic("E0656", f"`{receipt}` is not a receipt: {reason}", None)


def no_index(target: str, ending: str) -> Diagnostic:
    """A checkpoint in shards is written as shards, and its name is that of their index."""
    headline = f"`{target}` is no name of the index of a checkpoint in shards"
    return Diagnostic("E0658", headline, None, help=f"name a file that ends in `{ending}`")


def no_shards(target: str, ending: str) -> Diagnostic:
    """A checkpoint in one file is written as one."""
    headline = f"`{target}` is the name of an index, and this checkpoint is one file"
    return Diagnostic("E0658", headline, None, help=f"name a file that does not end in `{ending}`")


def no_delta(folder: str, reason: str) -> Diagnostic:
    """A folder that holds no patch, or a damaged one."""
    headline = f"`{folder}` holds no patch: {reason}"
    help = "`circ patch SPEC NAME --delta FOLDER` leaves one"
    return Diagnostic("E0659", headline, None, help=help)


def other_checkpoint(checkpoint: str, done: bool, back: bool) -> Diagnostic:
    """The checkpoint is not the one that a patch starts from; `done`: it is what the patch ends in."""
    if done:
        headline = f"`{checkpoint}` is {'as it was before' if back else 'patched already'}"
        return Diagnostic("E0660", headline, None, help="nothing was written")
    start = "ends in" if back else "starts from"
    headline = f"`{checkpoint}` is not the checkpoint that the patch {start}"
    help = "what was proved is about other numbers; make the patch again for this checkpoint"
    return Diagnostic("E0660", headline, None, help=help)


def tied(span: Span, kept: str, other: str, by: str, both: bool) -> Diagnostic:
    """An edit of a tensor that a loader uses under two names; `both`: the file has both."""
    names = f"`{kept}` and `{other}` are" if other else f"`{kept}` and another are"
    headline = f"{names} one tensor to a loader: {by} ties them"
    alone = f"`--untie` makes {f'`{other}`' if other else 'the other'} a tensor of its own"
    together = "`--tied` changes it in both places, of a circuit that reads it in both"
    help = alone if both else f"{together}; {alone}"
    return Diagnostic("E0661", headline, span, "edited here", help=help)


def perhaps_tied(span: Span, tensor: str, config: str) -> Diagnostic:
    """An edit of a tensor that may be one that a config ties, which of them is not known by its name."""
    headline = f"`{tensor}` may be one tensor with another to a loader: {config} ties embedding and head, and which they are is not known"
    help = "`--tied` changes it wherever it is used, of a circuit that reads it there; where it is neither, `tie_word_embeddings: false` in the config of an untied model says so"
    return Diagnostic("E0661", headline, span, "edited here", help=help)


def bad_config(config: str, reason: str) -> Diagnostic:
    """A config beside a checkpoint that says nothing."""
    headline = f"`{config}` cannot be read, so it is not known which tensors it ties: {reason}"
    return Diagnostic("E0662", headline, None)


def config_there(config: str, reason: str) -> Diagnostic:
    """A config that has to change with the checkpoint, where another depends on the one that is there."""
    headline = f"the patched checkpoint needs another `{config}`, and {reason}"
    help = "name a file in a folder of its own with `--out`: it gets a `config.json` besides"
    return Diagnostic("E0663", headline, None, help=help)


def other_ties(config: str, reason: str, help: str) -> Diagnostic:
    """A folder by whose config a checkpoint is another model than the one that was proved."""
    headline = f"by `{config}` the checkpoint is another model than was proved: {reason}"
    return Diagnostic("E0663", headline, None, help=help)


def not_untied(span: Span | None, reason: str, help: str) -> Diagnostic:
    """`--untie` or `--tied` where that is not to be had."""
    return Diagnostic("E0664", reason, span, help=help)


def no_adapter(tensor: str, reason: str) -> Diagnostic:
    """A change that is none of a linear layer's weight, which is all that such an adapter has."""
    headline = f"the change of `{tensor}` is not written as an adapter: {reason}"
    help = "use the patched checkpoint, or the patch on its own (`--delta`)"
    return Diagnostic("E0665", headline, None, help=help)


def other_way(tensors: Sequence[str], said: bool, why: str) -> Diagnostic:
    """What is said of layers is not so of the kind of model that the config names."""
    word = "--fan-in-fan-out" if said else "--no-fan-in-fan-out"
    listed = ", ".join(f"`{tensor}`" for tensor in tensors)
    headline = f"`{word}` is not so of {listed}: {why}"
    return Diagnostic("E0666", headline, None, help="leave it out: the config decides each layer")


def both_ways(named: Sequence[str], others: Sequence[str]) -> Diagnostic:
    """Layers of which some have the names of Conv1D, and some have not."""
    left, right = (", ".join(f"`{tensor}`" for tensor in part) for part in (named, others))
    headline = f"`--fan-in-fan-out` is said of {left}, and of {right} too, whose names are not those of Conv1D layers"
    help = "change the two sorts by patches of their own, so that it is known of each"
    return Diagnostic("E0666", headline, None, help=help)


def which_way(tensors: Sequence[str]) -> Diagnostic:
    """Layers that keep their weights as [in, out] in one kind of model and as [out, in] in others."""
    listed = ", ".join(f"`{tensor}`" for tensor in tensors)
    headline = f"it is not known whether {listed} is kept as [in, out]"
    help = "`--fan-in-fan-out` says so, as of the Conv1D layers of GPT-2; `--no-fan-in-fan-out` says that it is not"
    return Diagnostic("E0666", headline, None, help=help)
