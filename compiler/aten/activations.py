"""Activations."""

from __future__ import annotations

from circ.compiler.aten.arithmetic import plainly
from circ.compiler.aten.use import Said, Use, said


def leaky(use: Use) -> None:
    """`leaky_relu`."""
    slope = use.rounded(use.number("negative_slope"))
    use.end("LeakyRelu", use.real("self"), alpha=slope)


def sloped(use: Use) -> None:
    """`prelu`: one slope for all, or one for each entry of the second axis."""
    shape, slopes = use.shape("self"), use.shape("weight")
    weight = use.real("weight")
    if slopes != (1,) and len(shape) > 2:
        sides = (slopes[0], *(1 for _ in shape[2:]))
        weight = use.put("Reshape", weight, use.counts(sides), shape=sides)
    use.end("PRelu", use.real("self"), weight)


def gelu(use: Use) -> None:
    """`gelu` in its tanh form."""
    if use.argument("approximate") != "tanh":
        use.refuse("it is read in its tanh form: `nn.GELU(approximate='tanh')`")
    use.end("Gelu", use.real("self"), approximate="tanh")


def silu(use: Use) -> None:
    """A number times its logistic."""
    x = use.real("self")
    use.end("Mul", x, use.put("Sigmoid", x))


def softmax(use: Use) -> None:
    """The softmax along one axis."""
    use.end("Softmax", use.real("self"), axis=use.whole("dim"))


ACTIVATIONS: dict[str, Said] = {
    "_softmax": said(softmax, "self", "dim", "half_to_float"),
    "gelu": said(gelu, "self", "approximate"),
    "leaky_relu": said(leaky, "self", "negative_slope"),
    "prelu": said(sloped, "self", "weight"),
    "relu": plainly("Relu", "self"),
    "sigmoid": plainly("Sigmoid", "self"),
    "silu": said(silu, "self"),
    "softmax.int": said(softmax, "self", "dim", "dtype"),
    "tanh": plainly("Tanh", "self"),
}
