"""The kinds of middle-sized questions: networks as they are in papers on mechanisms, each in a box.

A kind makes a draft: circuits in Circ, their tensors, the quantity whose greatest value on the box
decides the claim, and the claim, which says that the quantity is below a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.verify.nets import FloatArray, Function, Layers, double, function, trained


@dataclass(frozen=True, slots=True)
class Draft:
    """A question without its bound: `claim` has `{bound}` in it.

    `value`: of points [batch, inputs] the quantities [batch], in float64. The claim holds just if none
    is above the bound. `radius` is that of the box, in every coordinate.
    """

    inputs: int
    radius: float
    text: str
    tensors: Mapping[str, FloatArray]
    value: Function
    claim: str


FIRST = "f(x)[0] <= {bound}"
LEADS = "max(f(x)[1:{outputs}]) <= f(x)[0] + {{bound}}"
ALIKE = "f(x) == g(x) within {bound}"


def mlp(name: str, prefix: str, sizes: Sequence[int]) -> str:
    """A ReLU network as a circuit."""
    lines, x = [f"circuit {name}(x: real[{sizes[0]}]) -> real[{sizes[-1]}] {{"], "x"
    for k in range(len(sizes) - 2):
        lines.append(f"  let h{k} = relu(m.{prefix}.{k}.W @ {x} + m.{prefix}.{k}.b)")
        x = f"h{k}"
    last = len(sizes) - 2
    return "\n".join([*lines, f"  return m.{prefix}.{last}.W @ {x} + m.{prefix}.{last}.b", "}\n"])


def named(prefix: str, layers: Layers) -> dict[str, FloatArray]:
    """The tensors of a network below a prefix."""
    return {
        f"{prefix}.{k}.{part}": tensor
        for k, (w, b) in enumerate(layers)
        for part, tensor in (("W", w), ("b", b))
    }


def leads(outputs: torch.Tensor) -> torch.Tensor:
    """By how much the first output is not the largest."""
    return outputs[:, 1:].max(1).values - outputs[:, 0]


def first(f: Function) -> Function:
    """The first output."""
    return lambda x: f(x)[:, 0]


def apart(f: Function, g: Function) -> Function:
    """The largest difference of two functions' outputs."""
    return lambda x: (f(x) - g(x)).abs().max(1).values


def wide(seed: int) -> Draft:
    """One block of 1,000 ReLUs: a bound on an output."""
    sizes = (16, 1000, 8)
    net = trained(sizes, seed)
    f = function(net)
    return Draft(16, 0.05, mlp("f", "f", sizes), named("f", net), first(f), FIRST)


def deep(seed: int) -> Draft:
    """Two layers of 256 ReLUs: an output leads in a ball of inputs."""
    sizes = (32, 256, 256, 8)
    net = trained(sizes, seed)
    f = function(net)
    claim = LEADS.format(outputs=8)
    return Draft(32, 0.02, mlp("f", "f", sizes), named("f", net), lambda x: leads(f(x)), claim)


def narrow(seed: int) -> Draft:
    """Four layers of 50 ReLUs and 5 inputs, as in a controller: an output leads."""
    sizes = (5, 50, 50, 50, 50, 5)
    net = trained(sizes, seed)
    f = function(net)
    claim = LEADS.format(outputs=5)
    return Draft(5, 0.2, mlp("f", "f", sizes), named("f", net), lambda x: leads(f(x)), claim)


def residual(seed: int) -> Draft:
    """Three blocks that are added to a stream of width 16: a bound on an output."""
    blocks = [trained((16, 64, 16), 3 * seed + k) for k in range(3)]
    out = trained((16, 4), seed)
    text = "circuit f(x0: real[16]) -> real[4] {\n"
    for k in range(3):
        block = f"relu(m.b{k}.0.W @ x{k} + m.b{k}.0.b)"
        text += f"  let x{k + 1} = x{k} + m.b{k}.1.W @ {block} + m.b{k}.1.b\n"
    text += "  return m.out.0.W @ x3 + m.out.0.b\n}\n"
    tensors = named("out", out)
    for k, layers in enumerate(blocks):
        tensors |= named(f"b{k}", layers)
    streams, end = [function(block) for block in blocks], function(out)

    def f(x: torch.Tensor) -> torch.Tensor:
        for stream in streams:
            x = x + stream(x)
        return end(x)

    return Draft(16, 0.04, text, tensors, first(f), FIRST)


