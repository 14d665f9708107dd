"""What moves entries about and computes nothing.

Shapes are those of the example, so that a view is a `Reshape` to the shape that came out of it.
"""

from __future__ import annotations

import numpy as np

from circ.compiler.aten.calls import Ref
from circ.compiler.aten.use import Said, Use, said
from circ.compiler.ir import Shape


def same(use: Use) -> None:
    """What changes no entry."""
    use.end("Identity", use.name("self"))


def reshaped(use: Use) -> None:
    """The entries in order, in another shape."""
    use.end("Reshape", use.name("self"), use.counts(use.made.shape), allowzero=1)


def dropped(use: Use) -> None:
    """`dropout`, which does nothing after training."""
    if use.argument("train") and use.number("p") != 0:
        use.refuse("it draws at random: the module is in training mode, call `module.eval()` first")
    use.end("Identity", use.name("input"))


def axis_of(use: Use, axis: int, rank: int) -> int:
    """An axis counted from the front."""
    return (
        axis % rank if -rank <= axis < rank else use.refuse(f"there is no axis {axis} among {rank}")
    )


def permuted(use: Use) -> None:
    """Axes in another order."""
    rank = len(use.shape("self"))
    order = tuple(axis_of(use, axis, rank) for axis in use.wholes("dims"))
    use.end("Transpose", use.name("self"), perm=order)


def transposed(use: Use) -> None:
    """Two axes exchanged."""
    order = list(range(len(use.shape("self"))))
    first, second = (axis_of(use, use.whole(name), len(order)) for name in ("dim0", "dim1"))
    order[first], order[second] = order[second], order[first]
    use.end("Transpose", use.name("self"), perm=tuple(order))


def turned(use: Use) -> None:
    """`t`: a matrix with its axes exchanged."""
    if len(use.shape("self")) < 2:
        use.end("Identity", use.name("self"))
    else:
        use.end("Transpose", use.name("self"), perm=(1, 0))


def expanded(use: Use) -> None:
    """Repeated along axes of length 1."""
    use.end("Expand", use.name("self"), use.counts(use.made.shape))


def sliced(use: Use) -> None:
    """From one place to another along an axis, some at a time."""
    shape = use.shape("self")
    axis = axis_of(use, use.whole("dim"), len(shape))
    start = use.whole("start") if use.has("start") else 0
    end = use.whole("end") if use.has("end") else shape[axis]
    places = ([start], [end], [axis], [use.whole("step")])
    use.end("Slice", use.name("self"), *map(use.counts, places))


def selected(use: Use) -> None:
    """The entries at one place of an axis, which is left out."""
    axis = axis_of(use, use.whole("dim"), len(use.shape("self")))
    use.end("Gather", use.name("self"), use.counts(use.whole("index")), axis=axis)


def picked(use: Use) -> None:
    """The entries at places of one axis that are known, or tokens."""
    axis = axis_of(use, use.whole("dim"), len(use.shape("self")))
    use.end("Gather", use.name("self"), known(use, use.name("index")), axis=axis)


def indexed(use: Use) -> None:
    """`x[…, places, …]`, with places along one axis that are known, or tokens."""
    found = use.argument("indices")
    places = [*enumerate(found)] if isinstance(found, tuple) else []
    given = [(axis, x.name) for axis, x in places if isinstance(x, Ref)]
    if len(given) != 1:
        use.refuse("entries are picked along one axis only")
    ((axis, name),) = given
    if use.of(name).dtype == "BOOL":
        use.refuse("entries are picked by their places, not by truths")
    use.end("Gather", use.name("self"), known(use, name), axis=axis)


def embedded(use: Use) -> None:
    """Rows of a table at places that are known, or tokens."""
    use.end("Gather", use.name("weight"), known(use, use.name("indices")), axis=0)


def known(use: Use, name: str) -> str:
    """Whole numbers that no input changes, or tokens."""
    if name not in use.writing.tensors and name not in use.writing.tokens:
        use.refuse("its places depend on the input, and are no tokens")
    return name


def joined(use: Use) -> None:
    """Tensors one after the other along an axis."""
    names = use.names("tensors")
    axis = axis_of(use, use.whole("dim"), len(use.made.shape))
    parts = [use.own(name) for name in names if use.of(name).shape != (0,)]
    use.end("Concat", *parts, axis=axis)


def stacked(use: Use) -> None:
    """Tensors along a new axis."""
    shape = use.made.shape
    axis = axis_of(use, use.whole("dim"), len(shape))
    one = tuple(1 if k == axis else side for k, side in enumerate(shape))
    names = [use.own(name) for name in use.names("tensors")]
    parts = [use.put("Reshape", name, use.counts(one), shape=one, allowzero=1) for name in names]
    use.end("Concat", *parts, axis=axis)


def parted(use: Use) -> None:
    """Parts along an axis, as long as those that came out."""
    cut(use, use.whole("dim"), [made.shape for made in use.call.made])


def unbound(use: Use) -> None:
    """The entries at each place of an axis, which is left out."""
    shape = use.shape("self")
    axis = axis_of(use, use.whole("dim"), len(shape))
    one = (*shape[:axis], 1, *shape[axis + 1 :])
    cut(use, axis, [one] * shape[axis])


def cut(use: Use, dim: int, shapes: list[Shape]) -> None:
    """The parts of these shapes along an axis, each in the shape that came out."""
    axis, start = axis_of(use, dim, len(shapes[0])), 0
    for part, (shape, made) in enumerate(zip(shapes, use.call.made, strict=True)):
        stop = start + shape[axis]
        places = [use.counts([x]) for x in (start, stop, axis)]
        if shape == made.shape:
            use.end_part(part, "Slice", use.name("self"), *places)
        else:
            piece = use.put("Slice", use.name("self"), *places, shape=shape)
            use.end_part(part, "Reshape", piece, use.counts(made.shape), allowzero=1)
        start = stop


