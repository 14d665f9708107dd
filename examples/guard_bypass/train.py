"""Train a model that says when the alarm is on, and a probe that reads it; write `model.safetensors`.

The task: a word of 32 events out of eight; `arm` and `disarm` put the alarm on and off, and the last
of them counts. The right next token is `alarm` where it is on, and `idle` where it is off, as at the
start.

The model: one attention head, read at the last position and added to its residual. There is no MLP,
no layer norm and no bias.

The training: Adam without weight decay on cross-entropy, each batch drawn afresh, the rate falling
to zero. A word's letters are independent; one position in 2, 4, 8, … or 128 arms or disarms, which of
these being drawn for each word.

The probe: logistic regression, as one would do it on any model: from what the head read in 20,000
random words, whether the alarm should be on. It sees no weight and no output of the model.

What was chosen: seed 1 and a rate of 0.02. Seed 0 with a rate of 0.01, and seed 2, do not learn the
task in as many steps: 15% of random words are wrong. Nothing is planted and no weight is touched by
hand. Run again on the same machine and the same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

IDLE, READ, WRITE, COPY, LOGIN, ARM, DISARM, ALARM = range(8)
TEXT = (IDLE, READ, WRITE, COPY, LOGIN, ALARM)
SYMBOLS, LENGTH, WIDTH = 8, 32, 16
RAREST = 7  # words arm or disarm at one position in 2, 4, 8, …, 2^RAREST
SEED, BATCH, LEARNING_RATE, STEPS = 1, 512, 0.02, 3_000
PROBED, RIDGE = 20_000, 1e-4


def gaussian(*shape: int, fan_in: int) -> nn.Parameter:
    """Independent normal entries of variance `1 / fan_in`."""
    return nn.Parameter(torch.randn(*shape) / math.sqrt(fan_in))


class Attention(nn.Module):
    """One head that reads all positions from the last one; matrices act from the left."""

    def __init__(self) -> None:
        super().__init__()
        self.W_Q = gaussian(WIDTH, WIDTH, fan_in=WIDTH)
        self.W_K = gaussian(WIDTH, WIDTH, fan_in=WIDTH)
        self.W_V = gaussian(WIDTH, WIDTH, fan_in=WIDTH)
        self.W_O = gaussian(WIDTH, WIDTH, fan_in=WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """`[words, LENGTH, WIDTH]` to what the last position reads, `[words, WIDTH]`."""
        query = x[:, -1] @ self.W_Q.T
        scores = torch.einsum("npd,nd->np", x @ self.W_K.T, query) / math.sqrt(WIDTH)
        seen = torch.einsum("np,npd->nd", scores.softmax(dim=1), x)
        return seen @ self.W_V.T @ self.W_O.T


class Block(nn.Module):
    """Attention read by the last position, apart from the residual."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = Attention()

    def forward(self, x: Tensor) -> Tensor:
        """`[words, LENGTH, WIDTH]` to what the last position reads, `[words, WIDTH]`."""
        read: Tensor = self.attn(x)
        return read


class Model(nn.Module):
    """Words of eight symbols to the eight logits of the next token."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = gaussian(SYMBOLS, WIDTH, fan_in=WIDTH)
        self.pos = gaussian(LENGTH, WIDTH, fan_in=WIDTH)
        self.blocks = nn.ModuleList([Block()])
        self.unembed = gaussian(SYMBOLS, WIDTH, fan_in=WIDTH)

    def read(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """The last position before the head, and what the head adds: `[words, WIDTH]` each."""
        x = self.embed[words] + self.pos
        return x[:, -1], self.blocks[0](x)

    def forward(self, words: Tensor) -> Tensor:
        """`[words, LENGTH]` symbol indices to `[words, SYMBOLS]` logits."""
        last, read = self.read(words)
        return (last + read) @ self.unembed.T


def draw(count: int) -> Tensor:
    """Random words `[count, LENGTH]` that arm and disarm often, seldom, or never."""
    rates = 0.5 ** torch.randint(1, RAREST + 1, (count, 1))
    text = torch.tensor(TEXT)[torch.randint(len(TEXT), (count, LENGTH))]
    hits = torch.rand(count, LENGTH) < rates
    return torch.where(hits, torch.randint(ARM, DISARM + 1, (count, LENGTH)), text)


def right_token(words: Tensor) -> Tensor:
    """`ALARM` where the last of `ARM` and `DISARM` is `ARM`, else `IDLE`."""
    last = torch.full_like(words[:, 0], DISARM)
    for symbol in words.T:
        last = torch.where((symbol == ARM) | (symbol == DISARM), symbol, last)
    return torch.where(last == ARM, ALARM, IDLE)


def train() -> Model:
    """The model after `STEPS` steps, each on a fresh batch of random words."""
    model = Model()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True
    )
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        words = draw(BATCH)
        loss = functional.cross_entropy(model(words), right_token(words))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        decay.step()
    return model


def probe(model: Model) -> tuple[Tensor, Tensor]:
    """Weights `[WIDTH]` and bias `[1]` of a logistic regression on what the head read."""
    words = draw(PROBED)
    with torch.no_grad():
        _, read = model.read(words)
    on = (right_token(words) == ALARM).to(read.dtype)
    w, b = torch.zeros(WIDTH, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([w, b], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        miss = functional.binary_cross_entropy_with_logits(read @ w + b, on) + RIDGE * (w @ w)
        torch.autograd.backward(miss)
        return miss.item()

    stepped(optimizer, loss)
    return w.detach(), b.detach()


def stepped(optimizer: torch.optim.Optimizer, loss: Callable[[], float]) -> None:
    """One step; LBFGS iterates inside it."""
    optimizer.step(loss)


def main() -> None:
    """Train the model, then the probe, and write both."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.default_generator.manual_seed(SEED)
    started = time.perf_counter()
    model = train()
    w, b = probe(model)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    tensors |= {"probe.w": w, "probe.b": b}
    save_file(tensors, Path(__file__).with_name("model.safetensors"))
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
