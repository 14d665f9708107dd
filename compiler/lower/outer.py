"""A claim for each value of a quantifier before its own: the values, and the claim at one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from circ.compiler.builder import Builder, both, truth
from circ.compiler.ir import Circuit, Const, Index, Input, Op, Wire
from circ.compiler.lower.claims import Params, about, lower_where, opened
from circ.compiler.lower.domains import lower_binder
from circ.compiler.lower.environment import Environment
from circ.compiler.obligation import Obligation, Witness, Words
from circ.compiler.passes import run_passes
from circ.compiler.passes.drop_dead import copied
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError
from circ.lang.errors.outer import value_is_open
from circ.lang.syntax import ClaimDecl, Formula, Head


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


def enter_head(head: Head, env: Environment) -> Environment:
    """The variables of a quantifier, for what follows it."""
    inner = env
    for binder in head.binders:
        variable, _ = lower_binder(binder, env)
        inner = inner.bind(binder.name.text, variable)
    return inner


def values(head: Obligation, weights: Weights) -> Iterator[Witness]:
    """The values that a quantifier goes through; raises `CircError` where that cannot be said of one."""
    ranges: list[Iterator[tuple[int, ...]]] = []
    for bound in head.binders:
        assert isinstance(bound.type.sort, Index)
        ranges.append(product(range(bound.type.sort.size), repeat=bound.type.entries))
    names = [bound.name for bound in head.binders]
    for codes in product(*ranges):
        value = Witness(tuple(zip(names, codes, strict=True)))
        if meets(head, weights, value):
            yield value


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
    raise CircError(value_is_open(head.span, ", ".join(written(head, value))))


def written(head: Obligation, value: Witness) -> Iterator[str]:
    """`i = 3`, `s = [single, letter]`."""
    for bound in head.binders:
        assert isinstance(bound.values, Words)
        members = [bound.values.members[int(code)] for code in value[bound.name]]
        listed = ", ".join(members)
        yield f"{bound.name} = [{listed}]" if bound.type.shape else f"{bound.name} = {listed}"


def unmet(head: Obligation) -> Obligation:
    """The claim that values meet all conditions, which those deny that do not."""
    circuit = head.circuit
    b = Builder(list(circuit.ops), list(circuit.types))
    met = both(b, *(circuit.outputs[name] for name in head.conditions))
    return replace(head, circuit=b.circuit({"goal": met}))


def lower_at(joint: Obligation, value: Witness, name: str) -> Obligation:
    """A claim at one value of the variables before it; `joint` has these as inputs."""
    circuit = run_passes(fixed(joint.circuit, dict(value.values)))
    return replace(joint, name=name, circuit=circuit)


def fixed(circuit: Circuit, codes: Mapping[str, tuple[object, ...]]) -> Circuit:
    """A circuit with constants in place of some of its inputs."""
    b = Builder()

    def constant(_wire: Wire, op: Op) -> Wire | None:
        match op:
            case Input(name=name, type=kind) if name in codes:
                entries = codes[name]
                return b.add(Const(kind, tuple(code for code in entries if isinstance(code, int))))
            case _:
                return None

    return copied(circuit, b, constant)
