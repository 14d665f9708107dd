"""How far smooth functions of an execution stray."""

from __future__ import annotations

from math import inf
from typing import assert_never

import numpy as np

from circ.compiler.ir import SmoothName
from circ.compiler.readings import extents
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.curves import growth
from circ.compiler.readings.executions import Execution
from circ.compiler.readings.extents import Extent, exp_above
from circ.compiler.readings.strays import Stray, cleaned, widened


def smooth(function: SmoothName, x: Stray, model: Execution) -> Stray:
    """The function, entrywise; infinite where the execution may not have a number."""
    extent = extents.smooth(function, x.extent)
    match function:
        case "exp":
            err = exponential(x, extent, model)
        case "recip":
            err = reciprocal(x, model)
        case "sqrt":
            err = root(x, extent, model)
        case _:
            assert_never(function)
    return Stray(extent, widened(cleaned(err)))


def exponential(x: Stray, extent: Extent, model: Execution) -> FloatArray:
    """e^x within a factor e^(±err); where that is large, what both values are at most."""
    most = exp_above(x.extent.hi + x.err)
    moved = np.fmin(extent.hi * growth(x.err), most)
    err = moved + most * model.exp + 4 * model.tiny
    return np.where(most * (1 + model.exp) < model.largest, err, inf)


def reciprocal(x: Stray, model: Execution) -> FloatArray:
    """|1/x̂ - 1/x| <= err / (|x| (|x| - err)), where zero is left out."""
    near = np.where(x.extent.lo > 0, x.extent.lo, -x.extent.hi)
    low = near * (1 - 2.0**-50) - x.err
    clear = low > 0
    below = np.where(clear, low, 1.0)
    most = 1 / below
    err = x.err / np.where(clear, near, 1.0) * most + stepped(most, model)
    return np.where(clear & (most < model.largest / 2), err, inf)


def root(x: Stray, extent: Extent, model: Execution) -> FloatArray:
    """|√x̂ - √x| <= err / √x, where no negative number can stand under the root."""
    near = np.maximum(x.extent.lo, 0)
    moved = np.where(x.err > 0, x.err / np.sqrt(np.where(near > 0, near, 1.0)), 0.0)
    err = moved + stepped(extent.hi + moved, model)
    fine = (x.extent.lo >= 0) & ((x.err == 0) | (near * (1 - 2.0**-50) >= x.err))
    return np.where(fine, err, inf)


def stepped(most: FloatArray, model: Execution) -> FloatArray:
    """What rounding a result correctly does, once more where the format is narrow."""
    unit = model.unit + (model.inner if model.narrow else 0.0)
    found: FloatArray = most * unit * (1 + 2.0**-40) + 2 * model.tiny
    return found


def softmax(x: Stray, model: Execution) -> Stray:
    """e^(x_i) / Σ_j e^(x_j) along the last axis before that of boxes.

    As in `curves.softmax`: errors r_i of x_i and at most R of the others are a factor e^(±(r_i + R)).
    The largest score is taken off first: t_j <= 0 is off by u|t_j|, so e^(t_j) by a factor; together
    with the exponential, the sum, which is at least 1, and the quotient that is `own`, and u/e for
    e^(t_i) itself. u·Σ|t_j|e^(t_j) is at most u·n/e, and u times how far the scores are apart.
    """
    extent = extents.softmax(x.extent)
    count = float(x.err.shape[-2])
    worst = x.err.max(-2, keepdims=True)
    apart = (x.extent.hi + x.err).max(-2, keepdims=True)
    apart = cleaned(apart - (x.extent.lo - x.err).min(-2, keepdims=True))
    shifts = model.unit * np.fmin(0.4 * count, apart * (1 + 2.0**-40))
    own = 2 * model.exp + model.gamma(np.full(1, count + 4)) + 4 * model.unit + shifts
    own = own + count * 8 * model.tiny
    factor = growth(x.err + worst + own)
    tail = 0.4 * model.unit * (1 + 2 * own) + 8 * model.tiny
    wide = np.fmin(extent.hi * factor + tail, 1 + 2 * own)
    return Stray(extent, np.where(worst < inf, widened(wide), inf))
