"""What the separable reading knows of a circuit: what reads one position, and what is enclosed so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import NOWHERE
from circ.compiler.readings import quotients
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import Ball
from circ.compiler.readings.forms import Form, Sets, constant, planted
from circ.compiler.readings.quotients import Sums
from circ.compiler.readings.relaxed import Losses


class NotEnclosed(Exception):
    """A wire has no separable form; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """A wire whose entries read one position each: values by letter, and which position."""

    ball: Ball
    places: IntArray

    @property
    def known(self) -> bool:
        """Whether it is the same on all words."""
        return bool((self.places == NOWHERE).all()) and self.ball.mid.shape[-1] == 1


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """A circuit made ready: the wires that read one position, and those to be enclosed, in order."""

    circuit: Circuit
    singles: Mapping[Wire, Single]
    order: tuple[Wire, ...]
    wanted: tuple[Wire, ...]


@dataclass(slots=True)
class Enclosed:
    """The wires of some regions, as far as they are enclosed."""

    recipe: Recipe
    losses: Losses
    sums: dict[Wire, Sums] = field(default_factory=dict[Wire, Sums])
    below: dict[Wire, Form] = field(default_factory=dict[Wire, Form])

    @property
    def sets(self) -> Sets:
        """The regions."""
        return self.losses.sets

    def known(self, wire: Wire) -> Ball | None:
        """The value of a wire that is the same on all words."""
        single = self.recipe.singles.get(wire)
        return single.ball if single is not None and single.known else None

    def of(self, wire: Wire) -> Sums:
        """A wire enclosed."""
        if wire not in self.sums:
            single = self.recipe.singles[wire]
            if single.known:
                self.sums[wire] = Sums(constant(single.ball, self.sets))
            else:
                at = np.maximum(single.places, 0)
                self.sums[wire] = Sums(planted(single.ball, at, self.sets))
        return self.sums[wire]

    def form(self, wire: Wire) -> Form:
        """A wire as one form, every quotient divided out."""
        return self.divided(self.of(wire))

    def divided(self, x: Sums) -> Form:
        """The same of any sums."""
        return quotients.divided(x, self.below, self.losses)
