"""A patch as an adapter of PEFT: factors of low rank, once all is proved of each checkpoint that merging them may give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from circ.compiler.checkpoint import read_header, read_tensor
from circ.compiler.config import NAME, read_config
from circ.compiler.finding import Limits, Progress
from circ.compiler.patching import PatchPlan
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.tied_tensors import EMBEDDINGS, HEADS, MODELS, module_of
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.patches.edited import Edited
from circ.runtime.patches.low_rank import (
    WAYS,
    Factors,
    Moved,
    Way,
    deviation,
    factored,
    merged,
)
from circ.runtime.patches.receipt import Receipt
from circ.runtime.patches.reproving import (
    Differing,
    Undecided,
    Verdicts,
    decided,
    opened_as_told,
    wrong_files,
    wrong_texts,
)
from circ.runtime.patches.ties import wrong_ties

KEPT_TRANSPOSED = frozenset({"c_attn", "c_proj", "c_fc", "q_attn"})
"""The modules of a GPT-2 whose weights are [in, out]."""

TABLES = ("emb", "wte", "wpe", "relative_attention_bias")
"""What the names of modules have in them that look rows up, where those of linear layers have not."""

Ways = tuple[Way, ...]

MERGED: Mapping[Ways, str] = {
    WAYS: "the merged checkpoint",
    ("default",): "the checkpoint that PEFT merges by default",
    ("safe",): "the checkpoint that PEFT merges with `safe_merge=True`",
}
"""The checkpoints that merging gives, by the ways that give each."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """Factors by module, those whose weights are [in, out], and whether a weight has a narrower dtype than the factors."""

    factors: Mapping[str, Factors]
    rank: int
    transposed: frozenset[str]
    narrow: bool

    @property
    def orders(self) -> Literal["every", "one"]:
        """Of which orders of summation of the product B A all is proved: of rank 1 there is nothing to be summed."""
        return "every" if self.rank == 1 else "one"


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proved of the checkpoint that these ways of merging give."""

    ways: Ways
    verdicts: Verdicts


@dataclass(frozen=True, slots=True)
class Merged:
    """An adapter with what is proved of each checkpoint that merging it may give, and how far its weights lie from the proved file's, at most."""

    adapter: Adapter
    proofs: tuple[Proof, ...]
    deviations: Mapping[str, float]


