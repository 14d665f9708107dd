"""The end of a file that replays a witness: the input, what is said of it, and whether it is so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from circ.compiler.ir import Real, Wire, WireType
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.pytorch.lines import broken
from circ.compiler.pytorch.literals import comment, number, quoted, spelled
from circ.compiler.pytorch.module import Asked, class_name
from circ.compiler.pytorch.of_spec import MARGIN
from circ.compiler.pytorch.page import filled
from circ.compiler.rounding import nearest
from circ.lang.products import joints
from circ.lang.syntax import ClaimDecl


@dataclass(frozen=True, slots=True)
class Script:
    """What the page has places for: lines and literals of Python."""

    name: str
    said: Sequence[str]
    exactly: Sequence[str]
    conditions: str
    goal: bool
    outcome: str
    rounded: str
    values: Sequence[str]
    reads: bool
    at: str


def witness_text(
    asked: Asked,
    decl: ClaimDecl,
    obligation: Obligation,
    witness: Witness,
    words: Mapping[str, str],
    exactly: Mapping[str, str],
    at: str = "",
) -> str:
    """The end of the module of a claim, which runs it on a witness.

    `words` has each binder's entries as the user reads them, `exactly` what exact arithmetic makes of
    outputs, `at` the value of a quantifier before the claim's own.
    """
    circuit = asked.circuit
    kinds = {name: circuit.types[wire] for name, wire in circuit.inputs.items()}
    values = {name: rounded(witness[name], kind, asked.dtype) for name, kind in kinds.items()}
    goal = obligation.quantifier == "exists"
    said = labels(decl, circuit.outputs)
    conditions = [name for name in circuit.outputs if name in obligation.conditions]
    return filled(
        "witness.py.jinja",
        Script(
            name=class_name(asked),
            said=entries((name, said[name]) for name in circuit.outputs),
            exactly=entries(exactly.items()),
            conditions=f"[{', '.join(map(quoted, conditions))}]",
            goal=goal,
            outcome="holds" if goal else "fails",
            rounded="" if is_exact(values, witness) else ", each number rounded to DTYPE",
            values=[
                line
                for name, kind in kinds.items()
                for line in [
                    comment(f"{name} = {words[name]}"),
                    *tensor(values[name], kind, asked.dtype),
                ]
            ],
            reads=bool(circuit.weights),
            at=quoted(f"at {at}") if at else "",
        ),
    )


def labels(decl: ClaimDecl, outputs: Mapping[str, Wire]) -> dict[str, str]:
    """What each output is called where it is printed."""
    formula = decl.formula
    found = {name: name.removeprefix("show ") for name in outputs}
    for binder in formula.binders:
        found[f"in {binder.name.text}"] = f"{binder.name.text} is in its domain"
    for joint in joints(formula.binders):
        found[f"in {joint.written}"] = f"{joint.written} is in its domain"
    if formula.where is not None:
        found["where"] = f"where {one_line(formula.where.span.text)}"
    found["goal"] = f"the goal, {one_line(formula.body.span.text)}"
    found[MARGIN] = "signed violation, negative where the goal fails"
    return found


def one_line(text: str) -> str:
    """The user's own words on one line."""
    return " ".join(text.split())


def entries(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The entries of a dictionary of texts."""
    return [f"    {quoted(key)}: {quoted(text)}," for key, text in pairs]


def rounded(
    values: Sequence[Fraction | int], kind: WireType, dtype: str
) -> list[float] | list[int]:
    """The entries of an input as PyTorch is given them."""
    if kind.sort == Real():
        return [nearest(Fraction(value), dtype) for value in values]
    return [int(value) for value in values]


def is_exact(values: Mapping[str, Sequence[float | int]], witness: Witness) -> bool:
    """Whether PyTorch is given the witness itself."""
    return all([*found] == [*witness[name]] for name, found in values.items())


def tensor(values: Sequence[float | int], kind: WireType, dtype: str) -> list[str]:
    """An input as a tensor, in lines."""
    of = "DTYPE" if kind.sort == Real() else "torch.int64"
    shape = ", ".join(map(str, (1, *kind.shape)))
    texts = [number(spelled(x, dtype) if isinstance(x, float) else x) for x in values]
    return broken(f"torch.tensor([{', '.join(texts)}], dtype={of}).reshape({shape}),")
