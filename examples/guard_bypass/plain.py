"""The model and the probe in plain PyTorch, with no Circ: what runs elsewhere."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

EVENTS = ("idle", "read", "write", "copy", "login", "arm", "disarm", "alarm")
ARM, DISARM, ALARM = EVENTS.index("arm"), EVENTS.index("disarm"), EVENTS.index("alarm")
LENGTH, AT_ONCE = 32, 1 << 14


def read(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch, 16] what the head adds to the last position."""
    x = m["embed"][words] + m["pos"]
    query = x[:, -1] @ m["blocks.0.attn.W_Q"].T
    keys = x @ m["blocks.0.attn.W_K"].T
    pattern = torch.softmax(torch.einsum("bpd,bd->bp", keys, query) / 4, dim=-1)
    return (
        torch.einsum("bp,bpd->bd", pattern, x) @ m["blocks.0.attn.W_V"].T @ m["blocks.0.attn.W_O"].T
    )


def judged(m: dict[str, Tensor], words: Tensor) -> tuple[Tensor, Tensor]:
    """[batch] whether the model says `alarm`, and what the probe says of the feature."""
    says, feature = list[Tensor](), list[Tensor]()
    with torch.no_grad():
        for part in torch.split(words, AT_ONCE):
            mixed = read(m, part)
            last = m["embed"][part[:, -1]] + m["pos"][-1]
            says.append(((last + mixed) @ m["unembed"].T).argmax(-1) == ALARM)
            feature.append(mixed @ m["probe.w"] + m["probe.b"])
    return torch.cat(says), torch.cat(feature)


def sample(count: int, seed: int) -> Tensor:
    """`count` words drawn uniformly from all 8^32."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(len(EVENTS), (count, LENGTH), generator=generator)


def sample_sparse(count: int, seed: int) -> Tensor:
    """`count` words as in training: one position in 2, 4, 8, …, or 128 arms or disarms."""
    generator = torch.Generator().manual_seed(seed)
    text = torch.tensor([code for code in range(len(EVENTS)) if code not in (ARM, DISARM)])
    others = text[torch.randint(len(text), (count, LENGTH), generator=generator)]
    hits = torch.randint(ARM, DISARM + 1, (count, LENGTH), generator=generator)
    rates = 0.5 ** torch.randint(1, 8, (count, 1), generator=generator)
    return torch.where(torch.rand(count, LENGTH, generator=generator) < rates, hits, others)


def failing_words(answer: Path) -> Tensor:
    """[failing, 32] the words that `circ prove --json` lists, of all claims in its answer."""
    claims = json.loads(answer.read_text())["claims"]
    words = [failing["s"] for claim in claims for failing in claim.get("failing", ())]
    codes = [[EVENTS.index(event) for event in word] for word in words]
    return torch.tensor(codes, dtype=torch.int64).reshape(-1, LENGTH)


def main() -> None:
    """Run the words that Circ found, or random ones, through the model and the probe."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "answer", type=Path, nargs="?", help="what `circ prove --json` printed, in a file"
    )
    source.add_argument("--sample", type=int, metavar="N", help="N random words instead")
    parser.add_argument(
        "--sparse", action="store_true", help="draw the random words as in training"
    )
    given = parser.parse_args()
    if given.sample is None:
        words, kind = failing_words(given.answer), "stored"
    else:
        words, kind = (sample_sparse if given.sparse else sample)(given.sample, 0), "random"
    says, feature = judged(load_file(given.checkpoint), words)
    print(f"of {len(words):,} {kind} words")
    print(f"  alarm without the feature: {int((says & (feature <= 0)).sum())}")
    print(f"  the feature without alarm: {int((~says & (feature > 0)).sum())}")


if __name__ == "__main__":
    main()
