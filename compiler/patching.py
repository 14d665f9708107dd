"""What a patch asks: tensors to choose or to compute, and what must hold of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from circ.compiler.inverse import Matrix
from circ.compiler.ir import Shape
from circ.compiler.obligation import Box, Obligation
from circ.compiler.units.hidden import HiddenUnits

Norm = Literal["l1", "l2", "linf"]

Part = tuple[int | range, ...]
"""An entry, or a range of them, for each of the first axes of a tensor; without any it is all of it."""


@dataclass(frozen=True, slots=True)
class EditedTensor:
    """A tensor of the checkpoint `checkpoint`, by its key, and the parts that may change: at least one.

    `rank` is that which the change of a whole matrix may have, where it may not have any.
    """

    checkpoint: str
    name: str
    parts: tuple[Part, ...]
    rank: int | None = None

    @property
    def key(self) -> str:
        """`m/blocks.0.mlp.W_out`."""
        return f"{self.checkpoint}/{self.name}"


@dataclass(frozen=True, slots=True)
class VectorsAlong:
    """The vectors of a tensor along `axis`, all of which `part` takes: those that stand in it."""

    checkpoint: str
    name: str
    axis: int
    part: Part

    @property
    def key(self) -> str:
        """`m/blocks.0.mlp.W_out`."""
        return f"{self.checkpoint}/{self.name}"


@dataclass(frozen=True, slots=True)
class Projecting:
    """Vectors without their part in the span of the rows of `basis`, [k, n]; `inverse` is that of these rows' inner
    products."""

    text: str
    targets: tuple[VectorsAlong, ...]
    basis: Matrix = field(repr=False)
    inverse: Matrix = field(repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """The tensors that it changes."""
        return tuple(dict.fromkeys(target.key for target in self.targets))


@dataclass(frozen=True, slots=True)
class Clamping:
    """Vectors with a coefficient of `direction`, v·w / v·v, that is moved to the nearest from `low` to `high`."""

    text: str
    targets: tuple[VectorsAlong, ...]
    direction: tuple[Fraction, ...] = field(repr=False)
    low: Fraction
    high: Fraction

    @property
    def keys(self) -> tuple[str, ...]:
        """The tensors that it changes."""
        return tuple(dict.fromkeys(target.key for target in self.targets))


@dataclass(frozen=True, slots=True)
class LayerTensor:
    """A tensor of a layer, what of the units it holds, and the axis along which they stand, if there is one."""

    checkpoint: str
    name: str
    role: Literal["rows", "biases", "columns", "constant"]
    axis: int | None

    @property
    def key(self) -> str:
        """`m/blocks.0.mlp.W_out`."""
        return f"{self.checkpoint}/{self.name}"


@dataclass(frozen=True, slots=True)
class LayerUnits:
    """Units behind those that a layer has, which `grows` by them, or in place of all of them, the rest being 0.

    `box` is what the layer reads where they are exact, but for rounding. `inputs_first` is as in `HiddenLayer`.
    """

    text: str
    targets: tuple[LayerTensor, ...]
    inputs_first: bool
    units: HiddenUnits = field(repr=False)
    box: Box = field(repr=False)
    grows: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The tensors that it changes."""
        return tuple(target.key for target in self.targets)

    def shape_of(self, target: LayerTensor, shape: Shape) -> Shape:
        """The shape of a tensor that had another one before."""
        if not self.grows or target.axis is None:
            return shape
        wide = range(len(shape))
        return tuple(shape[k] + (self.units.width if k == target.axis else 0) for k in wide)


PatchForm = Projecting | Clamping | LayerUnits
"""What is computed of the checkpoint alone; `text` is how the patch has it."""


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """A patch, lowered: tensors to compute, tensors to change, and what must hold afterwards."""

    name: str
    circuit: str
    forms: tuple[PatchForm, ...]
    edits: tuple[EditedTensor, ...]
    minimize: Norm
    require: tuple[Obligation, ...]
    preserve: tuple[Obligation, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The tensors that it changes, each once, those that are computed first."""
        formed = (key for form in self.forms for key in form.keys)
        return tuple(dict.fromkeys((*formed, *(edit.key for edit in self.edits))))

    @property
    def checkpoint(self) -> str:
        """The key of the checkpoint in which all of these are."""
        return self.keys[0].partition("/")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The same as their file calls them."""
        return tuple(key.partition("/")[2] for key in self.keys)
