"""A session without its terminal: a line of text goes in, lines of text come out.

Errors, interruptions and faults of Circ itself are answers like any other; none ends a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

from circ.compiler.driver import Program
from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.obligation import Obligation, Question, Witness, Words
from circ.compiler.query import (
    Asked,
    Defined,
    Known,
    Named,
    define,
    formula,
    query,
    ranged,
    renewed,
)
from circ.compiler.rows import row_at
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Refuted
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors.command import no_claim
from circ.lang.errors.session import (
    belongs_in_spec,
    lost_example,
    name_is_taken,
    needs_argument,
    unknown_command,
)
from circ.lang.render import render
from circ.lang.span import Source, Span
from circ.lang.types import Array, Group, of_length
from circ.lang.words import is_name
from circ.runtime.advice import advised
from circ.runtime.bug import bug_text
from circ.runtime.cache.recall import NOWHERE, Answered, Keeping, answered
from circ.runtime.repl import about
from circ.runtime.repl.lines import (
    Bind,
    Command,
    Declaration,
    Evaluate,
    Find,
    Nothing,
    Prove,
    Range,
    Regions,
    read,
)
from circ.runtime.report import Line, decided_text, example_lines, verdict_lines
from circ.runtime.session import Request, noted, usable

Watch = Callable[[str], AbstractContextManager[Progress]]
"""Shows the progress of what is named while it lasts."""

LONGEST_NAME = 60
"""Characters of a formula that its verdict repeats."""


def unwatched(what: str) -> AbstractContextManager[Progress]:
    """Progress that nobody sees."""
    return nullcontext(silent)


@dataclass(slots=True)
class Session:
    """A spec, and the running examples of whoever asks about it. `over` after `:quit`."""

    path: Path
    request: Request
    program: Program
    limits: Limits = field(default_factory=Limits)
    watch: Watch = unwatched
    keeping: Keeping = NOWHERE
    names: dict[str, Named] = field(default_factory=dict[str, Named])
    asked: int = 0
    over: bool = False
    failed: bool = False
    """Whether some line could not be answered."""

    def run(self, text: str) -> str:
        """The answer to a line, or to several that belong together, as text."""
        return "\n".join(line.text for line in self.answer(text))

    def answer(self, text: str) -> list[Line]:
        """The answer in lines, each with its style. Nothing is raised."""
        try:
            return list(self.dispatch(text))
        except CircError as error:
            self.failed = True
            return [line for found in error.diagnostics for line in diagnostic_lines(found)]
        except KeyboardInterrupt:
            return [Line("doubt", "stopped")]
        except Exception as error:  # noqa: BLE001 - a fault of Circ is told, not raised
            self.failed = True
            return [Line("bad", bug_text(error)), Line("plain", "the session goes on")]

    def dispatch(self, text: str) -> Iterator[Line]:
        """What a line asks for; raises `CircError`."""
        self.asked += 1
        line = read(self.asked, text)
        match line:
            case Nothing():
                self.asked -= 1
            case Evaluate(source=source):
                yield from self.evaluate(source)
            case Bind():
                yield from self.bind(line)
            case Prove():
                yield from self.prove(line)
            case Find():
                yield from self.find(line)
            case Range():
                yield from self.range(line)
            case Regions():
                yield from self.regions(line)
            case Declaration(word=word):
                raise CircError(belongs_in_spec(word, word.text, str(self.path)))
            case Command():
                yield from self.command(line)
            case _:
                assert_never(line)

    # --- values -------------------------------------------------------------------------------

    def evaluate(self, source: Source) -> Iterator[Line]:
        """An expression's values; a group of tensors has only a type."""
        defined = define(self.program, source, self.names)
        yield from warned(defined)
        if isinstance(defined.type, Group):
            yield from plain(about.typed_text(self.program, defined))
            return
        from circ.runtime.evaluate import evaluate
        from circ.runtime.value_lines import value_lines

        asked = query(self.program, defined)
        with self.watch("counting") if asked.quantities else nullcontext(silent) as progress:
            found = evaluate(asked, self.program.weights, self.limits, progress)
        yield from value_lines(found)

    def bind(self, line: Bind) -> Iterator[Line]:
        """A running example, checked as far as that goes without evaluating it."""
        name = line.name.text
        taken = about.what_is(self.program, name)
        if taken is not None:
            raise CircError(name_is_taken(line.name, name, taken))
        defined = define(self.program, line.source, self.names)
        yield from warned(defined)
        query(self.program, defined)
        self.names[name] = defined
        yield from plain(about.named_line(name, defined))

    # --- claims -------------------------------------------------------------------------------

    def prove(self, line: Prove) -> Iterator[Line]:
        """The verdict on a claim of the spec, or on a formula."""
        text = line.source.text
        claims = self.program.typed.scope.claims
        if not text:
            raise CircError(needs_argument(line.word, "prove", "a claim", "prove forall s in D: …"))
        if text in claims:
            question = self.program.question(text)
        elif is_name(text) and text not in self.names:
            raise CircError(no_claim("claim", text, list(claims)))
        else:
            question = formula(self.program, line.source, self.names).question
        reply = self.decided(question)
        yield from verdict_lines(reply.obligation, reply.verdict, reply.seconds, first=reply.first)
        yield from noted_lines(reply)

    def find(self, line: Find) -> Iterator[Line]:
        """An input that meets a condition; its names are then those of running examples."""
        if not line.source.text:
            example = "find s in D where f(s) != g(s)"
            raise CircError(needs_argument(line.word, "find", "a domain", example))
        asked = formula(self.program, line.source, self.names)
        for name in asked.types:
            taken = about.what_is(self.program, name)
            if taken is not None:
                raise CircError(name_is_taken(line.word, name, taken))
        reply = self.decided(asked.question)
        match reply.verdict:
            case Proved(example=found) if found is not None:
                yield from example_lines(reply.obligation, found)
                weights = self.program.weights
                for name, known in found_values(asked, reply.obligation, found.witness, weights):
                    self.names[name] = known
            case Refuted(size=size, method=method):
                yield Line("plain", f"none: {decided_text(size)}, by {method}")
            case _:
                yield from verdict_lines(reply.obligation, reply.verdict, reply.seconds)
        yield from noted_lines(reply)

    def range(self, line: Range) -> Iterator[Line]:
        """How small and how large a number gets, with inputs that reach it."""
        if not line.source.text:
            example = "range model(s)[single] over s in D"
            raise CircError(needs_argument(line.word, "range", "a number and a domain", example))
        with advised(line.source.text):
            question = ranged(self.program, line.source, self.names).question
        from circ.runtime.range_lines import range_lines
        from circ.runtime.ranges import range_of

        with self.watch(shortened(question.name)) as progress:
            found = range_of(question, self.program.weights, self.limits, progress)
        yield from range_lines(found)

    def regions(self, line: Regions) -> Iterator[Line]:
        """The affine maps that a value is made of on a box, and what bounds each."""
        if not line.source.text:
            raise CircError(
                needs_argument(line.word, "regions", "a circuit and a domain", "regions f on D")
            )
        from circ.runtime.region_lines import region_lines
        from circ.runtime.regions import COMMAND, MOST, regions_of

        with self.watch("regions") as progress:
            limits = MOST, self.limits.timeout
            found = regions_of(self.program, line.source, self.names, *limits, progress, COMMAND)
        yield from region_lines(found)

    def decided(self, question: Question) -> Answered:
        """A verdict, and what it is shown with."""
        folder = self.keeping.beside(self.path)
        with self.watch(shortened(question.name)) as progress:
            found = answered(question, self.program.weights, self.limits, progress, folder)
        named = replace(found.obligation, name=shortened(found.obligation.name))
        return replace(found, obligation=named)

    # --- commands -----------------------------------------------------------------------------

    def command(self, line: Command) -> Iterator[Line]:
        """One of the words with a colon."""
        source = line.source
        match line.word.text:
            case ":type":
                self.needs(line, "an expression", ":type s[0]")
                yield from plain(
                    about.typed_text(self.program, define(self.program, source, self.names))
                )
            case ":doc":
                self.needs(line, "a name", ":doc argmax")
                yield from plain(about.doc_text(self.program, self.names, source))
            case ":claims":
                yield from plain(about.claims_text(self.program))
            case ":names":
                yield from plain(about.names_text(self.program, self.names))
            case ":load":
                self.needs(line, "a file", ":load quote.circ")
                yield from self.open(
                    Path(source.text).expanduser(), Request(outside=self.request.outside)
                )
            case ":reload":
                yield from self.open(self.path, self.request)
            case ":help":
                yield from plain(about.help_text())
            case ":quit":
                self.over = True
            case word:
                raise CircError(unknown_command(line.word, word, list(about.COMMANDS)))

    def needs(self, line: Command, what: str, example: str) -> None:
        """Raises `CircError` for a command that says nothing further."""
        if not line.source.text:
            raise CircError(needs_argument(line.word, line.word.text, what, example))

    def open(self, path: Path, request: Request) -> Iterator[Line]:
        """Read a spec; one with errors changes nothing. Examples that do not fit it are dropped."""
        program = usable(path, request)
        self.path, self.request, self.program = path, request, program
        for found in noted(program):
            yield from diagnostic_lines(found)
        for name, named in list(self.names.items()):
            try:
                self.names[name] = self.again(name, named)
            except CircError as error:
                del self.names[name]
                yield from diagnostic_lines(lost_example(name, str(error)))
        yield Line("good", f"✓ {path}")

    def again(self, name: str, named: Named) -> Named:
        """An example in the program as it is now; raises `CircError` where it does not fit it."""
        taken = about.what_is(self.program, name)
        if taken is not None:
            raise CircError(name_is_taken(Span(Source(name, name), 0, len(name)), name, taken))
        return renewed(self.program, named)