def made(
    receipt: Receipt,
    folder: Path,
    rank: int | None,
    transposed: bool | None,
    limits: Limits,
    deadline: float,
    progress: Progress,
) -> Merged | Differing | Undecided:
    """The adapter of a patch, its paths seen from `folder`; raises `CircError` (E0665, E0666, and as the spec is wrong)."""
    wrong = next(wrong_files(receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    program = opened_as_told(receipt, folder)
    wrong = next(wrong_texts(program, receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    plan, source, target = (
        program.patch(receipt.patch),
        folder / receipt.source.path,
        folder / receipt.target,
    )
    if receipt.read.get(plan.checkpoint) != receipt.source:
        return Differing(f"the checkpoint that the patch edits is not {receipt.source.path}")
    wrong = next(wrong_ties(source, target, receipt, plan.names), None)
    if wrong is not None:
        return Differing(wrong)
    if receipt.ties:
        raise CircError(writing.no_adapter(receipt.ties[0].kept, "it is tied to another tensor"))
    moved = moved_matrices(plan.names, source, target, transposed)
    factors, rank = factored([*moved.values()], rank)
    try:
        wholes = merges(moved, factors)
    except OverflowError as error:
        return Differing(f"merged into the checkpoint it does not fit: {error}")
    found = proofs(plan, program.weights, wholes, limits, deadline, progress)
    if not isinstance(found, tuple):
        return found
    wrong = next(wrong_files(receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    return Merged(adapter_of(moved, factors, rank), found, deviations(moved, wholes))


def adapter_of(moved: Mapping[str, Moved], factors: Sequence[Factors], rank: int) -> Adapter:
    """Factors by the modules of the tensors that they are of."""
    modules = [name.removesuffix(".weight") for name in moved]
    flat = frozenset(m for m, each in zip(modules, moved.values(), strict=True) if each.transposed)
    narrow = any(each.after.dtype not in ("F32", "F64") for each in moved.values())
    return Adapter(dict(zip(modules, factors, strict=True)), rank, flat, narrow)


# --- what merging gives ---------------------------------------------------------------------


Whole = Mapping[str, Tensor]


def merges(moved: Mapping[str, Moved], factors: Sequence[Factors]) -> Mapping[Ways, Whole]:
    """The weights that merging gives, by the ways that give the same; raises `OverflowError`."""
    pairs = [(name, each, f) for (name, each), f in zip(moved.items(), factors, strict=True)]
    default, safe = ({name: merged(each, f, way) for name, each, f in pairs} for way in WAYS)
    return {WAYS: default} if default == safe else {("default",): default, ("safe",): safe}


def proofs(
    plan: PatchPlan,
    weights: Weights,
    wholes: Mapping[Ways, Whole],
    limits: Limits,
    deadline: float,
    progress: Progress,
) -> tuple[Proof, ...] | Differing | Undecided:
    """Every requirement, proved of each checkpoint that merging may give; or what does not hold of one of them."""
    proved: list[Proof] = []
    missed: list[Differing | Undecided] = []
    for ways, whole in wholes.items():
        new = {f"{plan.checkpoint}/{name}": tensor for name, tensor in whole.items()}
        found = decided(plan, Edited(weights, new), MERGED[ways], limits, deadline, progress)
        if isinstance(found, tuple):
            proved.append(Proof(ways, found))
        else:
            missed.append(found)
    if not missed:
        return tuple(proved)
    worst = next((each for each in missed if isinstance(each, Differing)), missed[0])
    other = "".join(f"; of {MERGED[each.ways]} all is proved" for each in proved)
    return replace(worst, reason=worst.reason + other)


def deviations(moved: Mapping[str, Moved], wholes: Mapping[Ways, Whole]) -> Mapping[str, float]:
    """How far each tensor lies from the proved file's, whichever way it is merged."""
    return {
        name: max(deviation(each, whole[name]) for whole in wholes.values())
        for name, each in moved.items()
    }


# --- the layers -----------------------------------------------------------------------------


def moved_matrices(
    names: Sequence[str], source: Path, target: Path, transposed: bool | None
) -> dict[str, Moved]:
    """Those of some tensors that have changed; raises `CircError` (E0665, E0666) where one is no matrix of a layer that is known."""
    old, new = read_header(source), read_header(target)
    kind = kind_beside(source)
    found: dict[str, Moved] = {}
    for name in sorted(names):
        before, after = read_tensor(source, old, name), read_tensor(target, new, name)
        if before == after:
            continue
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            raise CircError(writing.no_adapter(name, "it has another shape or dtype than it had"))
        if len(after.shape) != 2 or not module_of(name):
            raise CircError(writing.no_adapter(name, "it is no matrix of a linear layer"))
        if is_table(name, kind):
            raise CircError(writing.no_adapter(name, "it is the table of an embedding"))
        found[name] = Moved(before, after, transposed=False)
    if not found:
        raise CircError(writing.no_adapter(names[0], "it has not changed, nor has any other"))
    flat = kept_transposed([*found], kind, transposed)
    return {name: replace(each, transposed=name in flat) for name, each in found.items()}


def kind_beside(source: Path) -> str:
    """The kind of model, by the config beside a checkpoint; empty where it is not said."""
    config = read_config(source.parent)
    kind = None if config is None else config.fields.get("model_type")
    return kind if isinstance(kind, str) else ""


def is_table(name: str, kind: str) -> bool:
    """Whether a weight is looked up by its row, as the name of its module says, a number at its end left out."""
    modules = [part for part in name.split(".")[:-1] if not part.isdigit()]
    module = modules[-1] if modules else ""
    if module in HEADS:
        return False
    known = EMBEDDINGS | {MODELS.get(kind, ("", ""))[0]}
    return module in known or any(part in module.lower() for part in TABLES)


def kept_transposed(tensors: Sequence[str], kind: str, said: bool | None) -> frozenset[str]:
    """Those that layers keep as [in, out]; raises `CircError` (E0666) where that is not known, or known to be otherwise."""
    named = frozenset(name for name in tensors if module_of(name) in KEPT_TRANSPOSED)
    if kind == "gpt2":
        if said is not None and said != bool(named):
            raise CircError(writing.other_way(tensors, said, f"`{NAME}` is that of a GPT-2"))
        return named
    if said is None and named:
        raise CircError(writing.which_way(sorted(named)))
    if said and named and len(named) < len(tensors):
        raise CircError(writing.both_ways(sorted(named), sorted({*tensors} - named)))
    return frozenset(tensors) if said else frozenset()
