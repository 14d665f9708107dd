"""Train a small transformer that says whether a bracket is still open, and write its checkpoint.

The task: a word of round brackets in which none is closed that was not open before, at most four open
at a time; the right answer is `inside` while one is open, `outside` else.

The model: one attention head that reads all positions alike, the mean of their values, at the last
position, added to its residual; an affine read-out. There are no positions and no MLP.

The training: Adam on cross-entropy, each batch drawn afresh, lengths 1 to 16, half of the words
with no bracket open at their end. Seed: 0, the first tried. Run again on the same machine and the
same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, LONGEST, DEEPEST = 8, 16, 4
SEED, BATCH, STEPS, LEARNING_RATE = 0, 256, 4_000, 0.01


def gaussian(*shape: int, fan_in: int) -> nn.Parameter:
    """Independent normal entries of variance `1 / fan_in`."""
    return nn.Parameter(torch.randn(*shape) / math.sqrt(fan_in))


class Model(nn.Module):
    """Letters 0 (open) and 1 (close) to the scores of `outside` and `inside`."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = gaussian(2, WIDTH, fan_in=1)
        self.W_V = gaussian(WIDTH, WIDTH, fan_in=WIDTH)
        self.W_O = gaussian(WIDTH, WIDTH, fan_in=WIDTH)
        self.unembed = gaussian(2, WIDTH, fan_in=WIDTH)
        self.bias = nn.Parameter(torch.zeros(2))

    def forward(self, words: Tensor) -> Tensor:
        """`[words, length]` to `[words, 2]`."""
        x = self.embed[words]
        read = x.mean(dim=1) @ self.W_V.T @ self.W_O.T
        return (x[:, -1] + read) @ self.unembed.T + self.bias


def draw(length: int, count: int) -> tuple[Tensor, Tensor]:
    """So many words of a length, and how many brackets are open at the end of each."""
    depth = torch.zeros(count, dtype=torch.long)
    letters: list[Tensor] = []
    for _ in range(length):
        close = (torch.rand(count) < 0.5) | (depth == DEEPEST)
        letter = (close & (depth > 0)).long()
        depth = depth + 1 - 2 * letter
        letters.append(letter)
    return torch.stack(letters, dim=1), depth


def batch(length: int) -> tuple[Tensor, Tensor]:
    """Words and answers; of an even length, half of the words have nothing open."""
    words, depth = draw(length, 8 * BATCH)
    closed, open_ = (depth == 0).nonzero()[:, 0], (depth > 0).nonzero()[:, 0]
    kept = torch.cat([closed[: BATCH // 2], open_[: BATCH // 2]])
    return words[kept], (depth[kept] > 0).long()


def train() -> Model:
    """The trained model."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for step in range(STEPS):
        words, answers = batch(1 + step % LONGEST)
        loss = functional.cross_entropy(model(words), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def main() -> None:
    """Train, show the share of wrong answers at some lengths, write the checkpoint."""
    model = train()
    for length in (4, 8, 16, 24, 32, 48, 64):
        words, depth = draw(length, 100_000)
        with torch.no_grad():
            wrong = (model(words).argmax(dim=1) != (depth > 0).long()).sum().item()
        print(f"length {length}: {wrong} of 100,000 random words wrong")
    named = {
        "embed": model.embed,
        "attn.W_V": model.W_V,
        "attn.W_O": model.W_O,
        "unembed": model.unembed,
        "bias": model.bias,
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in named.items()}
    save_file(tensors, Path(__file__).with_name("model.safetensors"))


if __name__ == "__main__":
    main()
