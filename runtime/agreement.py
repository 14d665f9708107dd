"""Whether the reading of a network agrees with what runs it: on inputs at random, the same each time.

A reading is exact, an execution is not. What is allowed between them is what rounding may do to the circuit at
that input in the network's own format, several times over, since a library computes otherwise than
step by step; never less than a few units in the last place, and never more than a small part of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Shape, Wire
from circ.compiler.onnx.network import Network
from circ.compiler.readings.floats import at_points, deviation, prepare, read
from circ.compiler.readings.roundoff import execution

Floats = npt.NDArray[np.float64]
Points = Mapping[str, Floats]
"""Inputs by name, each of its shape with an axis for the points behind."""

POINTS = 6
SEED = 20260101

OTHERWISE = 8.0
"""So many times what rounding may do step by step: fused and vectorised steps round otherwise."""

LEAST = 64.0
"""So many units in the last place are always allowed."""

FORMATS: Mapping[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
"""The formats of inputs that are drawn."""

UNITS = {"F32": 2.0**-23, "F64": 2.0**-52, "F16": 2.0**-10}
"""The unit in the last place of 1."""


@dataclass(frozen=True, slots=True)
class Apart:
    """How far an execution is from the exact value, where it is further than rounding explains."""

    distance: float
    allowed: float


def drawn(network: Network, example: Sequence[Floats] = ()) -> Points:
    """Inputs of a network's own dtypes: normal ones, uniform ones, and the example if there is one.

    Of tokens, any of them.
    """
    rng = np.random.default_rng(SEED)
    found: dict[str, Floats] = {}
    for k, ((name, shape), dtype) in enumerate(zip(network.inputs, network.dtypes, strict=True)):
        count = network.vocabularies.get(name)
        some = reals_drawn(rng, shape) if count is None else tokens_drawn(rng, shape, count)
        if k < len(example):
            some.append(example[k].reshape(*shape, 1))
        found[name] = np.concatenate(some, axis=-1).astype(FORMATS[dtype]).astype(np.float64)
    return found


def reals_drawn(rng: np.random.Generator, shape: Shape) -> list[Floats]:
    """Normal numbers and uniform ones."""
    half = (*shape, POINTS // 2)
    return [rng.normal(size=half), rng.uniform(-1, 1, half)]


def tokens_drawn(rng: np.random.Generator, shape: Shape, count: int) -> list[Floats]:
    """Tokens, and the last one everywhere."""
    drawn = rng.integers(0, count, (*shape, POINTS - 1))
    return [drawn.astype(np.float64), np.full((*shape, 1), count - 1.0)]


def apart(network: Network, wire: Wire, points: Points, found: Floats) -> Apart | None:
    """How far what was found at the points is from a wire; None where rounding explains it."""
    circuit, weights = network.circuit, network.weights
    dtype = network.format
    reading = read(prepare(circuit, weights, [wire]), at_points(circuit, points))
    exact = reading.reals[wire].mid
    strays = deviation(circuit, weights, points, wire, execution(dtype))
    unit = UNITS[dtype]
    scale = np.maximum(1.0, np.abs(exact).reshape(-1, exact.shape[-1]).max(0, initial=0.0))
    allowed = np.clip(OTHERWISE * strays, LEAST * unit * scale, np.cbrt(unit) * scale)
    distance = np.abs(found.reshape(*exact.shape[:-1], -1) - exact)
    distance = np.where(np.isnan(distance), np.inf, distance)
    furthest = distance.reshape(-1, distance.shape[-1]).max(0, initial=0.0)
    worst = int(np.argmax(furthest - allowed))
    beyond = float(furthest[worst]) > float(np.broadcast_to(allowed, furthest.shape)[worst])
    return Apart(float(furthest[worst]), float(allowed.max())) if beyond else None


def first_apart(
    network: Network, names: Iterable[str], points: Points, inside: Callable[[str], Floats | None]
) -> str | None:
    """The first of these values that differs, where they are known."""
    for name in names:
        if name in network.sites:
            found = inside(name)
            if found is not None and apart(network, network.sites[name], points, found):
                return name
    return None
