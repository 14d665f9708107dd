"""Sums, products and what is computed entry by entry."""

from __future__ import annotations

import numpy as np

from circ.compiler.aten.calls import Ref
from circ.compiler.aten.use import Said, Saying, Use, said


def plainly(operator: str, *names: str) -> Said:
    """An operator that ONNX has too, of these tensors."""

    def say(use: Use) -> None:
        use.end(operator, *(use.real(name) for name in names))

    return said(say, *names)


def scaled(operator: str) -> Saying:
    """`self` and `alpha` times `other`, added or subtracted."""

    def say(use: Use) -> None:
        use.end(operator, use.real("self"), times(use, "other", "alpha"))

    return say


def times(use: Use, name: str, factor: str) -> str:
    """A tensor or a number, times a number that is 1 by default."""
    if factor not in use.call.given:
        return use.real(name)
    found = use.argument(name)
    shape = use.shape(name) if isinstance(found, Ref) else ()
    by = use.constant(np.array(use.number(factor), np.float64))
    return use.put("Mul", use.real(name), by, shape=shape)


def subtracted_from(use: Use) -> None:
    """`rsub`: `other` less `alpha` times `self`."""
    use.end("Sub", use.real("other"), times(use, "self", "alpha"))


def power(use: Use) -> None:
    """A whole power; ½ and its negative are roots."""
    exponent, x = use.number("exponent"), use.real("self")
    match exponent:
        case 0.5:
            use.end("Sqrt", x)
        case -0.5:
            use.end("Reciprocal", use.put("Sqrt", x))
        case -1.0:
            use.end("Reciprocal", x)
        case _:
            use.end("Pow", x, use.constant(np.array(exponent, np.float64)))


def square(use: Use) -> None:
    """A number times itself."""
    x = use.real("self")
    use.end("Mul", x, x)


def one_over_root(use: Use) -> None:
    """`rsqrt`."""
    use.end("Reciprocal", use.put("Sqrt", use.real("self")))


def clamped(use: Use) -> None:
    """Between two numbers, either of which may be left out."""
    between(use, "min", "max")


def hard_tanh(use: Use) -> None:
    """Between two numbers, -1 and 1 by default."""
    between(use, "min_val", "max_val")


def between(use: Use, low: str, high: str) -> None:
    """`Clip` by the arguments of these names."""
    bounds = [
        use.constant(np.array(use.number(name), np.float64)) if use.has(name) else ""
        for name in (low, high)
    ]
    use.end("Clip", use.real("self"), *bounds)


def between_0_and_6(use: Use) -> None:
    """`relu6`."""
    bounds = (use.constant(np.array(x, np.float64)) for x in (0.0, 6.0))
    use.end("Clip", use.real("self"), *bounds)


def clamped_below(use: Use) -> None:
    """`clamp_min`."""
    use.end("Max", use.real("self"), use.real("min"))


def clamped_above(use: Use) -> None:
    """`clamp_max`."""
    use.end("Min", use.real("self"), use.real("max"))


# --- along axes -------------------------------------------------------------------------------


def reducing(operator: str) -> Said:
    """A mean, sum or extremum along axes, of all entries where none is named."""

    def say(use: Use) -> None:
        reduce(use, operator, use.wholes("dim") if use.has("dim") else [])

    return said(say, "self", "dim", "keepdim", "dtype")


def reduce(use: Use, operator: str, axes: list[int]) -> None:
    """`operator` along these axes, all of them where none is named."""
    keep = int(bool(use.call.arguments.get("keepdim", False)))
    use.end(operator, use.real("self"), *([use.counts(axes)] if axes else []), keepdims=keep)


def varied(use: Use) -> None:
    """The variance: the mean square of what is centred, divided by `correction` entries less."""
    shape, x = use.shape("self"), use.real("self")
    axes = use.wholes("dim") if use.has("dim") else [*range(len(shape))]
    along = use.counts(axes)
    count = int(np.prod([shape[axis] for axis in axes]))
    given = next((x for x in ("correction", "unbiased") if use.has(x)), None)
    correction = 1.0 if given is None else float(use.number(given))
    if count <= correction:
        use.refuse("it divides by 0")
    kept = tuple(1 if k in {a % len(shape) for a in axes} else side for k, side in enumerate(shape))
    mean = use.put("ReduceMean", x, along, shape=kept, keepdims=1)
    centred = use.put("Sub", x, mean, shape=shape)
    squares = use.put("Mul", centred, centred, shape=shape)
    keep = int(bool(use.call.arguments.get("keepdim", False)))
    share = use.constant(np.array(count / (count - correction), np.float64))
    use.end("Mul", use.put("ReduceMean", squares, along, keepdims=keep), share)


def largest(use: Use) -> None:
    """`max` along an axis: the numbers, and not where they stand."""
    reduce(use, "ReduceMax", use.wholes("dim"))


def smallest(use: Use) -> None:
    """`min` along an axis: the numbers, and not where they stand."""
    reduce(use, "ReduceMin", use.wholes("dim"))


ARITHMETIC: dict[str, Said] = {
    "abs": plainly("Abs", "self"),
    "add.Scalar": said(scaled("Add"), "self", "other", "alpha"),
    "add.Tensor": said(scaled("Add"), "self", "other", "alpha"),
    "amax": reducing("ReduceMax"),
    "amin": reducing("ReduceMin"),
    "clamp": said(clamped, "self", "min", "max"),
    "clamp_max": said(clamped_above, "self", "max"),
    "clamp_min": said(clamped_below, "self", "min"),
    "div.Scalar": plainly("Div", "self", "other"),
    "div.Tensor": plainly("Div", "self", "other"),
    "exp": plainly("Exp", "self"),
    "hardtanh": said(hard_tanh, "self", "min_val", "max_val"),
    "max": reducing("ReduceMax"),
    "max.dim": said(largest, "self", "dim", "keepdim"),
    "maximum": plainly("Max", "self", "other"),
    "max.other": plainly("Max", "self", "other"),
    "mean": reducing("ReduceMean"),
    "mean.dim": reducing("ReduceMean"),
    "min": reducing("ReduceMin"),
    "min.dim": said(smallest, "self", "dim", "keepdim"),
    "minimum": plainly("Min", "self", "other"),
    "min.other": plainly("Min", "self", "other"),
    "mul.Scalar": plainly("Mul", "self", "other"),
    "mul.Tensor": plainly("Mul", "self", "other"),
    "neg": plainly("Neg", "self"),
    "pow.Tensor_Scalar": said(power, "self", "exponent"),
    "reciprocal": plainly("Reciprocal", "self"),
    "relu6": said(between_0_and_6, "self"),
    "rsqrt": said(one_over_root, "self"),
    "rsub.Scalar": said(subtracted_from, "self", "other", "alpha"),
    "rsub.Tensor": said(subtracted_from, "self", "other", "alpha"),
    "sign": plainly("Sign", "self"),
    "sqrt": plainly("Sqrt", "self"),
    "square": said(square, "self"),
    "sub.Scalar": said(scaled("Sub"), "self", "other", "alpha"),
    "sub.Tensor": said(scaled("Sub"), "self", "other", "alpha"),
    "sum": reducing("ReduceSum"),
    "sum.dim_IntList": reducing("ReduceSum"),
    "var": said(varied, "self", "unbiased"),
    "var.correction": said(varied, "self", "dim", "correction", "keepdim"),
    "var.dim": said(varied, "self", "dim", "unbiased", "keepdim"),
}
