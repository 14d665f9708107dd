"""What a receipt says of tensors that a loader takes for one, held against a source, a patched file, and the config beside each.

A loader knows a checkpoint by the folder that it stands in: what was proved of one that is tied is about another model where it
is not, and the other way round. So both folders are looked at, whenever a patch is made, applied, audited or made an adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from circ.compiler.checkpoint import read_header
from circ.compiler.config import NAME, Config, read_config
from circ.compiler.header import Header, StoredTensor
from circ.compiler.tied_tensors import ties
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.patches.receipt import Change, How, Receipt, Treated
from circ.runtime.patches.treatment import touched, treatment

ELSEWHERE = "name a file in another folder with `--out`"
AGAIN = "make the patch again, of a checkpoint with this config beside it"


def parted(header: Header, treated: Sequence[Treated]) -> Header:
    """A header in which tensors that a patch parts stand under both names."""
    new = {t.other: header.tensors[t.kept] for t in treated if t.how == "apart"}
    return replace(header, tensors={**new, **header.tensors})


def wrong_ties(before: Path, after: Path, receipt: Receipt, edited: Sequence[str]) -> Iterator[str]:
    """What a receipt says of tied tensors that is not so of its source or its target, and of the configs that say which they are."""
    if differs(before, receipt, edited):
        yield f"what it says of tensors that are tied is not so, by {before.name} and what is beside it"
        return
    apart = how_of(receipt.ties) == "apart"
    header = read_header(after if apart else before)
    for tie in receipt.ties:
        if (tie.other in header.tensors) != apart:
            yield f"`{tie.kept}` and `{tie.other}` are not {tie.how} in the file"
    wrong = wrong_beside(read_header(after), read_config(after.parent), receipt, edited)
    if wrong is not None:
        yield f"the {NAME} beside {receipt.target} is another than it names: {wrong}"


def require_as_proved(receipt: Receipt, source: Path, target: Path) -> None:
    """Raise `CircError` (E0663) where what a patch says of tied tensors is not so of where it is applied."""
    edited = [change.tensor for change in receipt.changes]
    if differs(source, receipt, edited):
        reason = "it ties other tensors that are edited, or was another"
        raise CircError(writing.other_ties(str(source.parent / NAME), reason, AGAIN))
    require_folder(source, target, receipt, None)


def require_folder(source: Path, target: Path, receipt: Receipt, written: Config | None) -> None:
    """Raise `CircError` (E0663) where a patched file is another model by the folder that it is written to.

    `written` is the config that is written with it; without, it is the one that is there.
    """
    there = read_config(target.parent) if written is None else written
    edited = [change.tensor for change in receipt.changes]
    wrong = wrong_beside(to_be(read_header(source), receipt), there, receipt, edited)
    if wrong is not None:
        raise CircError(writing.other_ties(str(target.parent / NAME), wrong, ELSEWHERE))


def to_be(header: Header, receipt: Receipt) -> Header:
    """The header of a target: what is parted stands under both names, is noted no more, and what grows has its size."""
    loose = {tie.other for tie in receipt.ties if tie.how == "apart"}
    tensors = parted(header, receipt.ties).tensors
    notes = {name: kept for name, kept in header.metadata.items() if name not in loose}
    return Header({**tensors, **grown(tensors, receipt.changes)}, notes)


def grown(
    tensors: Mapping[str, StoredTensor], changes: Sequence[Change]
) -> Mapping[str, StoredTensor]:
    """The tensors that change, each with the shape that it has then."""
    known = [change for change in changes if change.tensor in tensors]
    return {c.tensor: replace(tensors[c.tensor], shape=c.shape) for c in known}


# --- of one side ----------------------------------------------------------------------------


def how_of(treated: Sequence[Treated]) -> How:
    """What a patch makes of the ties that it speaks of."""
    return "apart" if any(tie.how == "apart" for tie in treated) else "together"


def differs(source: Path, receipt: Receipt, edited: Sequence[str]) -> bool:
    """Whether a receipt speaks of other ties than a source and the config beside it have, or of another config."""
    found = treatment(source, edited, how_of(receipt.ties))
    return (found.treated, found.configured) != (receipt.ties, receipt.config)


def wrong_beside(
    header: Header, there: Config | None, receipt: Receipt, edited: Sequence[str]
) -> str | None:
    """How a patched file with this header and a config beside it is another model than was proved; None where it is not."""
    meant = {(tie.kept, tie.other) for tie in receipt.ties if tie.how == "together"}
    found = {(t.kept, t.other) for t in touched(ties(header, there), edited, "together")}
    for kept, _ in sorted(found - meant):
        return f"it ties `{kept}`, which was proved to change in one place"
    for kept, _ in sorted(meant - found):
        way = "there is none, and so nothing ties" if there is None else "it does not tie"
        return f"{way} `{kept}`, which was proved to change in all places"
    if receipt.config is not None and (there is None or there.sha256 != receipt.config.after):
        return "it is not the one that was proved beside"
    return None
