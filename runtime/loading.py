"""Specs opened from Python: `circ.load`, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.imported import Imported
from circ.compiler.query import expression
from circ.compiler.readings.torch import DTYPES
from circ.compiler.verdict import Proved, Refuted, Verdict
from circ.lang.render import explained
from circ.lang.span import Source
from circ.runtime.cache.recall import Answered
from circ.runtime.claim_lines import claim_lines
from circ.runtime.claims import Claims
from circ.runtime.evaluate import Evaluated, evaluate
from circ.runtime.networks import HandedOver
from circ.runtime.replay import batch_of
from circ.runtime.session import Request, checked, chosen, rational

Number = Fraction | int | float | str
"""What a param may be set to: a float is the decimal that Python writes of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim; `str` has it as `circ prove` prints it."""

    answered: Answered

    @property
    def verdict(self) -> Verdict:
        """The verdict, with its evidence."""
        return self.answered.verdict

    def __str__(self) -> str:
        """The verdict in lines."""
        return "\n".join(line.text for line in claim_lines(self.answered))

    @property
    def values(self) -> Mapping[str, Outcome]:
        """What came of each value of a quantifier before the claim's own, by its name, `c[0]`.

        Those at which the claim has an error are left out; there are none where it has no such quantifier.
        """
        found = [one.found for one in self.answered.values if isinstance(one.found, Answered)]
        return {answer.obligation.name: Outcome(answer) for answer in found}

    def inputs(self, dtype: str = "F32") -> dict[str, Tensor]:
        """The input that is shown, by binder: reals rounded to a dtype, members as codes; empty where there is none.

        Of a claim that has an input at each of several values none is shown: `values` has them.
        """
        example = self.verdict.example if isinstance(self.verdict, Refuted | Proved) else None
        if example is None:
            return {}
        found = batch_of(self.answered.obligation.binders, [example.witness], DTYPES[dtype])
        return {name: value[0] for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Spec:
    """A spec without errors."""

    program: Program = field(repr=False)
    name: str

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of its claims."""
        return tuple(self.program.typed.scope.claims)

    def prove(self, claim: str, timeout: float = 60.0) -> Outcome:
        """Decide a claim within so many seconds; raises `CircError` for one that is not there."""
        with explained():
            (name,) = chosen(self.program, [claim], "claim")
            return Outcome(Claims(self.program, Limits(timeout)).answer(name))

    def run(self, text: str) -> Evaluated:
        """An expression's value, exactly and as PyTorch computes it; raises `CircError`."""
        with explained():
            query = expression(self.program, Source("<expression>", text), {})
            return evaluate(query, self.program.weights)


def load(
    spec: str | Path,
    networks: Mapping[str, HandedOver] | None = None,
    params: Mapping[str, Number] | None = None,
    checkpoints: Mapping[str, str | Path] | None = None,
    outside: bool = False,
) -> Spec:
    """Open a spec; `networks` are those that it declares without a file, or that stand in for one.

    `params`, `checkpoints` and `outside` are as the command's `--param`, `--checkpoint` and
    `--allow-outside`. Raises `CircError` with all errors of the spec, also those that single claims and
    patches have, and `ValueError` for a param that is no number.
    """
    request = Request(
        {name: rational(str(value)) for name, value in (params or {}).items()},
        {name: Path(file) for name, file in (checkpoints or {}).items()},
        outside,
        {name: handed(name, found) for name, found in (networks or {}).items()},
    )
    with explained():
        return Spec(checked(Path(spec), request), Path(spec).name)


def handed(name: str, found: object) -> Imported:
    """What Circ read of a network; raises `TypeError` for a module that `circ.network` has not read."""
    if not isinstance(found, HandedOver):
        raise TypeError(f"`{name}` is no network: hand over `circ.network(module, example)`")
    return found.imported
