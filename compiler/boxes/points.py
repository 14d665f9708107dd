"""Single inputs of a box, in floats: what the net makes of them, and which way its rows go down.

Nothing here is exact. It proposes inputs, and the exact reference decides about them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from circ.compiler.boxes.curves import slope as steepness
from circ.compiler.boxes.curves import value, within
from circ.compiler.boxes.judge import Asked
from circ.compiler.boxes.net import FloatArray, IntArray, Layer, Net

STARTS = 128
STEPS = 48
FIRST_STEP, SHRINKING = 0.25, 0.92
"""Of the box's width, the first step, and the ratio of one step to the one before."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Pre-activations of each layer and values of each layer's units (the input first), a row a point."""

    before: list[FloatArray] = field(repr=False)
    values: list[FloatArray] = field(repr=False)


def run(net: Net, points: FloatArray) -> Run:
    """The net on points [points, inputs]."""
    before, values = list[FloatArray](), [points]
    for layer in net.layers:
        p = np.tile(layer.bias, (len(points), 1))
        for j, matrix in layer.sources:
            p += values[j] @ matrix.T
        before.append(p)
        values.append(applied(layer, p))
    return Run(before, values)


def applied(layer: Layer, p: FloatArray) -> FloatArray:
    """The units of a layer."""
    match layer.kind:
        case "linear":
            return p
        case "relu":
            return np.maximum(p, 0)
        case "step":
            return (p >= 0).astype(np.float64)
        case "product":
            return p[:, : layer.units] * p[:, layer.units :]
        case "exp" | "recip" | "sqrt" | "rsqrt" | "square" | "cube" | "sigmoid" | "swish" | "gelu":
            return value(layer.kind, within(layer.kind, p, p)[0])
        case "shift":
            before, moved = p[:, : layer.units], p[:, : layer.units] + p[:, layer.units :]
            return np.maximum(moved, 0) - np.maximum(before, 0)
        case _:
            assert_never(layer.kind)


def heights(asks: Asked, at: Run) -> FloatArray:
    """For each point and clause, its highest row: at most 0 where the clause is met."""
    total = np.broadcast_to(asks.const, (len(at.values[0]), *asks.const.shape)).copy()
    for j, maps in asks.maps.items():
        total += np.einsum("cru,pu->pcr", maps, at.values[j], optimize=True)
    total[:, ~asks.there] = -np.inf
    return np.asarray(total.max(2))


def starts(low: FloatArray, high: FloatArray, seed: int) -> FloatArray:
    """Random points of a box, every second one a corner."""
    dice = np.random.default_rng(seed)
    points = low + (high - low) * dice.random((STARTS, len(low)))
    corners = dice.random(points.shape) < 0.5
    points[::2] = np.where(corners[::2], low, high)
    return points


def descended(
    net: Net, asks: Asked, points: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Points that go down towards meeting a clause each, within boxes of their own, the lowest first.

    Half of them take the gradient's signs alone: the others seldom reach a corner.
    """
    every = np.arange(len(points))
    now = heights(asks, run(net, points))
    clause = np.where(every % 2 == 0, now.argmin(1), every // 2 % len(asks.const))
    best, least, step = points, now[every, clause], FIRST_STEP
    for _ in range(STEPS):
        if (least <= 0).any():
            break
        slope = downhill(net, asks, points, clause)
        size = np.abs(slope * (high - low)).max(1, keepdims=True) + 1e-300
        down = np.where(every[:, None] % 4 < 2, np.sign(slope), (high - low) * slope / size)
        points = np.clip(points - step * (high - low) * down, low, high)
        height = heights(asks, run(net, points))[every, clause]
        best, least = np.where((height < least)[:, None], points, best), np.minimum(height, least)
        step *= SHRINKING
    return best[np.argsort(least)]


def downhill(net: Net, asks: Asked, points: FloatArray, clause: IntArray) -> FloatArray:
    """The gradient of each point's highest row of its clause."""
    at = run(net, points)
    rows = asks.const[clause]
    for j, maps in asks.maps.items():
        rows += np.einsum("pru,pu->pr", maps[clause], at.values[j])
    rows[~asks.there[clause]] = -np.inf
    highest = rows.argmax(1)
    left = {j: maps[clause, highest] for j, maps in asks.maps.items()}
    for place in range(len(net.layers), 0, -1):
        slope = left.pop(place, None)
        if slope is None:
            continue
        layer = net.layers[place - 1]
        inner = through(layer, at.before[place - 1], slope)
        for j, matrix in layer.sources:
            left[j] = left.get(j, 0.0) + inner @ matrix
    return np.asarray(left.get(0, np.zeros_like(points)))


def through(layer: Layer, p: FloatArray, slope: FloatArray) -> FloatArray:
    """A gradient on units made one on pre-activations; a step has none."""
    match layer.kind:
        case "linear":
            return slope
        case "relu":
            return slope * (p > 0)
        case "step":
            return np.zeros_like(slope)
        case "product":
            half = layer.units
            return np.concatenate([slope * p[:, half:], slope * p[:, :half]], axis=1)
        case "exp" | "recip" | "sqrt" | "rsqrt" | "square" | "cube" | "sigmoid" | "swish" | "gelu":
            return slope * steepness(layer.kind, within(layer.kind, p, p)[0])
        case "shift":
            half = layer.units
            before, moved = p[:, :half] > 0, p[:, :half] + p[:, half:] > 0
            return np.concatenate([slope * moved - slope * before, slope * moved], axis=1)
        case _:
            assert_never(layer.kind)