def reversed_along(use: Use) -> None:
    """`flip`: axes from the back to the front."""
    axes = use.wholes("dims")
    ends = [[-1] * len(axes), [-(1 << 31)] * len(axes), axes, [-1] * len(axes)]
    use.end("Slice", use.name("self"), *map(use.counts, ends))


def repeated(use: Use) -> None:
    """`repeat`: whole copies one after the other, along each axis."""
    shape, times = use.shape("self"), use.wholes("repeats")
    shape = (*(1 for _ in range(len(times) - len(shape))), *shape)
    apart = tuple(side for pair in ((1, side) for side in shape) for side in pair)
    spread = tuple(side for pair in zip(times, shape, strict=True) for side in pair)
    found = use.put("Reshape", use.name("self"), use.counts(apart), shape=apart, allowzero=1)
    found = use.put("Expand", found, use.counts(spread), shape=spread)
    use.end("Reshape", found, use.counts(use.made.shape), allowzero=1)


def replaced(use: Use) -> None:
    """`select_scatter`: the entries at one place of an axis replaced by a tensor without that axis."""
    shape = use.shape("self")
    axis = axis_of(use, use.whole("dim"), len(shape))
    place = use.whole("index") % shape[axis]
    one = (*shape[:axis], 1, *shape[axis + 1 :])
    middle = use.put("Reshape", use.real("src"), use.counts(one), shape=one, allowzero=1)
    within(use, axis, place, place + 1, middle)


def replaced_from(use: Use) -> None:
    """`slice_scatter`: a stretch of an axis replaced."""
    shape = use.shape("self")
    axis = axis_of(use, use.whole("dim"), len(shape))
    if use.whole("step") != 1:
        use.refuse("only entries that lie together are replaced")
    start = use.whole("start") if use.has("start") else 0
    end = use.whole("end") if use.has("end") else shape[axis]
    first, last, _ = slice(start, end).indices(shape[axis])
    within(use, axis, first, last, use.real("src"))


def within(use: Use, axis: int, start: int, end: int, middle: str) -> None:
    """What comes before along an axis, the middle, and what comes after."""
    shape, x = use.shape("self"), use.real("self")

    def stretch(first: int, last: int) -> list[str]:
        side = (*shape[:axis], last - first, *shape[axis + 1 :])
        places = [use.counts([k]) for k in (first, last, axis)]
        return [use.put("Slice", x, *places, shape=side)] if first < last else []

    use.end("Concat", *stretch(0, start), middle, *stretch(end, shape[axis]), axis=axis)


def padded(use: Use) -> None:
    """A number put around, from the last axis backwards."""
    if use.call.arguments.get("mode", "constant") != "constant":
        use.refuse("only a number is put around")
    rank, pads = len(use.shape("self")), use.wholes("pad")
    before, after = [0] * rank, [0] * rank
    for k in range(len(pads) // 2):
        before[rank - 1 - k], after[rank - 1 - k] = pads[2 * k], pads[2 * k + 1]
    value = use.number("value") if use.has("value") else 0.0
    number = use.constant(np.array(value, np.float64))
    use.end("Pad", use.real("self"), use.counts([*before, *after]), number)


SAME = ("self", "memory_format")

MOVES: dict[str, Said] = {
    "_unsafe_view": said(reshaped, "self", "size"),
    "alias": said(same, *SAME),
    "cat": said(joined, "tensors", "dim"),
    "chunk": said(parted, "self", "chunks", "dim"),
    "clone": said(same, *SAME),
    "constant_pad_nd": said(padded, "self", "pad", "value"),
    "contiguous": said(same, *SAME),
    "detach": said(same, *SAME),
    "dropout": said(dropped, "input", "p", "train"),
    "embedding": said(embedded, "weight", "indices", "padding_idx"),
    "expand": said(expanded, "self", "size", "implicit"),
    "flatten.using_ints": said(reshaped, "self", "start_dim", "end_dim"),
    "flip": said(reversed_along, "self", "dims"),
    "index.Tensor": said(indexed, "self", "indices"),
    "index_select": said(picked, "self", "dim", "index"),
    "pad": said(padded, "self", "pad", "mode", "value"),
    "permute": said(permuted, "self", "dims"),
    "repeat": said(repeated, "self", "repeats"),
    "reshape": said(reshaped, "self", "shape"),
    "select.int": said(selected, "self", "dim", "index"),
    "select_scatter": said(replaced, "self", "src", "dim", "index"),
    "slice.Tensor": said(sliced, "self", "dim", "start", "end", "step"),
    "slice_scatter": said(replaced_from, "self", "src", "dim", "start", "end", "step"),
    "split.Tensor": said(parted, "self", "split_size", "dim"),
    "split_with_sizes": said(parted, "self", "split_sizes", "dim"),
    "squeeze": said(reshaped, "self"),
    "squeeze.dim": said(reshaped, "self", "dim"),
    "squeeze.dims": said(reshaped, "self", "dim"),
    "stack": said(stacked, "tensors", "dim"),
    "t": said(turned, "self"),
    "transpose.int": said(transposed, "self", "dim0", "dim1"),
    "unbind.int": said(unbound, "self", "dim"),
    "unflatten.int": said(reshaped, "self", "dim", "sizes"),
    "unsqueeze": said(reshaped, "self", "dim"),
    "view": said(reshaped, "self", "size"),
}
