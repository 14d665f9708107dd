"""A patch as an adapter of PEFT: factors of low rank beside a config, once all is proved of what merging them gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from circ.compiler.checkpoint import read_header, read_tensor
from circ.compiler.config import read_config
from circ.compiler.finding import Limits, Progress
from circ.compiler.tied_tensors import EMBEDDINGS, module_of
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import refuse_existing, replacing
from circ.runtime.outputs import make_folder
from circ.runtime.patches.delta import tensors_text
from circ.runtime.patches.edited import Edited
from circ.runtime.patches.low_rank import Factors, Moved, deviation, factored, merged, tensors_of
from circ.runtime.patches.plan import TensorBytes
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

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"

KEPT_TRANSPOSED = frozenset({"c_attn", "c_proj", "c_fc", "q_attn"})
"""The modules of a GPT-2 whose weights are [in, out]."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """Factors by module, and whether the weights that they are of are [in, out]."""

    factors: Mapping[str, Factors]
    rank: int
    transposed: bool

    @property
    def orders(self) -> Literal["every", "one"]:
        """Of which orders of summation of the product B A all is proved: of rank 1 there is nothing to be summed."""
        return "every" if self.rank == 1 else "one"


@dataclass(frozen=True, slots=True)
class Merged:
    """An adapter with what is proved of the weights that it is merged into, and how far each of these lies from the proved file's."""

    adapter: Adapter
    verdicts: Verdicts
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
    """The adapter of a patch, its paths seen from `folder`; raises `CircError` (E0665, and as the spec is wrong)."""
    wrong = next(wrong_files(receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    program = opened_as_told(receipt, folder)
    wrong = next(wrong_texts(program, receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    plan, source = program.patch(receipt.patch), folder / receipt.source.path
    if receipt.read.get(plan.checkpoint) != receipt.source:
        return Differing(f"the checkpoint that the patch edits is not {receipt.source.path}")
    if receipt.ties:
        raise CircError(writing.no_adapter(receipt.ties[0].kept, "it is tied to another tensor"))
    moved = moved_matrices(plan.names, source, folder / receipt.target)
    flat = is_transposed([*moved], source.parent, transposed)
    moved = {name: replace(each, transposed=flat) for name, each in moved.items()}
    factors, rank = factored([*moved.values()], rank)
    try:
        whole = {n: merged(m, f) for (n, m), f in zip(moved.items(), factors, strict=True)}
    except OverflowError as error:
        return Differing(f"merged into the checkpoint it does not fit: {error}")
    new = {f"{plan.checkpoint}/{name}": tensor for name, tensor in whole.items()}
    weights = Edited(program.weights, new)
    found = decided(plan, weights, "the merged checkpoint", limits, deadline, progress)
    if not isinstance(found, tuple):
        return found
    wrong = next(wrong_files(receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    modules = [name.removesuffix(".weight") for name in moved]
    adapter = Adapter(dict(zip(modules, factors, strict=True)), rank, flat)
    return Merged(adapter, found, {n: deviation(moved[n], tensor) for n, tensor in whole.items()})


def moved_matrices(names: Sequence[str], source: Path, target: Path) -> dict[str, Moved]:
    """Those of some tensors that have changed; raises `CircError` (E0665) where one is no matrix of a layer."""
    old, new = read_header(source), read_header(target)
    found: dict[str, Moved] = {}
    for name in sorted(names):
        before, after = read_tensor(source, old, name), read_tensor(target, new, name)
        if before == after:
            continue
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            raise CircError(writing.no_adapter(name, "it has another shape or dtype than it had"))
        if len(after.shape) != 2 or not module_of(name):
            raise CircError(writing.no_adapter(name, "it is no matrix of a linear layer"))
        if module_of(name) in EMBEDDINGS | {"wpe"}:
            raise CircError(writing.no_adapter(name, "it is the table of an embedding"))
        found[name] = Moved(before, after, transposed=False)
    if not found:
        raise CircError(writing.no_adapter(names[0], "it has not changed, nor has any other"))
    return found


def is_transposed(tensors: Sequence[str], folder: Path, said: bool | None) -> bool:
    """Whether layers keep these weights as [in, out]; raises `CircError` (E0666) where that is not known."""
    if said is not None:
        return said
    names = {name: module_of(name) in KEPT_TRANSPOSED for name in tensors}
    if not any(names.values()):
        return False
    config = read_config(folder)
    kind = None if config is None else config.fields.get("model_type")
    if kind != "gpt2" or not all(names.values()):
        raise CircError(writing.which_way([name for name, layer in names.items() if layer]))
    return True


# --- as files -------------------------------------------------------------------------------


def write_adapter(found: Merged, receipt: Receipt, out: Path, *, overwrite: bool) -> None:
    """Write an adapter into a folder, its config last; raises `CircError` (E0650, E0653)."""
    for name in (CONFIG, TENSORS):
        refuse_existing(out / name, overwrite)
    tensors = {
        name: TensorBytes("F32", values.shape, values.astype("<f4").tobytes())
        for name, values in tensors_of(found.adapter.factors).items()
    }
    make_folder(out)
    with replacing(out / TENSORS, overwrite=overwrite) as stream:
        stream.write(tensors_text(tensors, {"format": "pt", "circ.lora": note(receipt, found)}))
    text = json.dumps(adapter_config(found.adapter), indent=2, ensure_ascii=False)
    with replacing(out / CONFIG, overwrite=overwrite) as stream:
        stream.write(f"{text}\n".encode())


def note(receipt: Receipt, found: Merged) -> str:
    """What an adapter was made of: the patch, the checkpoint that it was proved to be merged into, and in which orders of summation."""
    told = {"patch": receipt.patch, "tool": receipt.tool, "source": receipt.source.sha256}
    proved = [obligation.title for obligation, _ in found.verdicts]
    return json.dumps(told | {"proved": proved, "orders": found.adapter.orders})


def adapter_config(adapter: Adapter) -> dict[str, object]:
    """The config that PEFT reads; what is added is B A, by no factor."""
    return {
        "peft_type": "LORA",
        "r": adapter.rank,
        "lora_alpha": adapter.rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": adapter.transposed,
        "target_modules": sorted(adapter.factors),
        "inference_mode": True,
    }
