"""Potentials as data of a certificate."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.fast import Weighed, starts
from circ.compiler.audit.floats import Floats
from circ.runtime.certificates.work import Data


def positive(paths: Weighed, potentials: Floats, strict: Sequence[bool]) -> npt.NDArray[np.bool_]:
    """Whether potentials show each number to be positive, in each row."""
    least = starts(paths, potentials)
    return np.where(np.array(strict)[:, None], least > 0, least >= 0)


def path_proof(multipliers: Sequence[float], potentials: Floats, form: str) -> Data:
    """A proof by potentials [row, state]."""
    data = potentials.astype("<" + form).tobytes()
    return {"multipliers": list(multipliers), form: base64.b64encode(data).decode()}
