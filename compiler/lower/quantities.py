"""Counts over domains: each is an input of the circuit that reads it, and a question of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from circ.compiler.builder import Builder, truth
from circ.compiler.ir import Circuit, Input, Real, Wire, WireType
from circ.compiler.lower.domains import bound, lower_binder
from circ.compiler.lower.environment import Condition, Counting, Environment, Lowering
from circ.compiler.obligation import Obligation, Quantity
from circ.compiler.passes import run_passes
from circ.compiler.passes.drop_dead import keep
from circ.compiler.rewrite import copy_live
from circ.lang.diagnostic import CircError
from circ.lang.errors.domains import without_end
from circ.lang.errors.quantities import not_closed
from circ.lang.syntax import Binder, Count
from circ.lang.types import lengths


def lower_quantity(e: Count, env: Environment) -> Wire:
    """The input that stands for the number; counts that ask the same are one."""
    low = env.low
    binder = Binder(e.span, e.binder, low.typed.facts.counted[e])
    arms = {span: list(held) for span, held in low.arms.items()}
    asked = tuple(conditions(e, binder, env))
    low.arms.clear()
    low.arms.update(arms)
    if asked not in low.counts:
        value = low.b.add(Input(f"count {len(low.counts)}", WireType(Real(), ())))
        low.counts[asked] = Counting(binder, asked, value, e.span)
    return low.counts[asked].value


def conditions(e: Count, binder: Binder, env: Environment) -> Iterator[Condition]:
    """What a count asks: once, or for each length of its word; raises `CircError` if there is no end."""
    low = env.low
    several = lengths(low.typed.facts.domains[binder.domain])
    if several is None:
        yield condition(e, binder, env)
        return
    if several.last is None:
        raise CircError(without_end(e.span, "a count"))
    before = low.length
    for length in range(several.first, several.last + 1):
        low.length = length
        yield condition(e, binder, env)
    low.length = before


def condition(e: Count, binder: Binder, env: Environment) -> Condition:
    """The variable of a count, and when it is counted."""
    variable, inside = lower_binder(binder, env)
    inner = env.bind(e.binder.text, variable)
    return variable, inside, truth(env.b, True) if e.condition is None else inner.wire(e.condition)


def quantities(low: Lowering) -> tuple[Quantity, ...]:
    """The counts that were lowered, each with its questions."""
    return tuple(
        Quantity(
            name=f"count {k}",
            text=" ".join(counted.span.text.split()),
            questions=tuple(question(low, counted, asked) for asked in counted.asked),
        )
        for k, counted in enumerate(low.counts.values())
    )


def question(low: Lowering, counted: Counting, asked: Condition) -> Obligation:
    """A question about the variable of a count; raises `CircError` if it reads another input."""
    variable, inside, holds = asked
    wires = {f"in {counted.binder.name.text}": inside, "goal": holds}
    circuit = run_passes(restricted(low, wires, variable))
    if len(circuit.inputs) > 1:
        raise CircError(not_closed(counted.span))
    return Obligation(
        name=" ".join(counted.span.text.split()),
        quantifier="forall",
        circuit=circuit,
        binders=(bound(counted.binder, circuit, low.typed, {}),),
        span=counted.span,
    )


def restricted(low: Lowering, outputs: Mapping[str, Wire], *inputs: Wire) -> Circuit:
    """The circuit of these outputs, with these inputs besides those that they read, and no others."""
    whole, b = low.b.circuit({}), Builder()
    moved = copy_live(whole, b, keep, [*inputs, *outputs.values()])
    return b.circuit({name: moved[wire] for name, wire in outputs.items()})
