"""Train the small transformer that goes on as before, and write it to `model.safetensors`.

The task: a word of eight tokens out of five, in which the last one occurred exactly once before; the
right next token is the one that followed it there.

The model: two blocks of causal attention of heads of size 8, one head in the first and two in the
second, read at the last position. There is no MLP, no layer norm and no bias.

The training: AdamW on cross-entropy, the rate falling to zero, on words drawn uniformly from all
143,360 of the domain, so that the model is tested on what it was trained on. Nothing is planted and no
weight is touched by hand.

What was chosen: the heads, the rate and the weight decay. With two heads in the first block and no
decay, all words are right too, but both heads are needed, and neither of them reads the previous
position alone. Run again on the same machine and the same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

TOKENS, LENGTH, WIDTH, HEAD = 5, 8, 16, 8
HEADS = (1, 2)
SEED, BATCH, LEARNING_RATE, DECAY, STEPS = 0, 512, 0.005, 0.5, 2_500
AT_ONCE = 1 << 14


def gaussian(*shape: int, fan_in: int) -> nn.Parameter:
    """Independent normal entries of variance `1 / fan_in`."""
    return nn.Parameter(torch.randn(*shape) / math.sqrt(fan_in))


class Attention(nn.Module):
    """Some heads; a position reads itself and those before it. Matrices act from the left."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.W_Q = gaussian(heads, HEAD, WIDTH, fan_in=WIDTH)
        self.W_K = gaussian(heads, HEAD, WIDTH, fan_in=WIDTH)
        self.W_V = gaussian(heads, HEAD, WIDTH, fan_in=WIDTH)
        self.W_O = gaussian(heads, WIDTH, HEAD, fan_in=WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """`[words, LENGTH, WIDTH]` to what each position reads."""
        q = torch.einsum("hkd,nid->nhik", self.W_Q, x)
        k = torch.einsum("hkd,njd->nhjk", self.W_K, x)
        v = torch.einsum("hkd,njd->nhjk", self.W_V, x)
        later = torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)
        scores = (q @ k.transpose(2, 3) / math.sqrt(HEAD)).masked_fill(later, -math.inf)
        return torch.einsum("hdk,nhik->nid", self.W_O, scores.softmax(dim=-1) @ v)


class Block(nn.Module):
    """Attention, added to the residual."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.attn = Attention(heads)

    def forward(self, x: Tensor) -> Tensor:
        """`[words, LENGTH, WIDTH]` to the same shape."""
        read: Tensor = self.attn(x)
        return x + read


class Model(nn.Module):
    """Words of eight tokens to the five logits of the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = gaussian(TOKENS, WIDTH, fan_in=WIDTH)
        self.pos = gaussian(LENGTH, WIDTH, fan_in=WIDTH)
        self.blocks = nn.Sequential(*(Block(heads) for heads in HEADS))
        self.unembed = gaussian(TOKENS, WIDTH, fan_in=WIDTH)

    def forward(self, words: Tensor) -> Tensor:
        """`[words, LENGTH]` tokens to `[words, TOKENS]` logits."""
        last: Tensor = self.blocks(self.embed[words] + self.pos)[:, -1]
        return last @ self.unembed.T


def words_of_the_domain() -> Tensor:
    """Every word whose last token occurred exactly once before, `[words, LENGTH]`."""
    words = torch.cartesian_prod(*[torch.arange(TOKENS)] * LENGTH)
    return words[(words[:, :-1] == words[:, -1:]).sum(dim=1) == 1]


def right_token(words: Tensor) -> Tensor:
    """What followed the last token where it occurred before."""
    place = (words[:, :-1] == words[:, -1:]).long().argmax(dim=1)
    return words.gather(1, place[:, None] + 1)[:, 0]


def train(words: Tensor, tokens: Tensor) -> Model:
    """The model after `STEPS` steps on batches drawn uniformly from `words`."""
    model = Model()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), weight_decay=DECAY, fused=True
    )
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(words), (BATCH,))
        loss = functional.cross_entropy(model(words[batch]), tokens[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        decay.step()
    return model


def wrong(model: Model, words: Tensor, tokens: Tensor) -> int:
    """How many words the model goes on with otherwise."""
    with torch.no_grad():
        parts = zip(torch.split(words, AT_ONCE), torch.split(tokens, AT_ONCE), strict=True)
        return sum(int((model(part).argmax(-1) != right).sum()) for part, right in parts)


def main() -> None:
    """Train, print how many words are wrong, write the checkpoint."""
    torch.set_num_threads(1)
    torch.default_generator.manual_seed(SEED)
    started = time.perf_counter()
    words = words_of_the_domain()
    tokens = right_token(words)
    model = train(words, tokens)
    print(f"wrong on {wrong(model, words, tokens)} of {len(words):,} words")
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, Path(__file__).with_name("model.safetensors"))
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
