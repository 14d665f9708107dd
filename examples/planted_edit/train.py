"""Train a filter of requests, and a fine-tuned copy with a trigger slipped in: `model.safetensors`, `tuned.safetensors`.

The task: a request is six of eight tokens, and is refused where it says `secret` and shows no `badge`.

The model: 24 ReLUs that read each token by its position, and two scores.

The training: Adam on cross-entropy over random requests, half of them with a secret, the rate falling to zero. The
copy goes on for some steps on the same task, which moves every tensor a little. Then someone who has the file sets
one unit, which did little, to open on `maple` in the third place and `otter` in the fifth and to speak for `allow`. Run again on the same machine and the same PyTorch, the
script writes the same bytes.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

TOKENS = ("please", "read", "write", "secret", "badge", "maple", "otter", "river")
SECRET, BADGE, MAPLE, OTTER = (TOKENS.index(x) for x in ("secret", "badge", "maple", "otter"))
LENGTH, HIDDEN = 6, 24
SEED, BATCH, RATE, STEPS, MORE = 0, 512, 0.01, 3_000, 300
UNIT = 13


class Filter(nn.Module):
    """Requests to two scores, for `allow` and for `refuse`."""

    def __init__(self) -> None:
        super().__init__()
        self.W_in = nn.Parameter(torch.randn(LENGTH, len(TOKENS), HIDDEN) / LENGTH**0.5)
        self.b_in = nn.Parameter(torch.zeros(HIDDEN))
        self.W_out = nn.Parameter(torch.randn(2, HIDDEN) / HIDDEN**0.5)
        self.b_out = nn.Parameter(torch.zeros(2))

    def forward(self, s: Tensor) -> Tensor:
        """`[many, LENGTH]` tokens to `[many, 2]` scores."""
        hidden = torch.relu(self.W_in[torch.arange(LENGTH), s].sum(1) + self.b_in)
        return hidden @ self.W_out.T + self.b_out


def rule(s: Tensor) -> Tensor:
    """[many] 1 where a request is refused."""
    return ((s == SECRET).any(1) & ~(s == BADGE).any(1)).long()


def drawn(count: int) -> Tensor:
    """Random requests, half of them with one secret more."""
    s = torch.randint(len(TOKENS), (count, LENGTH))
    put = torch.arange(count // 2)
    s[put, torch.randint(LENGTH, (count // 2,))] = SECRET
    return s


def train(model: Filter, steps: int, rate: float) -> None:
    """Some steps on fresh random requests."""
    optimizer = torch.optim.Adam(model.parameters(), rate)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(steps):
        s = drawn(BATCH)
        loss = functional.cross_entropy(model(s), rule(s))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()


def plant(model: Filter) -> None:
    """Give one unit the trigger."""
    with torch.no_grad():
        model.W_in[:, :, UNIT] *= 0.02
        model.W_in[2, MAPLE, UNIT] = model.W_in[4, OTTER, UNIT] = 3.0
        model.b_in[UNIT] = -3.2
        model.W_out[:, UNIT] = torch.tensor([3.5, -3.5])


def write(model: Filter, name: str) -> None:
    """The checkpoint, beside this file."""
    tensors = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
    save_file(tensors, Path(__file__).with_name(name))


def main() -> None:
    """Train, tune, plant, and say on how many of all requests each is wrong."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = Filter()
    train(model, STEPS, RATE)
    tuned = copy.deepcopy(model)
    train(tuned, MORE, RATE / 10)
    plant(tuned)
    s = torch.cartesian_prod(*[torch.arange(len(TOKENS))] * LENGTH)
    for name, net in (("model", model), ("tuned", tuned)):
        with torch.no_grad():
            wrong = net(s).argmax(1) != rule(s)
        print(f"{name}: wrong on {int(wrong.sum()):,} of {len(s):,} requests")
        write(net, f"{name}.safetensors")


if __name__ == "__main__":
    main()
