"""Attention, which is one operator in PyTorch and several in what is read."""

from __future__ import annotations

from math import isqrt

import numpy as np

from circ.compiler.aten.use import Said, Use, said


def attended(use: Use) -> None:
    """softmax(Q Kᵀ · scale + mask) V, over the last two axes; the pattern is a value of its own.

    The scale is 1/√d, exactly, unless one is given.
    """
    if use.number("dropout_p") != 0:
        use.refuse("it draws at random: the module is in training mode, call `module.eval()` first")
    query, key = use.shape("query"), use.shape("key")
    order = (*range(len(key) - 2), len(key) - 1, len(key) - 2)
    turned = (*key[:-2], key[-1], key[-2])
    keys = use.put("Transpose", use.real("key"), shape=turned, perm=order)
    pattern = (*np.broadcast_shapes(query[:-2], key[:-2]), query[-2], key[-2])
    found = use.put("MatMul", use.real("query"), keys, shape=pattern)
    found = masked(use, scaled(use, found, query[-1], pattern), pattern)
    weights = use.put("Softmax", found, shape=pattern, word="pattern", axis=-1)
    use.end("MatMul", weights, use.real("value"))


def scaled(use: Use, scores: str, width: int, shape: tuple[int, ...]) -> str:
    """The scores times the scale."""
    if use.has("scale"):
        by = use.constant(np.array(use.number("scale"), np.float64))
        return use.put("Mul", scores, by, shape=shape)
    root = isqrt(width)
    if root * root == width:
        by = use.constant(np.array(root, np.float64))
    else:
        by = use.put("Sqrt", use.constant(np.array(width, np.float64)), shape=())
    return use.put("Div", scores, by, shape=shape)


def masked(use: Use, scores: str, shape: tuple[int, ...]) -> str:
    """The scores with those left out at -∞, or with a mask of numbers added."""
    if use.argument("is_causal"):
        if use.has("attn_mask"):
            use.refuse("it has a mask, and is causal besides")
        kept = use.flags(np.tril(np.ones(shape[-2:], np.bool_)))
    elif not use.has("attn_mask"):
        return scores
    elif use.of(use.name("attn_mask")).dtype != "BOOL":
        return use.put("Add", scores, use.real("attn_mask"), shape=shape)
    else:
        kept = use.name("attn_mask")
    left = use.constant(np.array(-np.inf))
    return use.put("Where", kept, scores, left, shape=shape)


ATTENTION: dict[str, Said] = {
    "scaled_dot_product_attention": said(
        attended, "query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale"
    ),
}
