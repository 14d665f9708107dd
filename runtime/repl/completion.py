"""What the end of a line may be completed to: by what an editor is told, and the names of the session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from circ.lang.words import written_name
from circ.runtime.completing import in_comment_or_string, proposals
from circ.runtime.repl.about import COMMANDS, SESSION_WORDS, named_line
from circ.runtime.repl.state import State

WORD = re.compile(r"\w*$")
OPEN = re.compile(r'"[^"]*$')
COMMAND = re.compile(r"\s*(:\w*)$")
LOADED = re.compile(r"\s*:load\s+(.*)$")
BELOW = re.compile(r"\.\w*$")

LONGEST_DETAIL = 60
"""Characters shown beside a name."""

MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Completion:
    """What stands instead of the last `replaces` characters, and what is known of it."""

    text: str
    replaces: int
    detail: str = ""


def completions(state: State, before: str) -> list[Completion]:
    """What the end of `before` may become, in order; nothing where nothing is begun."""
    command, path = COMMAND.fullmatch(before), LOADED.fullmatch(before)
    if command is not None:
        return list(begun(command[1], COMMANDS.items()))
    if path is not None:
        return list(begun(path[1], ((name, "") for name in specs(path[1]))))
    line = before[before.rfind("\n") + 1 :]
    if in_comment_or_string(line):
        quoted = OPEN.search(line)
        return [] if quoted is None else list(begun(quoted[0], members(state)))
    found = WORD.search(line)
    word = found[0] if found else ""
    if not word and not BELOW.search(line):
        return []
    return sorted(begun(word, candidates(state, before)), key=lambda each: each.text)


def begun(word: str, known: Iterable[tuple[str, str]]) -> Iterator[Completion]:
    """Those that start with a word and go on."""
    for text, detail in dict(known).items():
        if text.startswith(word) and text != word:
            yield Completion(text, len(word), detail[:LONGEST_DETAIL])


def members(state: State) -> Iterator[tuple[str, str]]:
    """The members of enums that stand in quotes."""
    scope = state.program.typed.scope
    names = (written_name(name) for name in {**scope.members, **scope.quotable})
    return ((name, "") for name in names if name.startswith('"'))


def candidates(state: State, before: str) -> Iterator[tuple[str, str]]:
    """What may stand at the end of a line; behind a dot, what lies below what stands before it."""
    for found in proposals(state.program, before):
        yield found.label, found.detail or ""
    if BELOW.search(before):
        return
    scope = state.program.typed.scope
    yield from ((name, named_line(name, named)) for name, named in state.names.items())
    yield from ((name, "claim") for name in scope.claims)
    yield from ((word, "") for word in SESSION_WORDS if word != "it")


def specs(begun_path: str) -> Iterator[str]:
    """The specs and folders that a path may become, as it is written."""
    folder, _, name = begun_path.rpartition("/")
    start = f"{folder}/" if folder or begun_path.startswith("/") else ""
    try:
        entries = sorted(Path(start or ".").expanduser().iterdir())
        for entry in [each for each in entries if each.name.startswith(name)][:MOST_FILES]:
            if entry.is_dir():
                yield f"{start}{entry.name}/"
            elif entry.suffix == ".circ":
                yield f"{start}{entry.name}"
    except (OSError, RuntimeError, ValueError):
        return
