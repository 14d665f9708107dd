"""Random claims over domains of several variables, held to going through all inputs by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from circ.compiler.finding import Limits
from circ.compiler.verdict import Outcome, Proved, outcome
from circ.lang.syntax import Formula
from circ.runtime.claims import Claims
from tests.inputs import met
from tests.interpreter import Scope
from tests.unit.lowered import lowered

Kinds = Mapping[str, str]
"""The variables in reach, each with its type."""

SPECS = 40
BESIDE = 8

DECLARED = """\
enum Ab = { a, b }
domain Low = { k: fin[3] | k <= 1 }
domain Same = { w: Ab[2] | w[0] == w[1] }
domain Half = { r: real | -1 <= r <= 0.5 }
"""

COMPONENTS = (
    *((": fin[3]", "fin[3]"), (": fin[3]", "fin[3]"), (" in Low", "fin[3]")),
    *(
        (": Ab[2]", "Ab[2]"),
        (": Ab[2]", "Ab[2]"),
        (" in Same", "Ab[2]"),
        (": Ab", "Ab"),
        (" in Ab", "Ab"),
    ),
)
"""How a variable is written, and its type."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A domain by its name, with the types of its variables in their order."""

    name: str
    text: str
    kinds: Sequence[str]


def atom(random: Random, kinds: Kinds) -> str:
    """A comparison of variables, of one or of two of a kind."""
    name = random.choice([*kinds])
    kind = kinds[name]
    others = [other for other, its in kinds.items() if its == kind and other != name]
    if others and random.random() < 0.6 and kind != "real":
        return f"{name} {random.choice(['==', '!='])} {random.choice(others)}"
    match kind:
        case "fin[3]":
            return f"{name} {random.choice(['<', '==', '>='])} {random.randrange(3)}"
        case "Ab[2]":
            return f"{name}[{random.randrange(2)}] == {random.choice('ab')}"
        case "Ab":
            return f"{name} == {random.choice('ab')}"
        case _:
            end = random.choice(["-0.5", "0", "0.5"])
            return f"{name} {random.choice(['<', '<=', '>', '>='])} {end}"


def condition(random: Random, kinds: Kinds, depth: int = 2) -> str:
    """A condition on variables; `and` stands at its top as often as not."""
    if depth == 0 or random.random() < 0.2:
        return atom(random, kinds)
    op = random.choice(["and", "and", "or", "implies"])
    left, right = (condition(random, kinds, depth - 1) for _ in range(2))
    return f"({left}) {op} ({right})" if op != "and" else f"{grouped(left)} and {grouped(right)}"


def grouped(part: str) -> str:
    """A part of an `and`, in parentheses where it is no comparison and no `and` itself."""
    return f"({part})" if " or " in part or " implies " in part else part


def product(random: Random, name: str, real: bool) -> Drawn:
    """A domain of two or three variables; with `real`, one of them is a number."""
    chosen = random.choices(COMPONENTS, k=random.choice([2, 2, 3]))
    bounded = ""
    if real:
        place = random.randrange(len(chosen))
        chosen[place] = random.choice([(": real", "real"), (" in Half", "real")])
        bounded = f"-1 <= {'uvw'[place]} <= 1 and " if chosen[place][0] == ": real" else ""
    names = "uvw"[: len(chosen)]
    kinds = {each: kind for each, (_, kind) in zip(names, chosen, strict=True)}
    listed = ", ".join(each + how for each, (how, _) in zip(names, chosen, strict=True))
    said = condition(random, kinds)
    said = f"{bounded}{grouped(said) if bounded else said}"
    return Drawn(name, f"domain {name} = {{ {listed} | {said} }}", [*kinds.values()])


def narrowed(random: Random, base: Drawn, name: str) -> Drawn:
    """Those inputs of a domain that meet a condition; its variables have other names there, or each other's."""
    names = random.sample("uvwxyz", len(base.kinds))
    said = condition(random, dict(zip(names, base.kinds, strict=True)), 1)
    text = f"domain {name} = {{ ({', '.join(names)}) in {base.name} | {said} }}"
    return Drawn(name, text, base.kinds)


def spec(random: Random, *, real: bool) -> str:
    """A claim over inputs of random domains."""
    first = product(random, "P", real)
    second = narrowed(random, first, "Q")
    domain = random.choice([first, second])
    count = 1 if real or len(first.kinds) == 3 else random.choice([1, 2])
    names = random.sample("uvwxyz", count * len(domain.kinds))
    kinds = dict(zip(names, [*domain.kinds] * count, strict=True))
    size = len(domain.kinds)
    tuples = (", ".join(names[k * size : (k + 1) * size]) for k in range(count))
    head = f"{', '.join(f'({each})' for each in tuples)} in {domain.name}"
    if random.random() < 0.4:
        head, kinds["n"] = f"{head}, n in fin[3]", "fin[3]"
    quantifier = random.choice(["forall", "exists"])
    where = f" where {condition(random, kinds, 1)}" if random.random() < 0.4 else ""
    claim = f"claim c: {quantifier} {head}{where}: {condition(random, kinds)}"
    return f"{DECLARED}{first.text}\n{second.text}\n{claim}\n"


def by_hand(formula: Formula, found: Sequence[bool]) -> Outcome:
    """The verdict, from what holds at each input."""
    if not found:
        return "vacuous"
    return "proved" if (all if formula.quantifier == "forall" else any)(found) else "refuted"


def check(random: Random, folder: Path, *, real: bool) -> Outcome:
    """Decide one claim both ways; where all inputs were gone through, their number is right too."""
    text = spec(random, real=real)
    program = lowered(text, folder)
    formula = program.typed.scope.claims["c"].formula
    found = met(formula, Scope.of(program.typed.module, {}))
    verdict = Claims(program, Limits()).answer("c").verdict
    assert outcome(verdict) == by_hand(formula, found), text
    if isinstance(verdict, Proved) and formula.quantifier == "forall" and not real:
        assert verdict.size.exact == len(found), text
    return outcome(verdict)


@pytest.mark.parametrize("seed", range(2))
def test_claims_about_words_are_decided_as_by_hand(seed: int, tmp_path: Path) -> None:
    """Whatever a condition says of one variable or of several, and by whatever names."""
    random = Random(seed)
    seen = [check(random, tmp_path, real=False) for _ in range(SPECS)]
    assert {*seen} == {"proved", "refuted", "vacuous"}


@pytest.mark.parametrize("seed", range(2))
def test_so_are_those_with_a_number_among_the_variables(seed: int, tmp_path: Path) -> None:
    """No condition compares the number with any but the halves, so that quarters tell all there is."""
    random = Random(seed)
    seen = [check(random, tmp_path, real=True) for _ in range(BESIDE)]
    assert {"proved", "refuted"} <= {*seen}
