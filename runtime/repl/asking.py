"""Questions about values and claims, answered in a session."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from circ.compiler.finding import silent
from circ.compiler.obligation import Question
from circ.compiler.query import Defined, define, formula, query, ranged
from circ.compiler.verdict import Proved, Refuted, Unknown, Verdict, outcome
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_claim
from circ.lang.errors.session import needs_argument
from circ.lang.span import Source
from circ.lang.syntax import CircuitDecl
from circ.lang.types import Group
from circ.lang.types import show as type_text
from circ.lang.words import is_name
from circ.runtime.advice import advised
from circ.runtime.as_data import Data, witness_data
from circ.runtime.cache.recall import Answered, answered
from circ.runtime.claim_lines import claim_data, claim_lines
from circ.runtime.claims import Claims
from circ.runtime.columns import Shown
from circ.runtime.evaluate import Evaluated
from circ.runtime.repl import about
from circ.runtime.repl.examples import found_values, is_written_out, on_examples
from circ.runtime.repl.lines import Bind, Find, Prove, Range, Regions, Trace
from circ.runtime.repl.opening import require_free
from circ.runtime.repl.reply import Reply, plain
from circ.runtime.repl.state import State
from circ.runtime.repl.telling import noted_lines, warned
from circ.runtime.report import Line, decided_text, example_lines, verdict_lines
from circ.runtime.session import at_one_value

LONGEST_NAME = 60
"""Characters of a formula that its verdict repeats."""


# --- values -----------------------------------------------------------------------------------


def evaluate(state: State, source: Source) -> Reply:
    """An expression's values; a group of tensors has only a type."""
    defined = define(state.program, source, state.names)
    shown, data = values(state, defined)
    return Reply("value", (*warned(defined), *shown), data)


def values(state: State, defined: Defined) -> tuple[tuple[Shown, ...], Data]:
    """What is shown of a value, an intervention beside the same without it."""
    if isinstance(defined.type, Group):
        text = about.typed_text(state.program, defined)
        return plain(text), {"type": type_text(defined.type)}
    found = value_of(state, defined)
    from circ.runtime.interventions import compared_data, compared_shown, undone
    from circ.runtime.value_data import evaluated_data
    from circ.runtime.value_lines import value_lines

    before = undone(defined)
    if before is None or found.counts:
        return tuple(value_lines(found)), evaluated_data(found)
    base = value_of(state, define(state.program, before, defined.reads))
    return tuple(compared_shown(found, base)), compared_data(found, base)


def value_of(state: State, defined: Defined) -> Evaluated:
    """Both values of a definition."""
    from circ.runtime.evaluate import evaluate

    asked = query(state.program, defined)
    with state.watch("counting") if asked.quantities else nullcontext(silent) as progress:
        return evaluate(asked, state.program.weights, state.limits, progress)


def bind(state: State, line: Bind) -> Reply:
    """A running example; its value is shown unless it is written out."""
    name = line.name.text
    require_free(state.program, name, line.name)
    defined = define(state.program, line.source, state.names)
    query(state.program, defined)
    state.names.pop(name, None)
    state.names[name] = defined
    head = Line("plain", about.named_line(name, defined))
    data: Data = {"name": name, "type": type_text(defined.type)}
    if is_written_out(defined.expr, defined.reads):
        return Reply("example", (*warned(defined), head), data)
    shown, value = values(state, defined)
    return Reply("example", (*warned(defined), head, *shown[1:]), data | value)


def trace(state: State, line: Trace) -> Reply:
    """What a call goes through: its sites, and the guards on the way."""
    if not line.source.text:
        raise CircError(needs_argument(line.word, "trace", "a call", "trace model(s)"))
    defined, given = traced_call(state, line)
    from circ.compiler.traced import traced
    from circ.runtime.trace import trace_columns, trace_data, trace_of

    asked = traced(state.program, defined)
    guards = tuple(replace(each, span=state.placed(each.span)) for each in asked.guards)
    found = trace_of(replace(asked, guards=guards), state.program.weights)
    return Reply("trace", (*warned(defined), *given, *trace_columns(found)), trace_data(found))


def traced_call(state: State, line: Trace) -> tuple[Defined, tuple[Line, ...]]:
    """The call that is traced; of a circuit's name alone, that on running examples, which are told."""
    decl = state.program.typed.scope.values.get(line.source.text)
    if not isinstance(decl, CircuitDecl):
        return define(state.program, line.source, state.names), ()
    asked = on_examples(state, decl)
    if asked.lacks:
        what, how = f"an example for `{asked.lacks}`", f":example {asked.lacks} = …"
        raise CircError(needs_argument(line.word, f"trace {line.source.text}", what, how))
    call = replace(line.source, text=asked.call)
    given = tuple(Line("faint", f"  at {each.text}") for each in asked.arguments)
    return define(state.program, call, asked.names), given


