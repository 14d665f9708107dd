"""The programs that a claim `over float32` is about: what they may round, and by how much.

A program does the operations of a circuit, each at most as far off as this says; it may be more exact.
Sums are added in any order, with or without fused multiply-add, and may be run together with the sums
that they are terms of (a bias within a matrix product). In formats narrower than float32 a matrix
product accumulates in float32, and each result is rounded to the format. Constants of a spec, and
tensors of another dtype, are rounded once. Roots and quotients are rounded correctly, `exp` is right
within `ULPS` units in the last place, softmax takes the largest score off first. Underflow is gradual
(nothing is flushed to zero), no format narrower than the one named is used on the way (no TF32).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.roundoff import FAINT, WIDER
from circ.compiler.rounding import FORMATS, SPELLED

ULPS = 2
"""What `exp` is charged for, in units in the last place."""


@dataclass(frozen=True, slots=True)
class Execution:
    """Programs in one format, by safetensors' name.

    `unit`: relative error of one rounding to the format, `inner` of one while a sum is accumulated;
    `narrow`: these differ. `bits`: whole numbers up to 2^bits are held. `tiny`: the most that one
    rounding loses by underflow. `largest`: of the format. `exp`: relative error of an exponential.
    """

    dtype: str
    unit: float
    inner: float
    bits: int
    tiny: float
    largest: float
    exp: float

    @property
    def narrow(self) -> bool:
        """Whether results are rounded once more than sums are accumulated."""
        return self.inner != self.unit

    def gamma(self, roundings: FloatArray) -> FloatArray:
        """γ_n = n·u / (1 - n·u) of an accumulation, rounded up; infinite from 1/2 on."""
        charged = roundings * self.inner * WIDER
        small = np.minimum(charged, 0.5)
        return np.where(charged < 0.5, small / (1 - small) * WIDER, inf)


def programs(name: str) -> Execution:
    """The programs in a format, by the language's name of it (`float32`)."""
    dtype = SPELLED[name]
    form = FORMATS[dtype]
    unit = 2.0**-form.precision
    return Execution(
        dtype=dtype,
        unit=unit,
        inner=min(unit, 2.0 ** -FORMATS["F32"].precision),
        bits=form.precision,
        tiny=max(2.0 ** (form.lowest - form.precision + 1), FAINT),
        largest=form.largest,
        exp=2 * ULPS * unit,
    )


def model_text(name: str, *, exp: bool) -> str:
    """The programs of a format in a few words, for a circuit with `exp` or without."""
    dtype = SPELLED[name]
    narrow = FORMATS[dtype].precision < FORMATS["F32"].precision
    sums = "sums in float32, in any order" if narrow else "any order of summation"
    near = f", exp within {ULPS} ulp" if exp else ""
    return f"{sums}{near}, no TF32, no flush to zero"


def contains(dtype: str, other: str) -> bool:
    """Whether a format has every number of another."""
    wide, narrow = FORMATS[dtype], FORMATS[other]
    range_held = wide.lowest <= narrow.lowest and wide.largest >= narrow.largest
    finest = wide.lowest - wide.precision <= narrow.lowest - narrow.precision
    return wide.precision >= narrow.precision and range_held and finest


def held(values: FloatArray, dtype: str) -> FloatArray:
    """Each double rounded to the nearest number of a format; infinite beyond its largest."""
    form = FORMATS[dtype]
    exponents = np.maximum(np.frexp(values)[1] - 1, form.lowest) - form.precision + 1
    with np.errstate(over="ignore"):
        rounded = np.ldexp(np.rint(np.ldexp(values, -exponents)), exponents)
    return np.where(np.abs(rounded) > form.largest, np.copysign(inf, values), rounded)