def topk(seed: int) -> Draft:
    """The 8 largest of 64 features are kept: a bound on what is read of them."""
    net = trained((16, 64, 8), seed)
    (w, b), (u, c) = [(double(w), double(b)) for w, b in net]
    text = """circuit f(x: real[16]) -> real[8] {
  let scores = m.f.0.W @ x + m.f.0.b
  return m.f.1.W @ (topk(8, scores) * scores) + m.f.1.b
}
"""

    def value(x: torch.Tensor) -> torch.Tensor:
        scores = x @ w.T + b
        kept = torch.zeros_like(scores).scatter(1, scores.topk(8).indices, 1.0)
        return ((kept * scores) @ u.T + c)[:, 0]

    return Draft(16, 0.05, text, named("f", net), value, FIRST)


def guarded(seed: int) -> Draft:
    """Two networks under guards, and nothing elsewhere: a bound on an output."""
    sizes = (16, 64, 8)
    one, two = trained(sizes, 2 * seed), trained(sizes, 2 * seed + 1)
    chance = np.random.default_rng(seed)
    ways = chance.normal(size=(2, 16), scale=0.25).astype(np.float32)
    text = mlp("one", "one", sizes) + mlp("two", "two", sizes)
    text += """circuit f(x: real[16]) -> real[8] = cases {
  dot(m.ways[0], x) > 0.02 => one(x)
  dot(m.ways[1], x) > 0    => two(x)
  else                     => 0
}
"""
    tensors = {**named("one", one), **named("two", two), "ways": ways}
    f, g, ends = function(one), function(two), double(ways)

    def value(x: torch.Tensor) -> torch.Tensor:
        slack = x @ ends.T
        otherwise = torch.where(slack[:, 1] > 0, g(x)[:, 0], 0 * x[:, 0])
        return torch.where(slack[:, 0] > 0.02, f(x)[:, 0], otherwise)

    return Draft(16, 0.1, text, tensors, value, FIRST)


def pooled(seed: int) -> Draft:
    """The largest of four features in each of 32 groups: a bound on an output."""
    net = trained((16, 128, 8), seed)
    parts = [(w[k::4], b[k::4]) for k in range(4) for w, b in net[:1]]
    u, c = net[1][0][:, ::4].copy(), net[1][1]
    text = """circuit f(x: real[16]) -> real[8] {
  let pool = max(m.p.0.W @ x + m.p.0.b, m.p.1.W @ x + m.p.1.b,
                 m.p.2.W @ x + m.p.2.b, m.p.3.W @ x + m.p.3.b)
  return m.u @ pool + m.c
}
"""
    features = [(double(w), double(b)) for w, b in parts]
    ends = double(u), double(c)

    def value(x: torch.Tensor) -> torch.Tensor:
        pool = torch.stack([x @ w.T + b for w, b in features]).amax(0)
        return (pool @ ends[0].T + ends[1])[:, 0]

    tensors = named("p", parts) | {"u": u, "c": c}
    return Draft(16, 0.1, text, tensors, value, FIRST)


def beside(sizes: Sequence[int], net: Layers, copy: Layers, radius: float) -> Draft:
    """How far a copy of a network is from it."""
    text = mlp("f", "f", sizes) + mlp("g", "g", [sizes[0], *(len(b) for _, b in copy)])
    tensors = named("f", net) | named("g", copy)
    return Draft(sizes[0], radius, text, tensors, apart(function(net), function(copy)), ALIKE)


def pruned(seed: int) -> Draft:
    """A copy without the smallest 30 percent of the first weights."""
    sizes = (16, 256, 8)
    net = trained(sizes, seed)
    (w, b), *others = net
    kept = np.where(np.abs(w) > np.quantile(np.abs(w), 0.3), w, 0).astype(np.float32)
    return beside(sizes, net, [(kept, b), *others], 0.05)


def quantised(seed: int) -> Draft:
    """A copy whose weights have eight bits."""
    sizes = (16, 1000, 8)
    net = trained(sizes, seed)
    steps = [np.float32(np.abs(w).max() / 127) for w, _ in net]
    copy = [(np.round(w / s) * s, b) for (w, b), s in zip(net, steps, strict=True)]
    return beside(sizes, net, [(w.astype(np.float32), b) for w, b in copy], 0.02)


def merged(seed: int) -> Draft:
    """A network each of whose hidden units has a near double, and one with the doubles merged."""
    sizes = (16, 128, 8)
    (w, b), (u, c) = trained((16, 64, 8), seed)
    noise = np.random.default_rng(seed).normal(size=w.shape, scale=0.01).astype(np.float32)
    net = [
        (np.concatenate([w + noise, w - noise]), np.concatenate([b, b])),
        (np.concatenate([u, u], axis=1) / 2, c),
    ]
    return beside(sizes, net, [(w, b), (u, c)], 0.2)


KINDS: Mapping[str, Callable[[int], Draft]] = {
    kind.__name__: kind
    for kind in (
        *(wide, deep, narrow, residual, topk),
        *(guarded, pooled, pruned, quantised, merged),
    )
}