# --- lines ------------------------------------------------------------------------------------


def plain(text: str) -> Iterator[Line]:
    """The lines of a text, without emphasis."""
    return (Line("plain", line) for line in text.split("\n"))


def diagnostic_lines(found: Diagnostic) -> list[Line]:
    """A diagnostic with its source beneath."""
    first, *rest = render(found).split("\n")
    return [Line("bad" if found.severity == "error" else "doubt", first), *plain("\n".join(rest))]


def noted_lines(reply: Answered) -> Iterator[Line]:
    """Why a verdict was not kept, or not believed."""
    return (Line("faint", f"note: {note}") for note in reply.notes)


def warned(defined: Defined) -> Iterator[Line]:
    """The warnings about an expression."""
    return (line for found in defined.warnings for line in diagnostic_lines(found))


# --- questions --------------------------------------------------------------------------------


def shortened(name: str) -> str:
    """A name that fits on a line."""
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"


def found_values(
    asked: Asked, obligation: Obligation, witness: Witness, weights: Weights
) -> Iterable[tuple[str, Known]]:
    """An input as values under the names of its binders."""
    for bound in obligation.binders:
        known, entries = asked.types[bound.name], witness[bound.name]
        assert isinstance(known, Array)
        if isinstance(bound.values, Words) and bound.values.rows:
            yield bound.name, Known(known, row_at(obligation, witness, weights, bound.name))
        else:
            yield bound.name, Known(of_length(known, len(entries)), entries)
