"""Definitions with their values on running examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.render import as_data
from circ.lang.syntax import CircuitDecl, DomainDecl, Item
from circ.runtime.as_data import Data
from circ.runtime.columns import Columns, Shown
from circ.runtime.evaluate import Evaluated, apart
from circ.runtime.repl.about import item_line, named_text
from circ.runtime.repl.examples import Tried, chosen, circuits_of, tried
from circ.runtime.repl.reply import Reply
from circ.runtime.repl.state import Piece, State
from circ.runtime.repl.telling import told_lines
from circ.runtime.report import Line
from circ.runtime.trace import values_of
from circ.runtime.value_data import evaluated_data
from circ.runtime.value_lines import value_lines


def declared(state: State, piece: Piece, found: Sequence[Diagnostic]) -> Reply:
    """What a line declares: its heads, and what it gives on running examples."""
    items = [item for item in state.program.typed.module.items if item.name.text in piece.names]
    shown: list[Shown] = [*told_lines(found)]
    data: Data = {
        "names": sorted(piece.names),
        "diagnostics": [as_data(each) for each in found],
    }
    for item in items:
        shown.append(Line("good", item_line(item)))
        shown += on_example(state, item, data)
    return Reply("declared", tuple(shown), data)


def on_example(state: State, item: Item, data: Data) -> Iterator[Shown]:
    """A definition's value on examples, if it has one: a circuit's result, or an input of a domain."""
    match item:
        case CircuitDecl():
            yield from circuit_lines(state, item, data)
        case DomainDecl():
            known = chosen(state, item)
            if known is not None:
                data["input"] = named_text(known)
                yield Line("plain", f"  an input: {named_text(known)}")
        case _:
            pass


def circuit_lines(state: State, decl: CircuitDecl, data: Data) -> Iterator[Line]:
    """A circuit's value, symbolic and neural side by side, and what it was given."""
    try:
        found = tried(state, decl)
    except CircError as error:
        yield Line("doubt", f"  no value on the examples: {error}")
        return
    if found.value is None:
        yield Line("faint", f"  {lacking(found)}")
        return
    data |= {"call": found.call, **example_data(found), **evaluated_data(found.value)}
    yield from (Line("faint", f"  at {each.text}") for each in found.arguments)
    yield from value_lines(found.value)[1:]
    if found.margin is not None:
        exact, computed = values_of(found.margin)
        yield Line("plain", f"  margin there: {exact}   (PyTorch: {computed})")


def lacking(found: Tried) -> str:
    """How to set an example that there is none of."""
    return f"no example: `:example {found.lacks} = …` sets one"


def example_data(found: Tried) -> Data:
    """What a circuit was given, for `--json`."""
    return {"at": {each.parameter: named_text(each.value) for each in found.arguments}}


# --- all of them ------------------------------------------------------------------------------


def values_reply(state: State) -> Reply:
    """Every circuit of the spec and the session on running examples."""
    found = [*trials(state, circuits_of(state))]
    if not found:
        return Reply("values", (Line("plain", "the spec declares no circuit"),), {"values": []})
    rows = tuple(row(each) for each in found)
    table = Columns(("on examples", "exact", "PyTorch", "apart"), rows)
    shown: tuple[Shown, ...] = (table, *(Line("faint", f"  {text}") for text in given(found)))
    return Reply("values", shown, {"values": [trial_data(each) for each in found]})


def trials(state: State, decls: Iterable[CircuitDecl]) -> Iterator[Tried]:
    """Each circuit on examples; one that has no value there is told to lack one."""
    for decl in decls:
        try:
            yield tried(state, decl)
        except CircError:
            yield Tried(decl.name.text, (), None)


def row(found: Tried) -> tuple[str, str, str, str]:
    """A circuit's values, cut off where they are long."""
    if found.value is None:
        return (found.call, lacking(found) if found.lacks else "no value there", "", "")
    return (found.call, *values_of(found.value), difference(found.value))


def difference(found: Evaluated) -> str:
    """How far PyTorch is from exact, where it is not the same."""
    far = apart(found)
    return f"{far:.2g}" if far else ""


def given(found: Iterable[Tried]) -> list[str]:
    """What the parameters were given, each once."""
    return [*dict.fromkeys(f"at {each.text}" for one in found for each in one.arguments)]


def trial_data(found: Tried) -> Data:
    """A circuit's values for `--json`; null where it has none."""
    value = None if found.value is None else evaluated_data(found.value)
    return {"call": found.call, **example_data(found), "value": value}
