"""The door to lark: from the text of a grammar to the tables that `lalr.py` reads by.

Lark is asked when a grammar is compiled, and not when a spec is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

__all__ = ["compile_grammar", "tables"]

Record = dict[str, Any]
"""Plain data: what JSON can hold."""

States = Mapping[int, Mapping[str, tuple[int, Any]]]
"""For each state of the parser what it does at a symbol: 0 and the next state, or 1 and a rule."""


class Untyped(Protocol):
    """What lark leaves without types of its own."""

    def memo_serialize(self, types_to_memoize: list[type]) -> tuple[Record, Mapping[int, Record]]:
        """The parser as dictionaries and lists; rules and terminals by number."""
        ...


class Accepting:
    """Tells lark which terminal every state takes; of a stream it drops nothing."""

    def __init__(self, always: str) -> None:
        self.always_accept = (always,)

    def process(self, stream: Iterator[object]) -> Iterator[object]:
        """All of `stream`."""
        return stream


def compile_grammar(
    grammar: str, starts: Sequence[str], always: str, *, strict: bool = False
) -> Lark:
    """The parser, compiled; `strict` raises on any conflict or collision of terminals."""
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=list(starts),
        postlex=cast(Any, Accepting(always)),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
    )


def tables(lark: Lark) -> Record:
    """What `circ.lang.lalr.Tables` is made of, the same each time that a grammar is compiled."""
    data, memo = cast(Untyped, lark).memo_serialize([TerminalDef, Rule])
    parser = data["parser"]["parser"]
    states = with_names(parser["states"], parser["tokens"])
    number = numbered(parser["start_states"], states)
    rules = {key: at for at, key in enumerate(k for k, v in memo.items() if is_rule(v))}
    rows = [row(states[state], number, rules) for state in number]
    for end in parser["end_states"].values():
        rows[number[end]]["$END"] = number[end]
    return {
        "terminals": [terminal(found) for found in in_order(lark.terminals)],
        "ignored": sorted(lark.ignore_tokens),
        "starts": {start: number[state] for start, state in parser["start_states"].items()},
        "states": rows,
        "rules": [rule(memo[key]) for key in rules],
    }


def is_rule(record: Record) -> bool:
    """Whether a numbered record is a rule, and not a terminal."""
    return "expansion" in record


# --- states ------------------------------------------------------------------------------------


def with_names(
    states: Mapping[int, Mapping[int, tuple[int, Any]]], symbols: Mapping[int, str]
) -> States:
    """States with the names of symbols in place of their numbers."""
    return {
        state: {symbols[key]: action for key, action in actions.items()}
        for state, actions in states.items()
    }


def numbered(starts: Mapping[str, int], states: States) -> dict[int, int]:
    """A number for each state, in the order in which they are reached; lark's differ every time."""
    found = dict.fromkeys(state for _, state in sorted(starts.items()))
    waiting = [*found]
    for state in waiting:
        for _, (reduces, goal) in sorted(states[state].items(), key=lambda entry: entry[0]):
            if not reduces and goal not in found:
                found[goal] = None
                waiting.append(goal)
    return {state: number for number, state in enumerate(found)}


def row(
    actions: Mapping[str, tuple[int, Any]], number: Mapping[int, int], rules: Mapping[int, int]
) -> dict[str, int]:
    """At each symbol the state that follows; or, below 0, the complement of a rule that ends."""
    return {
        symbol: ~rules[goal["@"]] if reduces else number[goal]
        for symbol, (reduces, goal) in sorted(actions.items())
    }


# --- rules and terminals -----------------------------------------------------------------------


def rule(record: Record) -> list[Any]:
    """The fields of `circ.lang.lalr.Rule`."""
    options, origin, expansion = record["options"], record["origin"]["name"], record["expansion"]
    alone, kept = options["expand1"] and not record["alias"], [*parts(record)]
    only = [is_spliced(found["name"]) for found in expansion] == [False]
    name = None if is_spliced(origin) else named(record)
    return [origin, len(expansion), name, alone, alone and only and kept == [0], kept]


def named(record: Record) -> str:
    """What the tree of a rule is called."""
    name: str = record["alias"] or record["options"]["template_source"] or record["origin"]["name"]
    return name


def parts(record: Record) -> Iterator[int]:
    """The places of what a rule keeps; -1 for what is absent."""
    expansion = record["expansion"]
    at = 0
    for is_absent in record["options"]["empty_indices"] or [False] * len(expansion):
        if is_absent:
            yield -1
            continue
        if not expansion[at].get("filter_out"):
            yield at
        at += 1


def is_spliced(origin: str) -> bool:
    """Whether what a rule leaves becomes parts of the rule above it."""
    return origin.startswith("_")


def in_order(terminals: Iterable[TerminalDef]) -> list[TerminalDef]:
    """Terminals in the order in which they are tried at a place."""

    def rank(found: TerminalDef) -> tuple[int, int, int, str]:
        pattern = found.pattern
        return -found.priority, -pattern.max_width, -len(pattern.value), found.name

    return sorted(terminals, key=rank)


def terminal(found: TerminalDef) -> list[str | None]:
    """The fields of `circ.lang.lalr.Terminal`."""
    literal = found.pattern.value if found.pattern.type == "str" else None
    return [found.name, found.pattern.to_regexp(), literal]
