"""Layers that stay whole: products with weights, convolutions, pools and norms."""

from __future__ import annotations

import numpy as np

from circ.compiler.aten.arithmetic import plainly
from circ.compiler.aten.use import Said, Use, said
from circ.compiler.ir import Shape


def linear(use: Use) -> None:
    """`linear`: of a vector, of the rows of a matrix, or along the last axis."""
    x, weight, rank = use.real("input"), use.real("weight"), len(use.shape("input"))
    bias = [use.real("bias")] if use.has("bias") else []
    if rank == 2 and len(use.shape("weight")) == 2:
        use.end("Gemm", x, weight, *bias, transB=1)
        return
    operands = (weight, x)
    if rank > 1:
        turned = use.shape("weight")[::-1]
        operands = (x, use.put("Transpose", weight, shape=turned, word="weight", perm=(1, 0)))
    if bias:
        use.end("Add", use.put("MatMul", *operands), *bias)
    else:
        use.end("MatMul", *operands)


def added_product(use: Use) -> None:
    """`addmm`: `beta` times the first, plus `alpha` times the product of the others."""
    alpha, beta = (use.rounded(use.number(name)) for name in ("alpha", "beta"))
    terms = (use.real(name) for name in ("mat1", "mat2", "self"))
    use.end("Gemm", *terms, alpha=alpha, beta=beta)


def convolved(use: Use) -> None:
    """A convolution."""
    weight = use.shape("weight")
    kernel = weight[2:]
    operands = [use.real(name) for name in ("input", "weight", "bias") if use.has(name)]
    pads = paddings(use, kernel)
    use.end(
        "Conv",
        *operands,
        kernel_shape=kernel,
        strides=each(use, "stride", len(kernel)),
        dilations=each(use, "dilation", len(kernel)),
        pads=pads,
        group=use.whole("groups"),
    )


