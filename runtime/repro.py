"""Files that replay a witness with PyTorch alone: one a claim, or a value of one, in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from circ.compiler.driver import Program, claim_of
from circ.compiler.obligation import AtValue, Bound, Obligation, Witness, Words
from circ.compiler.verdict import Example, Proved, Refuted
from circ.runtime.cache.recall import Answered
from circ.runtime.outputs import Output
from circ.runtime.show import code_text, decimal_text, tensor_text


@dataclass(frozen=True, slots=True)
class Repro:
    """A file that was written, and whether PyTorch finds at the input what Circ found."""

    path: Path
    agrees: bool


@dataclass(frozen=True, slots=True)
class Repros:
    """The folder in which such files are left, and whether those that are there may be replaced."""

    folder: Path
    force: bool = False

    def of(self, claim: str) -> Output:
        """The file of a claim, or of one at a value: `c[3].py`, which is no claim's name."""
        return Output(self.folder / f"{claim}.py", self.force)

    def require_free(self, claims: Iterable[str], program: Program) -> None:
        """Raise `CircError` (E0650, E0651, E0653) where a file is not to be written."""
        from circ.compiler.pytorch.of_spec import files_beside

        for stem in (stem for claim in claims for stem in stems(program, claim)):
            names = [f"{stem}.py", *files_beside(program, stem).values()]
            for name in names:
                Output(self.folder / name, self.force).require_free(program.files_read)


def stems(program: Program, claim: str) -> list[str]:
    """What the files of a claim may be called, of one with a quantifier before its own those at its values."""
    each = program.each(claim)
    return [claim] if each is None else [at.question.name for at in each.values]


def reproduced_each(
    program: Program, claim: str, reply: Answered, repros: Repros
) -> list[Repro | None]:
    """Write the files of a claim that was decided: one, or of several values one for each that has an input to show."""
    each = program.each(claim)
    if each is None:
        return [reproduced(program, claim, reply, repros)]
    pairs = zip(each.values, reply.values, strict=True)
    return [
        reproduced(program, claim, one.found, repros, at)
        if isinstance(one.found, Answered)
        else None
        for at, one in pairs
    ]


def reproduced(
    program: Program, claim: str, reply: Answered, repros: Repros, at: AtValue | None = None
) -> Repro | None:
    """Write the file of a claim, at a value if there are several; None where its verdict has no input to show."""
    from circ.compiler.pytorch.module import written
    from circ.compiler.pytorch.of_spec import asked_claim
    from circ.compiler.pytorch.witness import witness_text
    from circ.runtime.beside import with_tensors

    obligation, verdict = reply.obligation, reply.verdict
    example = verdict.example if isinstance(verdict, Refuted | Proved) else None
    if example is None:
        return None
    witness = example.witness
    words = {b.name: words_of(b, witness) for b in obligation.binders}
    output = repros.of(claim if at is None else at.question.name)
    asked = asked_claim(program, claim, obligation.length, repros.folder, at)
    asked = with_tensors(program, asked, output)
    decl = program.typed.scope.claims[claim_of(claim)]
    where = "" if at is None else at.text
    end = witness_text(asked, decl, obligation, witness, words, exact_words(example), where)
    output.write_text(written(replace(asked, witness=end)), program.files_read)
    assert output.path is not None
    return Repro(output.path, agrees(program, asked.dtype, obligation, witness))


def agrees(program: Program, dtype: str, obligation: Obligation, witness: Witness) -> bool:
    """Whether PyTorch comes to the same outcome: conditions that hold, and a goal that does or not."""
    import torch

    from circ.compiler.readings.torch import DTYPES, module
    from circ.runtime.replay import batch_of, only

    names = [*obligation.conditions, "goal"]
    runs = module(only(obligation.circuit, names), program.weights, DTYPES[dtype])
    with torch.no_grad():
        found = runs(batch_of(obligation.binders, [witness], runs.dtype))
    met = all(bool(found[name]) for name in obligation.conditions)
    return met and bool(found["goal"]) == (obligation.quantifier == "exists")


def words_of(bound: Bound, witness: Witness) -> str:
    """The entries of a binder as a spec would write them."""
    entries = witness[bound.name]
    if isinstance(bound.values, Words):
        members = bound.values.members
        texts = [code_text(int(code), bound.type, members) for code in entries]
    else:
        texts = [decimal_text(Fraction(entry)) for entry in entries]
    return tensor_text(texts, bound.type.shape)


def exact_words(example: Example) -> dict[str, str]:
    """What exact arithmetic makes of the outputs at an input."""
    from circ.compiler.pytorch.of_spec import MARGIN

    found = {f"show {shown.name}": shown.exact for shown in example.replay.shown}
    if example.replay.violation is not None:
        found[MARGIN] = decimal_text(example.replay.violation)
    return found
