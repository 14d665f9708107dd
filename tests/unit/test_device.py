"""`--device`: bounds that torch computes where the user says, in doubles or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.place import HOST, Host
from circ.runtime.device import computes_in_doubles, device
from tests.unit.specs import command

SPEC = """
circuit f(x: real[2]) -> real = relu(x[0] + 2 * x[1]) + relu(x[1] - 2 * x[0]) + relu(x[0] - x[1])

domain Box = { x: real[2] | -1 <= x <= 1 }

claim below: forall x in Box: f(x) <= BOUND
"""


@dataclass(frozen=True)
class Rough(Host):
    """A device whose arrays keep less than doubles do."""

    kept: Callable[[FloatArray], FloatArray] = np.asarray

    def there(self, x: FloatArray) -> FloatArray:
        """With what is lost on the way."""
        return self.kept(x)


def singles(x: FloatArray) -> FloatArray:
    """Rounded to 24 bits each."""
    parts, exponents = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(parts, 24)), exponents - 24))


def blocks(x: FloatArray) -> FloatArray:
    """All of a row in 52 bits after the largest: a double's, but for numbers that are small in their row."""
    unit = np.ldexp(1.0, np.frexp(np.abs(x).max(1, keepdims=True))[1] - 52)
    return np.asarray(np.rint(x / unit) * unit)


def test_a_device_that_computes_in_less_than_doubles_is_not_used() -> None:
    """Be it in single precision, or by whole numbers of a size for each row; torch's doubles are taken."""
    assert computes_in_doubles(HOST)
    assert computes_in_doubles(device("cpu:0"))
    assert not computes_in_doubles(Rough(kept=singles))
    assert not computes_in_doubles(Rough(kept=blocks))


@pytest.mark.parametrize(("bound", "code"), [("4.01", 0), ("3.99", 1)])
def test_a_claim_has_the_same_verdict_there(tmp_path: Path, bound: str, code: int) -> None:
    """The greatest value is 4, at x = (-1, 1): what is above it is proved, what is below it refuted."""
    spec = tmp_path / "spec.circ"
    spec.write_text(SPEC.replace("BOUND", bound))
    for name in ("cpu", "cpu:0"):
        assert command("prove", spec, "--no-cache", "--device", name) == code


def test_a_device_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What torch says of it is told."""
    spec = tmp_path / "spec.circ"
    spec.write_text(SPEC.replace("BOUND", "6"))
    assert command("prove", spec, "--device", "nowhere") == 4
    assert "`nowhere` cannot be used" in capsys.readouterr().err