def paddings(use: Use, kernel: Shape) -> tuple[int, ...]:
    """The padding of a convolution before each axis, then after each."""
    found = use.argument("padding")
    if found == "valid":
        return (0,) * (2 * len(kernel))
    if found == "same":
        gaps = each(use, "dilation", len(kernel))
        missing = [gap * (side - 1) for gap, side in zip(gaps, kernel, strict=True)]
        return (*(some // 2 for some in missing), *(some - some // 2 for some in missing))
    return each(use, "padding", len(kernel)) * 2


def each(use: Use, name: str, axes: int) -> tuple[int, ...]:
    """One number an axis; a single one is for all."""
    found = use.wholes(name)
    return tuple(found * axes if len(found) == 1 else found)


def largest(use: Use) -> None:
    """A pool of the largest."""
    kernel, strides, pads = window(use)
    dilations, ceil = each(use, "dilation", len(kernel)), int(bool(use.argument("ceil_mode")))
    shape = {"kernel_shape": kernel, "strides": strides, "pads": pads, "dilations": dilations}
    use.end("MaxPool", use.real("self"), **shape, ceil_mode=ceil)


def averaged(use: Use) -> None:
    """A pool of means."""
    kernel, strides, pads = window(use)
    shape = {"kernel_shape": kernel, "strides": strides, "pads": pads}
    padded, ceil = (int(bool(use.argument(name))) for name in ("count_include_pad", "ceil_mode"))
    use.end("AveragePool", use.real("self"), **shape, ceil_mode=ceil, count_include_pad=padded)


def window(use: Use) -> tuple[Shape, Shape, tuple[int, ...]]:
    """The sides of a pool's window, its strides, and its padding before each axis and after each."""
    listed = use.wholes("kernel_size")
    axes = max(len(listed), len(use.wholes("padding")))
    kernel = each(use, "kernel_size", axes)
    strides = each(use, "stride", axes) if use.has("stride") and use.listed("stride") else kernel
    return kernel, strides, each(use, "padding", axes) * 2


def adaptively_averaged(use: Use) -> None:
    """A pool to so many windows, where these are equally large."""
    made, shape = use.made.shape, use.shape("self")
    axes = len(use.wholes("output_size"))
    sides, wanted = shape[-axes:], made[-axes:]
    if any(side % count for side, count in zip(sides, wanted, strict=True)):
        use.refuse("its windows are not equally large")
    kernel = tuple(side // count for side, count in zip(sides, wanted, strict=True))
    use.end("AveragePool", use.real("self"), kernel_shape=kernel, strides=kernel)


def batch_normalised(use: Use) -> None:
    """A batch norm as it is after training; scale and bias are 1 and 0 where there are none."""
    names = ("weight", "bias", "running_mean", "running_var")
    channels = use.shape("running_var")
    operands = [
        use.real(name)
        if use.has(name)
        else use.constant(np.full(channels, float(name == "weight")), name)
        for name in names
    ]
    use.end(
        "BatchNormalization", use.real("input"), *operands, epsilon=use.rounded(use.number("eps"))
    )


def layer_normalised(use: Use) -> None:
    """A layer norm; its scale is 1 where there is none."""
    axes = tuple(use.wholes("normalized_shape"))
    scale = use.real("weight") if use.has("weight") else use.constant(np.ones(axes), "weight")
    bias = [use.real("bias")] if use.has("bias") else []
    epsilon = use.rounded(use.number("eps"))
    use.end("LayerNormalization", use.real("input"), scale, *bias, axis=-len(axes), epsilon=epsilon)


def root_mean_square_normalised(use: Use) -> None:
    """`rms_norm`: x / √(mean of x² + ε), times a scale."""
    x, shape, axes = use.real("input"), use.shape("input"), len(use.wholes("normalized_shape"))
    smallest = np.finfo(np.float32 if use.dtype == "F32" else np.float64).eps
    epsilon = use.constant(np.array(use.number("eps") if use.has("eps") else float(smallest)))
    row = (*shape[:-axes], *(1 for _ in range(axes)))
    squares = use.put("Mul", x, x, shape=shape)
    along = use.counts([*range(-axes, 0)])
    mean = use.put("ReduceMean", squares, along, shape=row, keepdims=1)
    spread = use.put("Sqrt", use.put("Add", mean, epsilon, shape=row), shape=row)
    if not use.has("weight"):
        use.end("Div", x, spread)
        return
    use.end("Mul", use.put("Div", x, spread, shape=shape), use.real("weight"))


POOL = ("self", "kernel_size", "stride", "padding", "ceil_mode")
AVERAGED, LARGEST = said(averaged, *POOL, "count_include_pad"), said(largest, *POOL, "dilation")

CONVOLVED = said(convolved, "input", "weight", "bias", "stride", "padding", "dilation", "groups")

LAYERS: dict[str, Said] = {
    "_native_batch_norm_legit_no_training": said(
        batch_normalised,
        *("input", "weight", "bias", "running_mean", "running_var", "momentum", "eps"),
    ),
    "adaptive_avg_pool1d": said(adaptively_averaged, "self", "output_size"),
    "adaptive_avg_pool2d": said(adaptively_averaged, "self", "output_size"),
    "addmm": said(added_product, "self", "mat1", "mat2", "alpha", "beta"),
    "avg_pool1d": AVERAGED,
    "avg_pool2d": AVERAGED,
    "bmm": plainly("MatMul", "self", "mat2"),
    "conv1d": CONVOLVED,
    "conv1d.padding": CONVOLVED,
    "conv2d": CONVOLVED,
    "conv2d.padding": CONVOLVED,
    "conv3d": CONVOLVED,
    "conv3d.padding": CONVOLVED,
    "dot": plainly("MatMul", "self", "tensor"),
    "layer_norm": said(
        layer_normalised, "input", "normalized_shape", "weight", "bias", "eps", "cudnn_enable"
    ),
    "linear": said(linear, "input", "weight", "bias"),
    "matmul": plainly("MatMul", "self", "other"),
    "max_pool1d": LARGEST,
    "max_pool2d": LARGEST,
    "mm": plainly("MatMul", "self", "mat2"),
    "mv": plainly("MatMul", "self", "vec"),
    "rms_norm": said(root_mean_square_normalised, "input", "normalized_shape", "weight", "eps"),
}
