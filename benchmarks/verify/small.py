"""Small random claims about boxes of reals that two engines can decide each.

Networks of one or two ReLU layers with few units, behind guards, maxima and `abs`, on a box or on a part
of one that half-spaces cut off. The bound of each claim lies near a value that the network takes: half of
the claims are false, some by very little. All numbers are small dyadic ones, so that the value is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Literal, assert_never

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Form = Literal["plain", "guard", "max", "abs"]
FORMS: tuple[Form, ...] = ("plain", "guard", "max", "abs")
GAPS = (Fraction(1), Fraction(1, 8), Fraction(1, 1024), Fraction(1, 2**30), Fraction(0))
"""How far a bound lies from the greatest value at the points tried."""

POINTS = 400
PARTS = 8
"""The points tried are whole numbers of eighths."""


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
    """Layers of whole weights; and the guard's."""

    layers: tuple[tuple[IntArray, IntArray], ...]
    guard: IntArray

    def outputs(self, x: IntArray) -> IntArray:
        """Eighths of the outputs at eighths of inputs, [inputs, points]."""
        for k, (w, b) in enumerate(self.layers):
            x = w @ x + PARTS * b[:, None]
            x = np.maximum(x, 0) if k + 1 < len(self.layers) else x
        return x


def small(seed: int) -> Small:
    """One claim."""
    chance = np.random.default_rng(seed)
    inputs, form = int(chance.integers(2, 4)), FORMS[seed % len(FORMS)]
    depth = int(chance.integers(1, 3))
    sizes = [inputs, *(int(chance.integers(2, 6)) for _ in range(depth)), 2]
    net = Net(
        tuple(
            (chance.integers(-3, 4, (b, a)), chance.integers(-3, 4, b)) for a, b in pairwise(sizes)
        ),
        chance.integers(-2, 3, inputs),
    )
    cuts = chance.integers(-2, 3, (int(chance.integers(0, 3)), inputs))
    cuts = cuts[cuts.any(axis=1)]
    points = chance.integers(-PARTS, PARTS + 1, (inputs, POINTS))
    points[:, 0] = 0
    corners = PARTS * np.array(list(product((-1, 1), repeat=inputs))).T
    points = np.concatenate([points, corners], axis=1)
    inside = points[:, (cuts @ points <= PARTS).all(axis=0)]
    best = Fraction(int(value(net, form, inside).max()), PARTS)
    false = bool(chance.integers(2))
    gap = GAPS[int(chance.integers(len(GAPS) - false))]
    bound = best - gap if false else best + gap + int(chance.integers(0, 4))
    return Small(spec(net, form, cuts, bound), form, net, cuts, bound, false)


def value(net: Net, form: Form, x: IntArray) -> IntArray:
    """Eighths of what is bounded."""
    first, second = net.outputs(x)
    match form:
        case "plain":
            found = first
        case "guard":
            found = second + (net.guard @ x > 0) * (first - second)
        case "max":
            found = np.maximum(first, second)
        case "abs":
            found = np.abs(first - second)
        case _:
            assert_never(form)
    return np.asarray(found)


def spec(net: Net, form: Form, cuts: IntArray, bound: Fraction) -> str:
    """The claim in Circ."""
    inputs = len(net.guard)
    lines, x = [f"circuit f(x: real[{inputs}]) -> real[2] {{"], "x"
    for k, (w, b) in enumerate(net.layers[:-1]):
        lines.append(f"  let h{k} = relu({rows(w)} @ {x} + {row(b)})")
        x = f"h{k}"
    w, b = net.layers[-1]
    lines += [f"  return {rows(w)} @ {x} + {row(b)}", "}"]
    asked = {
        "plain": "f(x)[0]",
        "guard": f"cases {{ dot({row(net.guard)}, x) > 0 => f(x)[0], else => f(x)[1] }}",
        "max": "max(f(x))",
        "abs": "abs(f(x)[0] - f(x)[1])",
    }[form]
    within = "".join(f" and dot({row(cut)}, x) <= 1" for cut in cuts)
    domain = f"{{ x: real[{inputs}] | -1 <= x <= 1{within} }}"
    goal = f"{asked} <= {bound.numerator} / {bound.denominator}"
    return "\n".join([*lines, f"claim small: forall x in {domain}: {goal}", ""])


def rows(w: IntArray) -> str:
    """A matrix."""
    return f"[{', '.join(map(row, w))}]"


def row(x: IntArray) -> str:
    """A vector."""
    return f"[{', '.join(str(int(entry)) for entry in x)}]"
