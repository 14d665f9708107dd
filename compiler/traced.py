"""A call gone through: the value of each of its sites, and of each guard that it meets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from circ.compiler.builder import both
from circ.compiler.driver import Program
from circ.compiler.ir import Circuit, Not, Wire
from circ.compiler.lower.calls import is_circuit, run
from circ.compiler.lower.environment import Environment, Lowering, Run, Value, as_wire, deep_stack
from circ.compiler.lower.expressions import lower
from circ.compiler.lower.margins import margin_of
from circ.compiler.query import OUTPUT, Defined, Query, entered, query_of, session_context
from circ.lang.check.context import Context
from circ.lang.check.sites import Called, callee, wire_type
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.session import goes_through_no_call, trace_of_counts
from circ.lang.span import Span
from circ.lang.syntax import Call, Cases, CircuitDecl, Do, Expr, Name
from circ.lang.types import BOOL, REAL, Array, Type


@dataclass(frozen=True, slots=True)
class Met:
    """A guard where it was met, or the `else` of some (`holds` is None): whether it holds, whether its
    arm is the one taken (None for what is no arm), and its margin where it has one."""

    span: Span
    holds: Wire | None
    taken: Wire | None
    margin: Wire | None


@dataclass(frozen=True, slots=True)
class Passed:
    """A guard on the way: its words, where they stand, and what `Met` has of it, as queries."""

    span: Span
    holds: Query | None
    taken: Query | None
    margin: Query | None


@dataclass(frozen=True, slots=True)
class Traced:
    """A call: its sites by their paths, in order, its result, and the guards on the way.

    All queries are about one circuit.
    """

    sites: tuple[tuple[str, Query], ...]
    result: Query
    guards: tuple[Passed, ...]


@dataclass(slots=True)
class Watching:
    """Lowers as usual, and keeps the guards that are met; those that are alike are kept once."""

    conditions: dict[Expr, Wire | None] = field(default_factory=dict[Expr, "Wire | None"])
    met: dict[Met, None] = field(default_factory=dict[Met, None])

    def lower(self, e: Expr, env: Environment) -> Value:
        """The value of `e`."""
        if isinstance(e, Cases):
            self.conditions |= {arm.guard: None for arm in e.arms if arm.guard is not None}
        value = lower(e, env)
        if e in self.conditions:
            self.conditions[e] = as_wire(value)
        elif is_guard(e, env):
            holds = as_wire(value)
            self.met[Met(e.span, holds, None, margin_of(env.b, holds))] = None
        if isinstance(e, Cases):
            self.met |= dict.fromkeys(self.arms(e, env))
        return value

    def arms(self, e: Cases, env: Environment) -> Iterator[Met]:
        """The guards of `cases`, as they were when it was lowered last."""
        before: list[Wire] = []
        for arm in e.arms:
            holds = None if arm.guard is None else self.conditions[arm.guard]
            here = [] if holds is None else [holds]
            taken = both(env.b, *(env.b.add(Not(wire)) for wire in before), *here)
            span = arm.span if arm.guard is None else arm.guard.span
            margin = None if holds is None else margin_of(env.b, holds)
            yield Met(span, holds, taken, margin)
            before += here


def is_guard(e: Expr, env: Environment) -> bool:
    """Whether `e` calls what is declared as a guard."""
    if not isinstance(e, Call):
        return False
    decl = env.scope.values.get(e.function.text)
    return isinstance(decl, CircuitDecl) and decl.is_guard


def traced(program: Program, defined: Defined) -> Traced:
    """What a call goes through; raises `CircError` where it is none, or goes through counts of domains."""
    e, watching = defined.expr, Watching()
    low = Lowering(program.typed, program.params, program.weights, watching.lower)
    env = entered(low.outside(), defined.reads)
    if (
        not isinstance(e, Call | Do)
        or not is_circuit(e, env)
        or not isinstance(defined.type, Array)
    ):
        raise CircError(goes_through_no_call(e.span))
    with deep_stack():
        found = run(e, env, ())
    if low.counts:
        raise CircError(trace_of_counts(e.span))
    circuit = low.b.circuit({})
    context = session_context(program, Diagnostics(), defined.reads)
    called = callee(e, context)
    assert called is not None
    return Traced(
        tuple(sites(found, called, context, circuit)),
        asked(circuit, as_wire(found.result), defined.type),
        tuple(passed(each, circuit) for each in watching.met),
    )


def sites(
    found: Run, called: Called, context: Context, circuit: Circuit
) -> Iterator[tuple[str, Query]]:
    """The sites of a call, each with those below it before it; parameters that are records are left out."""
    for path, value in flattened(found.sites, ()):
        names = tuple(Name(part, called.decl.name.span) for part in path)
        kind = wire_type(called, names, context)
        if isinstance(kind, Array):
            yield ".".join(path), asked(circuit, as_wire(value), kind)


def flattened(
    found: Mapping[str, Run], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Value]]:
    """The sites in the order in which they are computed."""
    for name, site in found.items():
        yield from flattened(site.sites, (*above, name))
        yield (*above, name), site.result


def passed(met: Met, circuit: Circuit) -> Passed:
    """What was met, as queries."""

    def truth(wire: Wire | None, kind: Type) -> Query | None:
        assert isinstance(kind, Array)
        return None if wire is None else asked(circuit, wire, kind)

    return Passed(met.span, truth(met.holds, BOOL), truth(met.taken, BOOL), truth(met.margin, REAL))


def asked(circuit: Circuit, wire: Wire, kind: Array) -> Query:
    """A query for one wire."""
    return query_of(kind, replace(circuit, outputs={OUTPUT: wire}))
