"""An adapter as the files that PEFT reads: its tensors, and a config without which they are none."""

from __future__ import annotations

import json
from pathlib import Path

from circ.runtime.atomic import locked, refuse_existing, replacing, settle, telling
from circ.runtime.outputs import make_folder
from circ.runtime.patches.adapter import Adapter, Merged
from circ.runtime.patches.delta import tensors_text
from circ.runtime.patches.low_rank import tensors_of
from circ.runtime.patches.plan import TensorBytes
from circ.runtime.patches.receipt import Receipt

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"


def write_adapter(found: Merged, receipt: Receipt, out: Path, *, overwrite: bool) -> None:
    """Write an adapter into a folder; raises `CircError` (E0650, E0653).

    Both files are written before either is in its place. Then the config that is there goes, the tensors come, and
    their config: a process that is killed leaves both files of one adapter, or no config. Others that write there wait.
    """
    make_folder(out)
    with locked(out):
        for name in (CONFIG, TENSORS):
            refuse_existing(out / name, overwrite)
        with replacing(out / CONFIG, overwrite=overwrite) as config:
            config.write(f"{json.dumps(adapter_config(found.adapter), indent=2)}\n".encode())
            config.flush()
            with replacing(out / TENSORS, overwrite=overwrite) as stream:
                stream.write(text_of(found, receipt))
                stream.flush()
                with telling(out / CONFIG):
                    (out / CONFIG).unlink(missing_ok=True)
                settle(out)


def text_of(found: Merged, receipt: Receipt) -> bytes:
    """The file of the tensors."""
    tensors = {
        name: TensorBytes("F32", values.shape, values.astype("<f4").tobytes())
        for name, values in tensors_of(found.adapter.factors).items()
    }
    return tensors_text(tensors, {"format": "pt", "circ.lora": note(receipt, found)})


def note(receipt: Receipt, found: Merged) -> str:
    """What an adapter was made of: the patch, the checkpoint that it was proved to be merged into, and in which ways and orders of summation."""
    told = {"patch": receipt.patch, "tool": receipt.tool, "source": receipt.source.sha256}
    proved = [obligation.title for obligation, _ in found.proofs[0].verdicts]
    ways = [way for proof in found.proofs for way in proof.ways]
    return json.dumps(told | {"proved": proved, "merges": ways, "orders": found.adapter.orders})


def adapter_config(adapter: Adapter) -> dict[str, object]:
    """The config that PEFT reads; what is added is B A, by no factor.

    PEFT goes by the class of each module, and warns where `fan_in_fan_out` says otherwise of one.
    """
    return {
        "peft_type": "LORA",
        "r": adapter.rank,
        "lora_alpha": adapter.rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": bool(adapter.transposed),
        "target_modules": sorted(adapter.factors),
        "inference_mode": True,
    }
