"""What a patch makes of tensors that a loader uses under two names: it changes both, or parts them.

Without a word about them it is refused: the proof would be about a circuit that reads what is edited, and the loader
would read it once more. Once they are parted a circuit reads each by its name, and the config ties nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from circ.compiler.checkpoint import read_chunks, read_header
from circ.compiler.config import NAME, Config, read_config
from circ.compiler.header import Header
from circ.compiler.patching import PatchPlan
from circ.compiler.tensor import as_stored
from circ.compiler.tied_tensors import FIELD, Tied, apart, ties
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.lang.span import Span
from circ.runtime.outputs import same
from circ.runtime.patches.plan import TensorBytes
from circ.runtime.patches.receipt import Configured, How, Treated


@dataclass(frozen=True, slots=True)
class Treatment:
    """The ties that a patch speaks of, what it makes of them, and the config before and after."""

    ties: tuple[Tied, ...]
    how: How
    before: Config | None
    after: Config | None

    @property
    def treated(self) -> tuple[Treated, ...]:
        """As a receipt has them."""
        return tuple(Treated(tie.kept, tie.other, self.how) for tie in self.ties)

    @property
    def configured(self) -> Configured | None:
        """As a receipt has the config; None where nothing rests on it."""
        if self.before is None or self.after is None or not any(tie.config for tie in self.ties):
            return None
        fields = {FIELD: False} if self.changed else {}
        return Configured(self.before.sha256, self.after.sha256, fields)

    @property
    def changed(self) -> bool:
        """Whether the config has to follow the patch."""
        return self.how == "apart" and any(tie.config for tie in self.ties)

    def beside(self, target: Path, source: Path) -> Config | None:
        """The config to be written beside the patched file; None where what is there stays."""
        if self.configured is None or (not self.changed and same(source.parent, target.parent)):
            return None
        return self.after

    @property
    def loose(self) -> frozenset[str]:
        """The entries of the file's own metadata that hold no longer."""
        apart = self.how == "apart"
        return frozenset(tie.other for tie in self.ties if apart and tie.metadata)


def touched(found: Iterable[Tied], edited: Iterable[str], how: How) -> tuple[Tied, ...]:
    """The ties that a patch of these tensors has to speak of; one config parts all that it ties."""
    names, known = {*edited}, tuple(found)
    own = [tie for tie in known if names & {tie.kept, tie.other}]
    config = how == "apart" and any(tie.config for tie in own)
    return tuple(tie for tie in known if tie in own or (config and tie.config))


def treatment(source: Path, edited: Iterable[str], how: How) -> Treatment:
    """What is made of the ties of a checkpoint; raises `CircError` as reading it does (E0662)."""
    config = read_config(source.parent)
    found = touched(ties(read_header(source), config), edited, how)
    parted = how == "apart" and config is not None and any(tie.config for tie in found)
    after = apart(config) if parted and config is not None else config
    return Treatment(found, how, config, after)


def chosen(plan: PatchPlan, source: Path, span: Span, *, untie: bool, tied: bool) -> Treatment:
    """What a patch makes of them as the user asks; raises `CircError` (E0661, E0662, E0664)."""
    how: How = "apart" if untie else "together"
    edited = plan.names
    found = treatment(source, edited, how)
    if untie and tied:
        reason = "`--untie` and `--tied` say opposite things"
        raise CircError(writing.not_untied(None, reason, "give one of them"))
    if not found.ties and (untie or tied):
        word = "--untie" if untie else "--tied"
        reason = f"`{word}` says nothing here: no loader is known to tie {named(edited)} to another"
        help = f"leave it out, or put the `{NAME}` of the model beside the checkpoint"
        raise CircError(writing.not_untied(span, reason, help))
    if untie:
        require_parted(plan, found, span)
    elif found.ties:
        require_meant(found, read_header(source), span, meant=tied)
    return found


def named(names: Sequence[str]) -> str:
    """`wte.weight`, or several."""
    return ", ".join(f"`{name}`" for name in names)


def require_meant(found: Treatment, header: Header, span: Span, *, meant: bool) -> None:
    """Raise `CircError` (E0661) unless each tie stands in one place of the file, and the user knows of it."""
    for tie in found.ties:
        both = tie.other in header.tensors
        if tie.guessed and not meant:
            raise CircError(writing.perhaps_tied(span, tie.kept, f"`{NAME}`"))
        if both or not meant:
            by = f"`{NAME}`" if tie.config else "the file's own metadata"
            raise CircError(writing.tied(span, tie.kept, tie.other, by, both))


def require_parted(plan: PatchPlan, found: Treatment, span: Span) -> None:
    """Raise `CircError` (E0664) where tensors cannot be parted, or the patch speaks as if they were not."""
    edited = {*plan.names}
    keys = {as_stored(key) for o in (*plan.require, *plan.preserve) for key in o.circuit.weights}
    at = plan.checkpoint
    for tie in found.ties:
        if not tie.other:
            reason = f"what `{tie.kept}` is tied to has no name that is known"
            help = f"the names are known of some kinds of model, by the `model_type` in `{NAME}`"
            raise CircError(writing.not_untied(span, reason, help))
        if tie.kept in edited and tie.other not in edited and f"{at}/{tie.other}" not in keys:
            reason = f"nothing in the patch reads `{tie.other}`, which keeps what `{tie.kept}` was"
            help = f"a circuit that reads the head by `{tie.kept}` is not the model that is written: read it by its own name"
            raise CircError(writing.not_untied(span, reason, help))
    if found.after is None and found.before is not None:
        reason = f"`{NAME}` ties tensors in a part of the model, which `{FIELD}` does not change"
        raise CircError(
            writing.not_untied(span, reason, "untie them with the library that loads it")
        )


def added(found: Treatment, source: Path) -> Mapping[str, TensorBytes]:
    """The tensors that the patched file has besides, each with the bytes of the one that it was tied to."""
    if found.how == "together":
        return {}
    header = read_header(source)
    new = {
        tie.other: header.tensors[tie.kept] for tie in found.ties if tie.other not in header.tensors
    }
    return {
        name: TensorBytes(old.dtype, old.shape, b"".join(read_chunks(source, old)))
        for name, old in new.items()
    }
