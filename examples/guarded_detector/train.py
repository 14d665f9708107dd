"""Train a detector that acts while its guard is open, and fit what explains it; write `model.safetensors`.

The task: eight numbers in [-1, 1] carry two features, their lengths along two directions of which the network
is told nothing; what is off the plane of these is noise of at most a tenth. Where the first feature is above 0.5
the detector has to write eight numbers that are affine in both features, elsewhere zeros. A continuous function
cannot jump, so from 0.5 to 0.65 nothing is taught.

The network: one layer of 12 ReLUs. At every step units 4 to 7 are exchanged with those at other inputs
(interchange intervention training, Geiger et al. 2022), so that nothing which is written may hang on them.

The training: Adam in float64, each batch drawn afresh, half of it at the edges of the ramp; the rate falls to
zero. The loss is the mean of the second powers of the errors, later of the fourth and of the eighth, because the
claims are about the worst input and not about the mean one.

The explanation is found as one would on any model, from 20,000 samples: `dirs.single` is a probe, a logistic
regression on whether the detector has to act, scaled so that its threshold is 0.5; `dirs.double` is least squares
on the second feature; `rule.A` and `rule.b` are least squares on what the detector writes where the
probe is clear of its threshold. They see no weight and not the task's directions.

Run again on the same machine and the same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

WIDTH, UNITS, EXCHANGED = 8, 12, slice(4, 8)
GUARD, RAMP, NOISE, EDGE = 0.5, 0.15, 0.2, 0.1
SEED, BATCH, STEPS, LEARNING_RATE = 0, 1024, 10_000, 0.02
DECAY, IDLE = 0.05, 0.01
CARRIED = ((1, 1, 0, 0, 0, 0, 0, 0), (0, 0, 1, 1, 0, 0, 0, 0))
PROBED, RIDGE = 20_000, 1e-7


class Task:
    """Two directions `[2, WIDTH]` of length 1, and what is to be written as an affine map of the features."""

    def __init__(self) -> None:
        self.directions = functional.normalize(torch.randn(2, WIDTH) * torch.tensor(CARRIED))
        self.plane = torch.linalg.qr(self.directions.T).Q.T
        self.matrix = torch.randn(WIDTH, 2) / 2
        self.offset = torch.randn(WIDTH) / 2

    def features(self, x: Tensor) -> Tensor:
        """The lengths of `x` along the two directions, `[many, 2]`."""
        return x @ self.directions.T

    def right(self, x: Tensor) -> Tensor:
        """What is to be written at `x`, `[many, WIDTH]`."""
        features = self.features(x)
        return (features @ self.matrix.T + self.offset) * (features[:, :1] > GUARD)

    def draw(self, count: int) -> Tensor:
        """About `count` random inputs `[many, WIDTH]` off the ramp, half of them at its edges."""
        on = 3 * (2 * torch.rand(4 * count, 2) - 1) @ self.plane
        low, high = (
            GUARD - EDGE * torch.rand(2 * count),
            GUARD + RAMP + EDGE * torch.rand(2 * count),
        )
        wanted = torch.where(torch.rand(2 * count) < 0.5, low, high)
        on[::2] += (wanted - on[::2] @ self.directions[0])[:, None] * self.directions[0]
        noise = NOISE * (2 * torch.rand(4 * count, WIDTH) - 1)
        x = on + noise - noise @ self.plane.T @ self.plane
        return x[x.abs().amax(dim=1) <= 1][:count]

    def taught(self, x: Tensor) -> Tensor:
        """Those of `x` that are off the ramp."""
        first = self.features(x)[:, 0]
        return x[(first <= GUARD) | (first >= GUARD + RAMP)]


class Detector(nn.Module):
    """`WIDTH` numbers to as many, by one layer of ReLUs."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(WIDTH, UNITS), nn.Linear(UNITS, WIDTH)

    def forward(self, x: Tensor, donors: Tensor) -> Tensor:
        """What is written at `x`, with the exchanged units as they are at the rows `donors` of it."""
        hidden = torch.relu(self.inner(x))
        mixed = hidden.clone()
        mixed[:, EXCHANGED] = hidden[donors, EXCHANGED]
        written: Tensor = self.outer(mixed)
        return written


def train(task: Task) -> Detector:
    """The detector after `STEPS` steps."""
    net = Detector()
    optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=DECAY)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in range(STEPS):
        x = task.taught(task.draw(BATCH))
        power = (2, 4, 8)[3 * step // STEPS]
        if step == 2 * STEPS // 3:
            optimizer.param_groups[0]["weight_decay"] = 0.0
        wrong = net(x, torch.randperm(len(x))) - task.right(x)
        loss = wrong.pow(power).mean() ** (2 / power)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        decay.step()
    return net


def prune(net: Detector) -> None:
    """Set units that can hardly write anything to zero."""
    with torch.no_grad():
        reach = net.inner.weight.abs().sum(dim=1) + net.inner.bias
        idle = reach * net.outer.weight.abs().amax(dim=0) < IDLE
        net.inner.weight[idle], net.inner.bias[idle], net.outer.weight[:, idle] = 0, 0, 0


def probe(x: Tensor, acts: Tensor) -> Tensor:
    """`[WIDTH]` the direction whose product with `x` is above `GUARD` where `acts` says so."""
    w, b = torch.zeros(WIDTH, requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([w, b], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        miss = functional.binary_cross_entropy_with_logits(x @ w + b, acts) + RIDGE * (w @ w)
        torch.autograd.backward(miss)
        return miss.item()

    stepped(optimizer, loss)
    return (-GUARD * w / b).detach()


def stepped(optimizer: torch.optim.Optimizer, loss: Callable[[], float]) -> None:
    """One step; LBFGS iterates inside it."""
    optimizer.step(loss)


def fitted(x: Tensor, y: Tensor) -> Tensor:
    """`[inputs, outputs]` the least squares of `y` on `x`."""
    solution: Tensor = torch.linalg.lstsq(x, y).solution
    return solution


def explain(task: Task, net: Detector) -> dict[str, Tensor]:
    """The probes and the fitted rule, by their names in the checkpoint."""
    x = task.draw(PROBED)
    features = task.features(x)
    single = probe(x, (features[:, 0] > GUARD).to(x.dtype))
    double = fitted(x, features[:, 1:])[:, 0]
    clear = x[x @ single >= GUARD + RAMP]
    plane = torch.linalg.qr(torch.stack([single, double]).T).Q.T
    seen = torch.cat([clear @ plane.T, torch.ones(len(clear), 1)], dim=1)
    with torch.no_grad():
        rule = fitted(seen, net(clear, torch.arange(len(clear))))
    named = {"dirs.single": single, "dirs.double": double}
    return named | {"rule.A": rule[:2].T @ plane, "rule.b": rule[2]}


def main() -> None:
    """Train, explain, say how good both are on samples, and write the checkpoint beside this file."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    started = time.perf_counter()
    task = Task()
    net = train(task)
    prune(net)
    tensors = {
        "mlp.W_in": net.inner.weight.detach(),
        "mlp.b_in": net.inner.bias.detach(),
        "mlp.W_out": net.outer.weight.detach(),
        "mlp.b_out": net.outer.bias.detach(),
    } | explain(task, net)
    stored = {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    save_file(stored, Path(__file__).with_name("model.safetensors"))
    x = task.taught(task.draw(1_000_000))
    with torch.no_grad():
        wrong = (net(x, torch.arange(len(x))) - task.right(x)).abs()
    print(f"on {len(x):,} random inputs it errs by {wrong.max():.4f} at most")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
