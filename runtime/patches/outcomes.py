"""What comes of a patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from circ.compiler.obligation import Obligation, Witness
from circ.compiler.patching import Norm, PatchPlan
from circ.compiler.tensor import Tensor
from circ.compiler.verdict import Verdict
from circ.runtime.patches.bound import Bound
from circ.runtime.patches.excluded import Excluded
from circ.runtime.patches.ranks import RankOf
from circ.runtime.patches.receipt import Computed


@dataclass(frozen=True, slots=True)
class Executed:
    """Of so many inputs of a requirement that PyTorch was run at in a dtype, at how many it does otherwise, one of them the first."""

    obligation: Obligation
    dtype: str
    tried: int
    otherwise: int
    first: Witness | None


@dataclass(frozen=True, slots=True)
class Patched:
    """A proved patch: the tensors as they are to be stored, and every requirement's verdict."""

    plan: PatchPlan
    tensors: Mapping[str, Tensor]
    """By key, `m/blocks.0.mlp.W_out`."""
    computed: tuple[Computed, ...]
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    rounds: int
    instances: int
    norms: Mapping[Norm, float]
    """Of the change of all edited tensors together; where none is edited, of all that are computed."""
    entries: int
    """How many of these changed."""
    bound: Bound | None
    """Below which size no edit does it, in the norm of the plan; None where nothing is edited."""
    ranks: tuple[RankOf, ...]
    """Of the changes of those matrices that may have a rank only."""
    executed: tuple[Executed, ...]
    """What PyTorch was seen to do at inputs of the requirements, in the dtype of the checkpoint."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Requirements that no edit of these tensors meets together, as far as `excluded` says, with the inputs."""

    plan: PatchPlan
    instances: tuple[tuple[str, Witness], ...]
    excluded: Excluded
    rounds: int


@dataclass(frozen=True, slots=True)
class NotMade:
    """No patch, and why; nothing is known about whether one exists.

    `instances` are requirements with the inputs at which the search found no edit with room to spare, and `help` is what to try.
    `vacuous`: what is asked is asked of no input.
    """

    plan: PatchPlan
    reason: str
    rounds: int
    instances: tuple[tuple[str, Witness], ...] = ()
    help: str = ""
    vacuous: bool = False


@dataclass(frozen=True, slots=True)
class Failing:
    """Requirements some of which do not hold of what is computed, where nothing else may be changed."""

    plan: PatchPlan
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    computed: tuple[Computed, ...]
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Requirements that do not hold and that the edited tensors do not reach: no edit of these meets them."""

    plan: PatchPlan
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    rounds: int = 0


PatchResult = Patched | Conflict | Failing | OutOfReach | NotMade
