"""Small random claims about boxes of reals that two engines can decide each.

Networks of one or two ReLU layers with few units, behind guards, maxima, `abs`, `topk` and `argmax`, on a
box or on a part of one that half-spaces cut off. The bound of each claim lies near a value that the network
takes: half of the claims are false, some by very little, or by a tie alone. All numbers are small dyadic
ones, so that the value is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, pairwise, product
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Form = Literal["plain", "guard", "max", "abs", "premise", "topk", "argmax", "near"]
FORMS: tuple[Form, ...] = ("plain", "guard", "max", "abs", "premise", "topk", "argmax", "near")
SCORES = 4
"""How many outputs there are where some of them are chosen; else there are two."""

GAPS = (Fraction(1), Fraction(1, 8), Fraction(1, 1024), Fraction(1, 2**30), Fraction(0))
"""How far a bound lies from the greatest value at the points tried."""

POINTS = 400
PARTS = 8
"""The points tried are whole numbers of eighths."""

NOTHING = -(1 << 40)
"""Less than any value."""


@dataclass(frozen=True, slots=True)
class Small:
    """A claim that a number is at most a bound where all `cuts @ x` are at most 1.

    `text` is a spec with the claim `small`; `false`: whether it is known to be so.
    """

    text: str
    form: Form
    net: Net
    cuts: IntArray
    bound: Fraction
    false: bool


@dataclass(frozen=True, slots=True)
class Net:
    """Layers of whole weights, the guard's, and those on what `topk` keeps.

    `copy` is the first layer again, without some of its smallest weights.
    """

    layers: tuple[tuple[IntArray, IntArray], ...]
    guard: IntArray
    read: IntArray
    copy: tuple[IntArray, IntArray]

    @property
    def beside(self) -> Net:
        """The network with the copy for its first layer."""
        return replace(self, layers=(self.copy, *self.layers[1:]))

    def outputs(self, x: IntArray) -> IntArray:
        """Eighths of the outputs [outputs, points] at eighths of inputs [inputs, points]."""
        for k, (w, b) in enumerate(self.layers):
            x = w @ x + PARTS * b[:, None]
            x = np.maximum(x, 0) if k + 1 < len(self.layers) else x
        return x


def small(seed: int) -> Small:
    """One claim."""
    chance = np.random.default_rng(seed)
    inputs, form = int(chance.integers(2, 4)), FORMS[seed % len(FORMS)]
    net = network(chance, inputs, SCORES if form in ("topk", "argmax") else 2)
    cuts = chance.integers(-2, 3, (int(chance.integers(0, 3)), inputs))
    cuts = cuts[cuts.any(axis=1)]
    points = tried(chance, inputs)
    inside = points[:, (cuts @ points <= PARTS).all(axis=0)]
    if form == "premise":
        meeting = inside[:, net.guard @ inside > 0]
        form, inside = (form, meeting) if meeting.size else ("plain", inside)
    best = Fraction(int(value(net, form, inside).max()), PARTS)
    false = bool(chance.integers(2))
    gap = GAPS[int(chance.integers(len(GAPS) - false))]
    bound = best - gap if false else best + gap + int(chance.integers(0, 4))
    tied = form == "argmax" and bound == best
    return Small(spec(net, form, cuts, bound), form, net, cuts, bound, false or tied)


def network(chance: np.random.Generator, inputs: int, outputs: int) -> Net:
    """Weights, all at random."""
    depth = int(chance.integers(1, 3))
    sizes = [inputs, *(int(chance.integers(2, 6)) for _ in range(depth)), outputs]
    layers = [
        (chance.integers(-3, 4, (b, a)), chance.integers(-3, 4, b)) for a, b in pairwise(sizes)
    ]
    (w, b), *_ = layers
    guard, read = chance.integers(-2, 3, inputs), chance.integers(-2, 3, outputs)
    copy = np.where((np.abs(w) == 1) & (chance.random(w.shape) < 0.5), 0, w)
    return Net(tuple(layers), guard, read, (copy, b))


def tried(chance: np.random.Generator, inputs: int) -> IntArray:
    """Eighths of points of the box [inputs, points]: its middle, others, and its corners."""
    points = chance.integers(-PARTS, PARTS + 1, (inputs, POINTS))
    points[:, 0] = 0
    corners = PARTS * np.array(list(product((-1, 1), repeat=inputs))).T
    return np.concatenate([points, corners], axis=1)


def value(net: Net, form: Form, x: IntArray) -> IntArray:
    """Eighths of what is bounded, one for each of the points; a premise holds at all of them.

    Of `argmax` it is by how much the first score is not the largest: a tie is a way to fail.
    """
    found = net.outputs(x)
    first, second = found[0], found[1]
    match form:
        case "plain" | "premise":
            asked = first
        case "guard":
            asked = second + (net.guard @ x > 0) * (first - second)
        case "max":
            asked = np.maximum(first, second)
        case "abs":
            asked = np.abs(first - second)
        case "topk":
            asked = kept(net.read, found)
        case "argmax":
            asked = found[1:].max(axis=0) - first
        case "near":
            asked = np.abs(found - net.beside.outputs(x)).max(axis=0)
        case _:
            assert_never(form)
    return np.asarray(asked)


def kept(read: IntArray, scores: IntArray) -> IntArray:
    """What is read of the two largest scores; of the ways to choose among equal ones, the most."""
    found = np.full(scores.shape[1], NOTHING, scores.dtype)
    for pair in map(list, combinations(range(len(scores)), 2)):
        others = [k for k in range(len(scores)) if k not in pair]
        chosen = scores[pair].min(axis=0) >= scores[others].max(axis=0)
        amount = (read[pair, None] * scores[pair]).sum(axis=0)
        found = np.where(chosen, np.maximum(amount, found), found)
    return found


def height(claim: Small, point: Sequence[Fraction]) -> Fraction | None:
    """What is bounded, at a point, in exact arithmetic; None where nothing is claimed of the point."""
    x = np.array([[PARTS * entry] for entry in point], dtype=object)
    inside = (abs(x) <= PARTS).all() and (claim.cuts @ x <= PARTS).all()
    if not inside or (claim.form == "premise" and not (claim.net.guard @ x > 0).all()):
        return None
    (found,) = value(claim.net, claim.form, x)
    return Fraction(found) / PARTS


def broken(claim: Small, point: Sequence[Fraction]) -> bool:
    """Whether a claim fails at a point, for some way to choose among equals."""
    found = height(claim, point)
    if found is None:
        return False
    return found >= claim.bound if claim.form == "argmax" else found > claim.bound


def spec(net: Net, form: Form, cuts: IntArray, bound: Fraction) -> str:
    """The claim in Circ."""
    inputs = len(net.guard)
    lines = circuit("f", net) + (circuit("g", net.beside) if form == "near" else [])
    within = "".join(f" and dot({row(cut)}, x) <= 1" for cut in cuts)
    domain = f"{{ x: real[{inputs}] | -1 <= x <= 1{within} }}"
    return "\n".join([*lines, f"claim small: forall x in {domain}: {goal(net, form, bound)}", ""])


def circuit(name: str, net: Net) -> list[str]:
    """The layers in Circ."""
    w, b = net.layers[-1]
    lines, x = [f"circuit {name}(x: real[{len(net.guard)}]) -> real[{len(b)}] {{"], "x"
    for k, (hidden, bias) in enumerate(net.layers[:-1]):
        lines.append(f"  let h{k} = relu({rows(hidden)} @ {x} + {row(bias)})")
        x = f"h{k}"
    return [*lines, f"  return {rows(w)} @ {x} + {row(b)}", "}"]


def goal(net: Net, form: Form, bound: Fraction) -> str:
    """What is claimed of an input."""
    most = f"{bound.numerator} / {bound.denominator}"
    opened = f"dot({row(net.guard)}, x) > 0"
    match form:
        case "plain":
            return f"f(x)[0] <= {most}"
        case "guard":
            return f"cases {{ {opened} => f(x)[0], else => f(x)[1] }} <= {most}"
        case "max":
            return f"max(f(x)) <= {most}"
        case "abs":
            return f"abs(f(x)[0] - f(x)[1]) <= {most}"
        case "premise":
            return f"{opened} implies f(x)[0] <= {most}"
        case "topk":
            return f"dot({row(net.read)}, topk(2, f(x)) * f(x)) <= {most}"
        case "argmax":
            others = ", 0" * (len(net.read) - 1)
            return f"argmax(f(x) + [{most}{others}]) == 0"
        case "near":
            return f"f(x) == g(x) within {most}"
        case _:
            assert_never(form)


def rows(w: IntArray) -> str:
    """A matrix."""
    return f"[{', '.join(map(row, w))}]"


def row(x: IntArray) -> str:
    """A vector."""
    return f"[{', '.join(str(int(entry)) for entry in x)}]"
