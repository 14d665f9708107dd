"""A spec is read without Python's search for garbage in circles, and leaves none to be found."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from circ.compiler.driver import typed_program
from circ.compiler.stored import Files
from circ.lang.collector import uncollected
from circ.lang.span import Source
from tests.unit.whole_language import SPEC, write_weights

BROKEN = (
    "param x = (\n" * 200,
    "param x = 1\n" * 200,
    "\n".join(f"param a{i} = b{i} @ {'(' * i}1" for i in range(200)),
    SPEC.replace("real", "reel"),
    SPEC.replace("x", "y"),
)


@pytest.mark.parametrize("text", [SPEC, *BROKEN])
def test_reading_makes_no_circles(text: str, tmp_path: Path) -> None:
    """Whatever a text is, all that is dropped on the way is freed without a search for it."""
    write_weights(tmp_path)
    typed_program(Source("spec.circ", text), Files(tmp_path))
    gc.collect()
    with uncollected():
        program = typed_program(Source("spec.circ", text), Files(tmp_path))

        assert gc.collect() == 0
    assert program.failed == (text != SPEC)


def test_the_search_goes_on_afterwards() -> None:
    """As it was before: after work inside other such work, and after an error."""
    with pytest.raises(ZeroDivisionError), uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
        _ = 1 / 0
    assert gc.isenabled()