# --- claims -----------------------------------------------------------------------------------


def prove(state: State, line: Prove) -> Reply:
    """The verdict on a claim of the spec, or on a formula."""
    reply = proved(state, line)
    return Reply("verdict", (*claim_lines(reply), *noted_lines(reply)), answered_data(reply))


def proved(state: State, line: Prove) -> Answered:
    """The answer to the claim that is named, or to the formula that is written; raises `CircError`."""
    text = line.source.text
    claims = state.program.typed.scope.claims
    if not text:
        raise CircError(needs_argument(line.word, "prove", "a claim", "prove forall s in D: …"))
    if text in claims or at_one_value(state.program, text):
        folder = None if state.path is None else state.keeping.beside(state.path)
        with state.watch(text) as progress:
            found = Claims(state.program, state.limits, folder).answer(text, progress)
        return replace(found, verdict=hinted(found.verdict))
    if is_name(text) and text not in state.names:
        raise CircError(no_claim("claim", text, list(claims)))
    return decided(state, formula(state.program, line.source, state.names).question)


def find(state: State, line: Find) -> Reply:
    """An input that meets a condition; its names are then those of running examples."""
    if not line.source.text:
        example = "find s in D where f(s) != g(s)"
        raise CircError(needs_argument(line.word, "find", "a domain", example))
    asked = formula(state.program, line.source, state.names)
    for name in asked.types:
        require_free(state.program, name, line.word)
    reply = decided(state, asked.question)
    data: Data = {"input": None, **answered_data(reply)}
    match reply.verdict:
        case Proved(example=found) if found is not None:
            lines = [*example_lines(reply.obligation, found)]
            weights = state.program.weights
            for name, known in found_values(asked, reply.obligation, found.witness, weights):
                state.names.pop(name, None)
                state.names[name] = known
            data["input"] = witness_data(reply.obligation, found.witness)
        case Refuted(size=size, method=method):
            lines = [Line("plain", f"none: {decided_text(size)}, by {method}")]
        case _:
            lines = verdict_lines(reply.obligation, reply.verdict, reply.seconds)
    return Reply("found", (*lines, *noted_lines(reply)), data)


def range_over(state: State, line: Range) -> Reply:
    """How small and how large a number gets, with inputs that reach it."""
    if not line.source.text:
        example = "range model(s)[single] over s in D"
        raise CircError(needs_argument(line.word, "range", "a number and a domain", example))
    with advised(line.source.text):
        question = ranged(state.program, line.source, state.names).question
    from circ.runtime.range_lines import range_data, range_lines
    from circ.runtime.ranges import range_of

    with state.watch(shortened(question.name)) as progress:
        found = range_of(question, state.program.weights, state.limits, progress)
    return Reply("range", tuple(range_lines(found)), range_data(question.name, found))


def regions(state: State, line: Regions) -> Reply:
    """The affine maps that a value is made of on a box, and what bounds each."""
    if not line.source.text:
        raise CircError(
            needs_argument(line.word, "regions", "a circuit and a domain", "regions f on D")
        )
    from circ.runtime.region_lines import region_lines, regions_data
    from circ.runtime.regions import COMMAND, MOST, regions_of

    with state.watch("regions") as progress:
        limits = MOST, state.limits.timeout
        found = regions_of(state.program, line.source, state.names, *limits, progress, COMMAND)
    return Reply("regions", tuple(region_lines(found)), regions_data(found))


def decided(state: State, question: Question) -> Answered:
    """A verdict, and what it is shown with."""
    folder = None if state.path is None else state.keeping.beside(state.path)
    with state.watch(shortened(question.name)) as progress:
        found = answered(question, state.program.weights, state.limits, progress, folder)
    named = replace(found.obligation, name=shortened(found.obligation.name))
    return replace(found, obligation=named, verdict=hinted(found.verdict))


def hinted(verdict: Verdict) -> Verdict:
    """A verdict whose hint names what a session has for an option."""
    if isinstance(verdict, Unknown):
        return replace(verdict, hint=verdict.hint.replace("--timeout", ":timeout"))
    return verdict


def answered_data(reply: Answered) -> Data:
    """A verdict for `--json`."""
    return {**claim_data(reply), "verdict": outcome(reply.verdict), "notes": list(reply.notes)}


def shortened(name: str) -> str:
    """A name that fits on a line."""
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
