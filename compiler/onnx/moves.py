"""Operators that move entries about and compute nothing: each is one move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod

import numpy as np

from circ.compiler.builder import number
from circ.compiler.ir import Shape, Wire
from circ.compiler.onnx.graph import Wholes, entries
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.tokens import in_a_row, looked_up
from circ.compiler.onnx.values import Held, Numbers, Tokens, Truths, Value, Whole

Join = Callable[[list[Wholes]], Wholes]
"""How arrays of places are put together."""


def flatten(step: Step) -> tuple[Value, ...]:
    """`Flatten` into a matrix."""
    shape = step.shape(0)
    axis = step.integer("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        step.refuse(f"there is no axis {axis} among {len(shape)}")
    axis += len(shape) if axis < 0 else 0
    return in_shape(step, (prod(shape[:axis]), prod(shape[axis:])))


def in_shape(step: Step, shape: Shape) -> tuple[Value, ...]:
    """The operand in another shape of as many entries."""
    if prod(shape) != prod(step.shape(0)):
        step.refuse(f"{list(step.shape(0))} has not the entries of {list(shape)}")
    if shape == step.shape(0):
        return (step.value(0),)
    return (step.moved(step.value(0), shape, lambda x: x.reshape(shape)),)


def reshape(step: Step) -> tuple[Value, ...]:
    """`Reshape`: 0 keeps a side, -1 is whatever is left."""
    shape, wanted = step.shape(0), step.wholes(1, "the shape")
    if not step.integer("allowzero", 0):
        if any(side == 0 and k >= len(shape) for k, side in enumerate(wanted)):
            step.refuse(f"{wanted} keeps a side that {list(shape)} has not")
        wanted = [shape[k] if side == 0 else side for k, side in enumerate(wanted)]
    open_sides = [k for k, side in enumerate(wanted) if side == -1]
    rest = prod(side for side in wanted if side != -1)
    if len(open_sides) > 1 or min(wanted, default=0) < -1 or (open_sides and rest == 0):
        step.refuse(f"{wanted} is no shape")
    for k in open_sides:
        wanted[k] = prod(shape) // rest
    return in_shape(step, tuple(wanted))


def transpose(step: Step) -> tuple[Value, ...]:
    """`Transpose`; all axes reversed by default."""
    rank = len(step.shape(0))
    order = step.integers("perm") or list(range(rank))[::-1]
    if sorted(order) != list(range(rank)):
        step.refuse(f"{order} is no order of {rank} axes")
    shape = tuple(step.shape(0)[axis] for axis in order)
    return (step.moved(step.value(0), shape, lambda x: x.transpose(order)),)


def axes_given(step: Step, since: int, place: int = 1) -> list[int] | None:
    """Axes, as an attribute before the version `since` and as an operand from then on."""
    if step.opset < since:
        return step.integers("axes")
    return step.wholes(place, "its axes") if step.given(place) else None


def squeeze(step: Step) -> tuple[Value, ...]:
    """`Squeeze`: axes of length 1 left out, all of them by default."""
    shape = step.shape(0)
    given = axes_given(step, 13)
    if given is None:
        return in_shape(step, tuple(side for side in shape if side != 1))
    dropped = {step.axis(axis, len(shape)) for axis in given}
    if any(shape[axis] != 1 for axis in dropped):
        step.refuse(f"{list(shape)} has other than 1 entry along these axes")
    return in_shape(step, tuple(side for k, side in enumerate(shape) if k not in dropped))


def unsqueeze(step: Step) -> tuple[Value, ...]:
    """`Unsqueeze`: axes of length 1 put in."""
    given = axes_given(step, 13)
    if given is None:
        step.refuse("it has no axes")
    rank = len(step.shape(0)) + len(given)
    new = {step.axis(axis, rank) for axis in given}
    if len(new) < len(given):
        step.refuse("it names an axis twice")
    sides = iter(step.shape(0))
    return in_shape(step, tuple(1 if k in new else next(sides) for k in range(rank)))


def expand(step: Step) -> tuple[Value, ...]:
    """`Expand`: repeated along axes of length 1."""
    wanted = tuple(step.wholes(1, "the shape"))
    if min(wanted, default=0) < 0:
        step.refuse(f"{list(wanted)} is no shape")
    shape = step.joined(step.shape(0), wanted)
    return (step.moved(step.value(0), shape, lambda x: np.broadcast_to(x, shape)),)


def cut(step: Step) -> tuple[Value, ...]:
    """`Slice`."""
    shape = step.shape(0)
    if step.opset < 10:
        starts, ends, axes = (step.integers(name) for name in ("starts", "ends", "axes"))
        steps = None
    else:
        starts, ends = step.wholes(1, "`starts`"), step.wholes(2, "`ends`")
        axes = step.wholes(3, "`axes`") if step.given(3) else None
        steps = step.wholes(4, "`steps`") if step.given(4) else None
    if starts is None or ends is None or len(starts) != len(ends):
        step.refuse("it does not say from where to where")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(axes) == len(steps) or 0 in steps:
        step.refuse("its starts, ends, axes and steps do not fit each other")
    picks = [range(side) for side in shape]
    for start, end, axis, stride in zip(starts, ends, axes, steps, strict=True):
        place = step.axis(axis, len(shape))
        picks[place] = along(shape[place], start, end, stride)
    return (picked(step, step.value(0), picks),)


def along(side: int, start: int, end: int, stride: int) -> range:
    """The places of a slice of one axis: counted from the back where negative, and kept inside."""
    start, end = (x + side if x < 0 else x for x in (start, end))
    if stride > 0:
        return range(min(max(start, 0), side), min(max(end, 0), side), stride)
    return range(min(max(start, 0), side - 1), min(max(end, -1), side - 1), stride)


def picked(step: Step, value: Value, picks: Sequence[Sequence[int]]) -> Value:
    """The entries at these places of each axis."""
    sides = tuple(len(pick) for pick in picks)
    chosen = [np.asarray(pick, np.int64) for pick in picks]
    if not chosen:
        return value
    return step.moved(value, sides, lambda x: x[np.ix_(*chosen)])


def gather(step: Step) -> tuple[Value, ...]:
    """`Gather` at known places of one axis, or at those that tokens name."""
    shape = step.shape(0)
    axis = step.axis(step.integer("axis", 0), len(shape))
    given = step.value(1)
    if isinstance(given, Tokens):
        return (looked_up(step, given.wire, axis),)
    wanted = step.wholes(1, "the places")
    if any(not -shape[axis] <= k < shape[axis] for k in wanted):
        step.refuse(f"a place lies outside the {shape[axis]} along axis {axis}")
    at = np.array([k % shape[axis] for k in wanted], np.int64).reshape(step.shape(1))
    sides = (*shape[:axis], *step.shape(1), *shape[axis + 1 :])
    return (step.moved(step.value(0), sides, lambda x: np.take(x, at, axis=axis)),)


def split(step: Step) -> tuple[Value, ...]:
    """`Split` along one axis, into equal parts by default."""
    shape, count = step.shape(0), len(step.node.outputs)
    axis = step.axis(step.integer("axis", 0), len(shape))
    if step.integer("num_outputs", count) != count or count < 1:
        step.refuse("`num_outputs` is not the number of its outputs")
    sizes = step.integers("split")
    if step.opset >= 13:
        sizes = step.wholes(1, "the sizes") if step.given(1) else None
    if sizes is None:
        part = -(-shape[axis] // count)
        sizes = [min(part, max(shape[axis] - k * part, 0)) for k in range(count)]
    if len(sizes) != count or min(sizes) < 0 or sum(sizes) != shape[axis]:
        step.refuse(f"{sizes} are no {count} parts of {shape[axis]}")
    found: list[Value] = []
    start = 0
    for name, size in zip(step.node.outputs, sizes, strict=True):
        picks: list[range] = [range(side) for side in shape]
        picks[axis] = range(start, start + size)
        part_of = picked(step, step.value(0), picks)
        found.append(
            Held(name, part_of.dtype, part_of.values) if isinstance(part_of, Held) else part_of
        )
        start += size
    return tuple(found)


def concat(step: Step) -> tuple[Value, ...]:
    """`Concat` along one axis."""
    count = len(step.operands)
    shapes = [step.shape(k) for k in range(count)]
    axis = step.axis(step.integer("axis", 0), len(shapes[0]))
    if "axis" not in step.node.attributes:
        step.refuse("it does not say along which axis")
    values = [step.value(k) for k in range(count)]
    rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(rests) > 1 or any(len(shape) != len(shapes[0]) for shape in shapes):
        step.refuse("its operands do not fit each other")
    known = [value for value in values if isinstance(value, Whole)]
    if len(known) == count:
        whole = np.concatenate([x.values.astype(np.int64) for x in known], axis)
        return (Whole(whole, known[0].dtype),)
    return (laid(step, values, lambda parts: np.concatenate(parts, axis)),)


def laid(step: Step, values: Sequence[Value], join: Join) -> Value:
    """Operands of one kind put together as `join` puts arrays of places together."""
    if all(isinstance(value, Truths) for value in values):
        wires = [value.wire for value in values if isinstance(value, Truths)]
        return Truths(joined(step, wires, join))
    if any(isinstance(value, Tokens) for value in values):
        return Tokens(joined(step, in_a_row(step, values), join))
    wires = [step.on_wire(value, f"operand {k}") for k, value in enumerate(values)]
    return Numbers(joined(step, wires, join))


def joined(step: Step, wires: Sequence[Wire], join: Join) -> Wire:
    """Wires put together."""
    parts: list[Wholes] = []
    start = 0
    for wire in wires:
        count = step.b.types[wire].entries
        shape = step.b.shape(wire)
        parts.append(np.arange(start, start + count, dtype=np.int64).reshape(shape))
        start += count
    step.fits((start,))
    return step.growing.gather(wires, join(parts))


def pad(step: Step) -> tuple[Value, ...]:
    """`Pad` with a constant, or with entries from the edge or mirrored."""
    x, mode = step.real(0), step.word("mode", "constant")
    shape = step.b.shape(x)
    pads = step.integers("pads") if step.opset < 11 else step.wholes(1, "`pads`")
    axes = step.wholes(3, "its axes") if step.given(3) else list(range(len(shape)))
    if pads is None or len(pads) != 2 * len(axes) or min(pads, default=0) < 0:
        step.refuse("`pads` needs two numbers an axis, none of them negative")
    around = [(0, 0)] * len(shape)
    for k, axis in enumerate(axes):
        around[step.axis(axis, len(shape))] = (pads[k], pads[len(axes) + k])
    step.fits(tuple(side + sum(some) for side, some in zip(shape, around, strict=True)))
    if mode in {"edge", "reflect"}:
        edge = mode == "edge"
        return (Numbers(step.growing.moved_wire(x, lambda e: beyond(e, around, edge))),)
    if mode != "constant":
        step.refuse(f"`mode` is `{mode}`, which is not read")
    last = entries(shape)
    places = np.arange(last, dtype=np.int64).reshape(shape)
    filled = np.pad(places, around, constant_values=last)
    return (Numbers(step.growing.gather([x, number(step.b, fill(step))], filled)),)


def beyond(places: Wholes, around: list[tuple[int, int]], edge: bool) -> Wholes:
    """Places continued by those at the edge, or mirrored there."""
    return np.pad(places, around, mode="edge") if edge else np.pad(places, around, mode="reflect")


def fill(step: Step) -> Fraction:
    """What `Pad` puts around: an attribute before version 11, an operand since."""
    if step.opset < 11:
        return step.number("value", 0.0)
    found = step.exact(2) if step.given(2) else [Fraction(0)]
    if found is None or len(found) != 1:
        step.refuse("what it puts around must be one constant")
    return found[0]


MOVES: dict[str, Operator] = {
    "Concat": operator(concat, 1, 1 << 10, "axis"),
    "Expand": operator(expand, 2, 2),
    "Flatten": operator(flatten, 1, 1, "axis"),
    "Gather": operator(gather, 2, 2, "axis"),
    "Pad": operator(pad, 1, 4, "mode", "pads", "value").moving(11, "pads", "value"),
    "Reshape": operator(reshape, 2, 2, "allowzero"),
    "Slice": operator(cut, 1, 5, "starts", "ends", "axes").moving(10, "starts", "ends", "axes"),
    "Split": operator(split, 1, 2, "axis", "num_outputs", "split").moving(13, "split"),
    "Squeeze": operator(squeeze, 1, 2, "axes").moving(13, "axes"),
    "Transpose": operator(transpose, 1, 1, "perm"),
    "Unsqueeze": operator(unsqueeze, 1, 2, "axes").moving(13, "axes"),
}
