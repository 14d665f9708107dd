"""The change of a patch as factors of low rank, and what becomes of a checkpoint that they are merged into.

LoRA (Hu et al., 2021, https://arxiv.org/abs/2106.09685) adds B A to a weight W: A is [r, in] and B is [out, r]. A layer
that keeps its weight as [in, out], as those of GPT-2 do, has the transposed product added. The factors are stored in
float32. PEFT multiplies them in float32, beside a weight of float64 in float64, and merges the product in either of two ways:

- by default, `weight.data += B A`: the sum is computed in the wider of both dtypes, and rounded to that of the weight;
- with `safe_merge=True` the product is rounded to the dtype of the weight first, and then the sum is.

For a weight of float32 or float64 these are the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from circ.compiler.rounding import FORMATS, round_to_dtype
from circ.compiler.tensor import Tensor
from circ.runtime.convex import Floats
from circ.runtime.patches.edited import as_array

Singles = npt.NDArray[np.float32]

Way = Literal["default", "safe"]
"""How PEFT merges: without `safe_merge`, and with it."""

WAYS: tuple[Way, ...] = ("default", "safe")


@dataclass(frozen=True, slots=True)
class Moved:
    """A matrix before and after a patch, and whether its layer keeps it as [in, out]."""

    before: Tensor
    after: Tensor
    transposed: bool


@dataclass(frozen=True, slots=True)
class Factors:
    """float32[r, in] and float32[out, r]."""

    a: Singles
    b: Singles


def factored(moved: Sequence[Moved], rank: int | None) -> tuple[list[Factors], int]:
    """Factors of the same rank for all, the least that gives every change to its dtype's precision unless it is said.

    The best of that rank in the l2 norm (Eckart and Young, 1936), by singular values.
    """
    parts = [singular(each) for each in moved]
    if rank is None:
        rank = max(least_rank(each, part) for each, part in zip(moved, parts, strict=True))
    return [cut(part, rank) for part in parts], rank


Parts = tuple[Floats, Floats, Floats]


def singular(moved: Moved) -> Parts:
    """The singular vectors and values of a change, as [out, in]."""
    change = as_array(moved.after) - as_array(moved.before)
    u, s, v = np.linalg.svd(change.T if moved.transposed else change, full_matrices=False)
    return u, s, v


def cut(parts: Parts, rank: int) -> Factors:
    """The factors of a rank; beyond the rank of the change they are 0."""
    u, s, v = parts
    root = np.sqrt(s[:rank])
    a, b = np.zeros((rank, v.shape[1]), np.float32), np.zeros((u.shape[0], rank), np.float32)
    with np.errstate(over="ignore"):  # what is beyond float32 is refused once it is merged
        a[: root.size] = root[:, None] * v[:rank]
        b[:, : root.size] = u[:, :rank] * root
    return Factors(a, b)


def least_rank(moved: Moved, parts: Parts) -> int:
    """The least rank by which merging misses no entry by more than a unit of the largest one; that of the matrix if none does."""
    low, high = 1, len(parts[1])
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(moved, cut(parts, middle)) else (middle + 1, high)
    return high


def fits(moved: Moved, factors: Factors) -> bool:
    """Whether merging in either way gives the matrix that was proved, to the precision of its dtype."""
    try:
        largest = max(deviation(moved, merged(moved, factors, way)) for way in WAYS)
    except OverflowError:
        return False
    precision = FORMATS[moved.after.dtype].precision
    return largest <= 2.0 ** (1 - precision) * float(np.abs(as_array(moved.after)).max(initial=0))


def merged(moved: Moved, factors: Factors, way: Way) -> Tensor:
    """A matrix with its factors merged, rounded as PEFT does; raises `OverflowError` where its dtype does not hold it."""
    before = moved.before
    wide = np.float64 if before.dtype == "F64" else np.float32
    with np.errstate(over="ignore", invalid="ignore"):
        product = factors.b.astype(wide) @ factors.a.astype(wide)
    added = product.T if moved.transposed else product
    old = as_array(before).astype(wide)
    if way == "safe":
        added = as_array(rounded(added, before)).astype(wide)
    with np.errstate(over="ignore", invalid="ignore"):
        return rounded(old + added, before)


def rounded(values: Floats | Singles, like: Tensor) -> Tensor:
    """The nearest values of the dtype of a tensor, in its shape; raises `OverflowError`."""
    doubles = np.ascontiguousarray(values, np.float64)
    return Tensor(like.shape, like.dtype, round_to_dtype(array("d", doubles.tobytes()), like.dtype))


def deviation(moved: Moved, found: Tensor) -> float:
    """How far the entry that is furthest off lies from what was proved."""
    return float(np.abs(as_array(found) - as_array(moved.after)).max(initial=0.0))


def tensors_of(factors: Mapping[str, Factors]) -> dict[str, Singles]:
    """An adapter's tensors by the names that PEFT gives them, from the modules'."""
    found: dict[str, Singles] = {}
    for module, each in factors.items():
        found[f"base_model.model.{module}.lora_A.weight"] = each.a
        found[f"base_model.model.{module}.lora_B.weight"] = each.b
    return found
