"""Numbers as a safetensors file holds them: never rounded on the way, since what was proved is written."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from circ.compiler.rounding import FORMATS, round_to_dtype
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing


def rounded(tensor: str, values: array[float], dtype: str) -> array[float]:
    """A tensor's new values as the file will hold them; raises `CircError` (E0654, E0655)."""
    if dtype not in FORMATS:
        raise CircError(writing.unwritable_dtype(tensor, dtype))
    try:
        return round_to_dtype(values, dtype)
    except OverflowError as error:
        value = max(values, key=abs)
        raise CircError(writing.does_not_fit(tensor, dtype, repr(value))) from error


def encoded(values: array[float], dtype: str) -> bytes:
    """Values of a dtype as a safetensors file holds them: little-endian, row-major.

    Raises `ValueError` for a value that the dtype does not hold, rather than round it: what was
    proved is what is written.
    """
    exact = np.array(values, dtype=np.float64)
    match dtype:
        case "F64":
            return exact.astype("<f8").tobytes()
        case "F32":
            return faithful(exact, exact.astype("<f4"))
        case "F16":
            return faithful(exact, exact.astype("<f2"))
        case "BF16":
            wide = np.frombuffer(faithful(exact, exact.astype("<f4")), dtype="<u4")
            if np.any(wide & 0xFFFF):
                raise ValueError("a value is no BF16 number")
            return (wide >> 16).astype("<u2").tobytes()
        case _:
            raise ValueError(f"numbers are not written as {dtype}")


def faithful(exact: NDArray[np.float64], stored: NDArray[np.floating]) -> bytes:
    """The stored numbers, if they are the exact ones."""
    if not np.array_equal(exact, stored.astype(np.float64)):
        raise ValueError(f"a value is no {stored.dtype} number")
    return stored.tobytes()
