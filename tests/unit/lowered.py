"""A spec as its obligations, and what exact arithmetic makes of them at a point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from circ.compiler.driver import Program, check
from circ.compiler.obligation import Obligation, Reals
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.stored import Files
from circ.compiler.tensor import Weights
from circ.lang.render import render
from circ.lang.span import Source
from tests.mdtest import write_checkpoint

Entries = list[Fraction | int]
Point = Mapping[str, list[Fraction] | list[int]]


def lowered(
    text: str, folder: Path, weights: object = None, params: Mapping[str, Fraction] | None = None
) -> Program:
    """A spec without errors, beside `model.safetensors` with these tensors."""
    if weights is not None:
        write_checkpoint(folder / "model.safetensors", json.dumps(weights))
    program = check(Source("spec.circ", text), Files(folder), params or {})
    assert not program.diagnostics.failed, "\n".join(map(render, program.diagnostics))
    return program


def codes_of(text: str, folder: Path) -> list[str]:
    """The codes of what is wrong with a spec, in order."""
    return [d.code for d in check(Source("spec.circ", text), Files(folder), {}).diagnostics]


def value(obligation: Obligation, output: str, weights: Weights, point: Point) -> Entries:
    """The entries of an output at a point, which determines them."""
    inputs = at_point(obligation.circuit, point)
    found = enclose(obligation.circuit, inputs, weights, outputs=[output])[output]
    if isinstance(found, Choices):
        assert all(len(options) == 1 for options in found.sets)
        return [next(iter(options)) for options in found.sets]
    assert found.exact
    return [low for low, _ in found.box]


def boxes(obligation: Obligation) -> dict[str, list[tuple[Fraction, Fraction]]]:
    """The bounds of each real binder."""
    found = {binder.name: binder.values for binder in obligation.binders}
    return {name: list(x.box) for name, x in found.items() if isinstance(x, Reals)}
