"""What a word of a session may be completed to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from circ.compiler.driver import Program
from circ.compiler.query import Names
from circ.lang.check.functions import FUNCTIONS
from circ.lang.scope import key
from circ.lang.syntax import CheckpointDecl
from circ.lang.words import FORM_WORDS, LOGIC_WORDS, written_name, written_part
from circ.runtime.repl.about import COMMANDS

WORD = re.compile(r':?[\w."]*$')

SESSION_WORDS = ("prove", "find", "range")


def completions(program: Program, names: Names, before: str) -> list[str]:
    """What the last word of `before` may become, in order; each starts with that word."""
    word = last_word(before)
    if word.startswith(":"):
        alone = not before[: -len(word)].strip()
        return [command for command in COMMANDS if alone and command.startswith(word)]
    known = sorted(set(candidates(program, names)))
    return [name for name in known if word and name.startswith(word) and name != word]


def last_word(before: str) -> str:
    """The name, path or command that the text before the cursor ends with; it may be empty."""
    found = WORD.search(before)
    return found[0] if found else ""


def candidates(program: Program, names: Names) -> Iterator[str]:
    """Everything that can be named: examples, declarations, members, tensors, words."""
    scope = program.typed.scope
    yield from names
    yield from scope.values
    yield from scope.claims
    yield from map(written_name, scope.members)
    yield from FUNCTIONS
    yield from (*SESSION_WORDS, *LOGIC_WORDS, *FORM_WORDS)
    for checkpoint, item in scope.values.items():
        if isinstance(item, CheckpointDecl):
            for tensor in program.typed.facts.headers[key(item)]:
                yield ".".join([checkpoint, *map(written_part, tensor.split("."))])
