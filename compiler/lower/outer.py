"""A quantifier before that of a claim: its values, and what its variables are at one of them.

The claim is lowered at each value by itself, with constants in place of the variables: where these say the place of an
edit, it is known there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import product

from circ.compiler.builder import Builder, both, take, truth
from circ.compiler.ir import Const, Index, Wire
from circ.compiler.lower.claims import Params, about, lower_where, opened
from circ.compiler.lower.data import data_set, rows
from circ.compiler.lower.domains import binder_type
from circ.compiler.lower.environment import Environment
from circ.compiler.obligation import Bound, Obligation, Witness, Words
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError
from circ.lang.errors.outer import at_value, value_is_open
from circ.lang.syntax import Binder, ClaimDecl, Formula, Head


def lower_head(
    typed: TypedModule, claim: ClaimDecl, head: Head, params: Params, weights: Weights
) -> Obligation:
    """What a quantifier goes through: its variables, with the conditions that values are to meet; its goal is false."""
    span = head.span
    formula = Formula(span, head.quantifier, head.binders, head.where, claim.formula.body)
    env, outputs = opened(typed, formula, params, weights, None)
    outputs["where"] = lower_where(formula, env)
    outputs["goal"] = truth(env.b, False)
    return about(env.low, claim.name.text, formula, outputs)


def enter_head(head: Head, value: Witness, env: Environment) -> Environment:
    """The variables of a quantifier for what follows it: at a value, these are constants."""
    inner = env
    for binder in head.binders:
        name = binder.name.text
        inner = inner.bind(name, lower_value(binder, value[name], env))
    return inner


def lower_value(binder: Binder, entries: Sequence[Fraction | int], env: Environment) -> Wire:
    """A variable at a value: what its codes stand for, of a data set the row of that number."""
    codes = tuple(map(int, entries))
    data = data_set(binder.domain, env.scope, env.typed)
    if data is not None:
        return take(env.b, rows(data, env), codes)
    return env.b.add(Const(binder_type(env.low, binder.domain), codes))


@contextmanager
def told_at_value(head: Obligation, value: Witness) -> Generator[None]:
    """Have what is wrong inside told as wrong at this value."""
    try:
        yield
    except CircError as error:
        text = written(head, value)
        found = (at_value(each, head.span, text) for each in error.diagnostics)
        raise CircError(*found) from error


def values(head: Obligation, weights: Weights) -> Iterator[tuple[int, Witness]]:
    """The values that a quantifier goes through, each with its number among all that there are without conditions.

    Raises `CircError` where it cannot be said of one whether it meets these.
    """
    ranges: list[Iterator[tuple[int, ...]]] = []
    for bound in head.binders:
        assert isinstance(bound.type.sort, Index)
        ranges.append(product(range(bound.type.sort.size), repeat=bound.type.entries))
    names = [bound.name for bound in head.binders]
    for number, codes in enumerate(product(*ranges)):
        value = Witness(tuple(zip(names, codes, strict=True)))
        if meets(head, weights, value):
            yield number, value


def meets(head: Obligation, weights: Weights, value: Witness) -> bool:
    """Whether a value meets all conditions, however ties are broken."""
    conditions = [head.circuit.ops[head.circuit.outputs[name]] for name in head.conditions]
    if all(isinstance(op, Const) and op.values == (True,) for op in conditions):
        return True
    inside, outside = (trial(asked, weights, value) for asked in (head, unmet(head)))
    if inside.refutes and not inside.tie:
        return True
    if outside.refutes and not outside.tie:
        return False
    raise CircError(value_is_open(head.span, written(head, value)))


def written(head: Obligation, value: Witness) -> str:
    """`i = 3`, `s = [single, letter], d = row 2 of Data`."""
    return ", ".join(f"{bound.name} = {value_text(bound, value)}" for bound in head.binders)


def value_text(bound: Bound, value: Witness) -> str:
    """A variable's value, as a spec would write it."""
    assert isinstance(bound.values, Words)
    members = [bound.values.members[int(code)] for code in value[bound.name]]
    if bound.values.rows:
        return f"row {members[0]} of {bound.values.rows}"
    return f"[{', '.join(members)}]" if bound.type.shape else members[0]


def unmet(head: Obligation) -> Obligation:
    """The claim that values meet all conditions, which those deny that do not."""
    circuit = head.circuit
    b = Builder(list(circuit.ops), list(circuit.types))
    met = both(b, *(circuit.outputs[name] for name in head.conditions))
    return replace(head, circuit=b.circuit({"goal": met}))
