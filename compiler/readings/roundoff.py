"""What rounding may do to a result: the model that the float reading charges for each operation.

The reading computes in float64. `DOUBLE` charges for that alone, so its radii hold the exact value.
`execution(…)` charges as well for a program that does the same operations in another format, in any
order of summation and with or without fused multiply-add, so its radii hold that program's value too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from circ.compiler.rounding import FORMATS

FAINT = 2.0**-1000
"""Above all that float64 underflow can lose in a few thousand operations, flush to zero included."""

WIDER = 1 + 2.0**-50
NARROWER = 1 - 2.0**-50
"""Factors that outweigh a few roundings of a radius, in the safe direction."""


@dataclass(frozen=True, slots=True)
class Roundoff:
    """The most that one operation does.

    `unit`: relative error of a sum, product, quotient or root. `bits`: whole numbers up to 2^bits
    are exact. `faint`: absolute error of underflow. `huge`: results below it do not overflow.
    `exp`: relative error of an exponential. `coarse`: one radius serves an entry's whole batch.
    """

    unit: float
    bits: int
    faint: float
    huge: float
    exp: float
    coarse: bool = False

    def gamma(self, roundings: int) -> float:
        """γ_n = n·u / (1 − n·u), rounded up: the relative error of n roundings in a row.

        Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
        """
        charged = roundings * self.unit * WIDER
        return charged / (1 - charged) * WIDER if charged < 0.5 else inf


DOUBLE = Roundoff(2.0**-53, 53, FAINT, 2.0**1000, 2.0**-50)
COARSE = Roundoff(2.0**-53, 53, FAINT, 2.0**1000, 2.0**-50, coarse=True)


def execution(dtype: str, ulps: int = 2) -> Roundoff:
    """A program in a checkpoint's format, by safetensors' name.

    It adds in any order and without flush to zero, and its `exp` is right within `ulps` units in the
    last place. Its constants may be rounded once.
    """
    form = FORMATS[dtype]
    unit = 2.0**-form.precision
    return Roundoff(
        unit=unit + DOUBLE.unit,
        bits=form.precision,
        faint=max(2.0 ** (form.lowest + 1), FAINT),
        huge=min(form.largest / 2, DOUBLE.huge),
        exp=2 * ulps * unit + DOUBLE.exp,
    )
