"""A claim about words by classes: what is discrete goes into an automaton, the rest into formulas.

A class of words fixes every discrete value that the goal reads beside its network (the state of a
fold, the last letter), so that what is left of the goal is a formula about the network's outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from circ.compiler.builder import Builder
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Const,
    Index,
    Lookup,
    Real,
    Smooth,
    Softmax,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.passes.fold_constants import folded
from circ.compiler.positions import SEVERAL, Masks, places
from circ.compiler.rewrite import live, renamed
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import Automaton, automaton
from circ.compiler.words.formula import Formula, Reader, either
from circ.compiler.words.separated import attempts

MOST_CLASSES = 1 << 12
"""Of the words of one domain."""


class TooMany(Exception):
    """The words fall into too many classes; the message says how many."""


Options = tuple[tuple[Wire, bool], ...]
"""Scalar truths, each with the value that would do."""


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """The words of a domain by classes: in class k the claim holds where one of `options[k]` does.

    `circuit` has the wires that the options name; `word` is its input. `conditional`: a condition
    is about the network, so that it stands in the formulas and not in the language.
    """

    circuit: Circuit
    word: Wire
    language: Automaton
    options: tuple[Options, ...]
    conditional: bool


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """What of a claim is discrete, and what is about the network.

    `plain` are the conditions that are not; `weighed` those that are. `functions` are the discrete
    wires that a class of words fixes, of all that `weighed` and the goal read.
    """

    circuit: Circuit
    word: Wire
    plain: list[Wire]
    weighed: list[Wire]
    functions: list[Wire]

    def options(self, outputs: Sequence[tuple[int, ...]]) -> tuple[Circuit, list[Options]]:
        """The claim in classes of words in which the functions have these values."""
        roots = [*self.weighed, self.circuit.outputs["goal"]]
        b, found = specialised(self.circuit, outputs, self.functions, roots)
        options = [(*((x, False) for x in others), (last, True)) for *others, last in found]
        return b.circuit({}), options


def divided(circuit: Circuit, conditions: Sequence[str]) -> Division:
    """The claim that what meets the conditions meets `goal`; the circuit reads one word."""
    (word,) = circuit.inputs.values()
    goal = circuit.outputs["goal"]
    asked = [circuit.outputs[name] for name in conditions]
    reads = places(circuit, [*asked, goal], word)
    network = learned(circuit, reads)
    weighed = [wire for wire in asked if wire in network]
    functions = decisive(circuit, [*weighed, goal], reads, network)
    plain = [wire for wire in asked if wire not in network]
    return Division(circuit, word, plain, weighed, functions)


def cases(
    circuit: Circuit, weights: Weights, conditions: Sequence[str], until: float = inf
) -> Cases:
    """As `divided`, with the automaton of the words by classes; raises `Blown` and `TooMany`.

    `until` is in seconds of `time.monotonic`.
    """
    parts = divided(circuit, conditions)
    language = automaton(circuit, weights, parts.word, parts.plain, parts.functions, until)
    few_enough(language.outputs)
    inside, options = parts.options(language.outputs)
    (word,) = inside.inputs.values()
    return Cases(inside, word, language, tuple(options), bool(parts.weighed))


def few_enough(outputs: Sequence[tuple[int, ...]]) -> None:
    """Raise `TooMany` for more classes than can be gone through."""
    if len(outputs) > MOST_CLASSES:
        raise TooMany(f"the words fall into {len(outputs):,} classes")


def formula_of(circuit: Circuit, options: Options) -> Formula:
    """When one of the options holds; raises `NotClauses`."""
    reader = Reader(circuit)
    return either(reader.formula(wire, wanted=wanted) for wire, wanted in options)


def learned(circuit: Circuit, reads: Mapping[Wire, Masks]) -> set[Wire]:
    """The wires behind which several positions meet in weights or in a smooth function.

    So do they in an `argmax` over numbers that are made with these.
    """
    smooth: set[Wire] = set()
    found: set[Wire] = set()
    for wire in sorted(reads):
        op = circuit.ops[wire]
        if isinstance(op, Weight | Smooth | Softmax) or not smooth.isdisjoint(operands(op)):
            smooth.add(wire)
        meets = circuit.types[wire].sort == Real() or isinstance(op, Argmax)
        if (wire in smooth and meets and several(reads[wire])) or not found.isdisjoint(
            operands(op)
        ):
            found.add(wire)
    return found


def several(reads: Masks) -> bool:
    """Whether an entry reads several positions."""
    return bool((reads == SEVERAL).any())


def decisive(
    circuit: Circuit, roots: Sequence[Wire], reads: Mapping[Wire, Masks], network: set[Wire]
) -> list[Wire]:
    """The discrete wires that a class fixes: roots, and what truths and indices behind the network read.

    Of those that its numbers read, what one position says (the letter that is embedded) is left out,
    and so is what a hard choice among positions is among (the letter at the one chosen).
    """
    found = {wire for wire in roots if wire not in network}
    for wire in live(circuit, roots) & network:
        known = operands(circuit.ops[wire])
        table = circuit.types[wire].sort == Real() and network.isdisjoint(known)
        table = table or at_choice(circuit, wire, reads, network)
        for operand in known:
            discrete = operand not in network and circuit.types[operand].sort != Real()
            if discrete and not (table and not several(reads[operand])):
                found.add(operand)
    return sorted(wire for wire in found if not isinstance(circuit.ops[wire], Const))


def at_choice(
    circuit: Circuit, wire: Wire, reads: Mapping[Wire, Masks], network: set[Wire]
) -> bool:
    """Whether a wire looks up letters, or truths about one letter each, at a position chosen.

    It is chosen by scores that read one position each, where one at most is fixed.
    """
    op = circuit.ops[wire]
    if not isinstance(op, Lookup) or network.isdisjoint(op.indices):
        return False
    if circuit.types[op.table].sort == Real() or several(reads[op.table]):
        return False
    (word,) = circuit.inputs.values()
    length = circuit.types[word].entries
    behind = live(circuit, op.indices) & network
    choices = [known for x in behind if isinstance(known := circuit.ops[x], Argmax)]
    return all(
        any(
            not several(places(circuit, [choice.operand], word, fixed)[choice.operand])
            for fixed in attempts(length)
        )
        for choice in choices
    )


def specialised(
    circuit: Circuit,
    outputs: Sequence[tuple[int, ...]],
    functions: Sequence[Wire],
    roots: Sequence[Wire],
) -> tuple[Builder, list[list[Wire]]]:
    """The roots once for each class, the functions' values put in; what is alike is shared."""
    b = Builder()
    b.add(next(circuit.ops[wire] for wire in circuit.inputs.values()))
    needed = before(circuit, roots, functions)
    changing = set(functions)
    for wire in needed:
        if not changing.isdisjoint(operands(circuit.ops[wire])):
            changing.add(wire)
    base: dict[Wire, Wire] = {}
    fill(circuit, b, base, [wire for wire in needed if wire not in changing])
    found: list[list[Wire]] = []
    for entries in outputs:
        moved, rest = dict(base), list(entries)
        for wire in functions:
            known = circuit.types[wire]
            moved[wire] = b.add(Const(known, coded(known, rest[: known.entries])))
            rest = rest[known.entries :]
        fill(circuit, b, moved, [w for w in needed if w in changing and w not in moved])
        found.append([moved[wire] for wire in roots])
    return b, found


def before(circuit: Circuit, roots: Sequence[Wire], functions: Sequence[Wire]) -> list[Wire]:
    """The wires that the roots depend on, those behind the functions left out; in order."""
    seen: set[Wire] = set()
    waiting = list(roots)
    while waiting:
        wire = waiting.pop()
        if wire not in seen:
            seen.add(wire)
            waiting.extend(() if wire in set(functions) else operands(circuit.ops[wire]))
    return sorted(seen)


def fill(circuit: Circuit, b: Builder, moved: dict[Wire, Wire], wires: Sequence[Wire]) -> None:
    """Copy these wires, in order, into `b`: what is known by then is worked out."""
    for wire in wires:
        op = renamed(circuit.ops[wire], moved.__getitem__)
        known = folded(b, op)
        moved[wire] = b.add(op) if known is None else known


def coded(known: WireType, entries: Sequence[int]) -> tuple[int | bool, ...]:
    """Entries as a constant of this type has them."""
    return tuple(entries) if isinstance(known.sort, Index) else tuple(map(bool, entries))
