"""Where a session gets its spec from: a file, again when that has changed, and what is declared at the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from circ.compiler.driver import Program, check
from circ.compiler.query import Named, renewed
from circ.compiler.stored import Files
from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.session import belongs_in_spec, lost_example, name_is_taken
from circ.lang.parser import parse
from circ.lang.span import Source, Span
from circ.runtime.repl import about
from circ.runtime.repl.state import Piece, State, in_piece, relocated
from circ.runtime.session import Request, noted, usable
from circ.runtime.stamps import changed, file_states, is_other

NAMELESS = "<session>"
"""The name of the empty spec of a session without one."""

FILES_ALONE = ("use", "patch")
"""Items that only a file may have: others are brought in, or a checkpoint is written, for good."""


def empty_program() -> Program:
    """A spec that declares nothing, in the folder where the user is."""
    return check(Source(NAMELESS, ""), Files(Path.cwd()), {})


# --- a spec -----------------------------------------------------------------------------------


def open_spec_in(state: State, path: Path | None, request: Request) -> list[Diagnostic]:
    """Read a spec, or none: what is to be noted of it, and what it leaves of the session.

    Raises `CircError` for one with errors, which changes nothing but what is known of the files.
    """
    try:
        program = empty_program() if path is None else usable(path, request)
    except CircError:
        state.files |= changed(state.files)
        raise
    found = noted(program)
    state.path, state.request, state.program, pieces = path, request, program, state.pieces
    state.pieces = ()
    found += [lost for piece in pieces for lost in declared_again(state, piece)]
    found += renew(state)
    state.files = {}
    watch_files(state)
    return found


def declared_again(state: State, piece: Piece) -> Iterator[Diagnostic]:
    """What was declared at the prompt, behind another spec; a finding where it does not fit that."""
    try:
        state.program, state.pieces = with_piece(state, piece)
    except CircError as error:
        yield lost_example(", ".join(sorted(piece.names)), str(error), "declaration")


def renew(state: State) -> list[Diagnostic]:
    """Read the running examples again; those that do not fit are dropped, and told of."""
    state.chosen.clear()
    lost = list[Diagnostic]()
    for name, named in list(state.names.items()):
        try:
            state.names[name] = again(state.program, name, named)
        except CircError as error:
            del state.names[name]
            lost.append(lost_example(name, str(error)))
    return lost


def again(program: Program, name: str, named: Named) -> Named:
    """An example in the program as it is now; raises `CircError` where it does not fit it."""
    require_free(program, name, Span(Source(name, name), 0, len(name)))
    return renewed(program, named)


def require_free(program: Program, name: str, span: Span) -> None:
    """Raise `CircError` for the name of an example that means something else."""
    taken = about.what_is(program, name)
    if taken is not None:
        raise CircError(name_is_taken(span, name, taken))


# --- files that change ------------------------------------------------------------------------


def watch_files(state: State) -> None:
    """Keep what the files are like that the program was read from, those that are known already as they were."""
    read = [path for path in state.program.files_read if str(path) != NAMELESS]
    new = file_states(path for path in read if path not in state.files)
    state.files = {path: state.files[path] for path in read if path in state.files} | new


def has_changed(state: State) -> bool:
    """Whether the content of a file that was read is another now; each change is told once."""
    found = changed(state.files)
    told = any(is_other(now, state.files[path]) for path, now in found.items())
    state.files |= found
    return told


# --- declarations -----------------------------------------------------------------------------


def declare(state: State, word: Span, source: Source) -> tuple[Piece, list[Diagnostic]]:
    """Declare what a line says, instead of what earlier lines said of the same names.

    Raises `CircError` for what has errors, which changes nothing.
    """
    if word.text in FILES_ALONE:
        raise CircError(belongs_in_spec(word, word.text, state.spec_name))
    parsed = parse(source, Diagnostics())
    piece = Piece(source, frozenset(item.name.text for item in parsed.items))
    state.program, state.pieces = with_piece(state, piece)
    piece = state.pieces[-1]
    own = within(state.program.diagnostics, state.program, state.pieces, piece)
    watch_files(state)
    return piece, [*own, *renew(state)]


def with_piece(state: State, piece: Piece) -> tuple[Program, tuple[Piece, ...]]:
    """The program with one piece more; raises `CircError` where that has errors."""
    others = [each for each in state.pieces if not each.names & piece.names]
    text, pieces = joined(state.spec_text, [*others, piece])
    before = state.program
    program = check(Source(before.source.name, text), before.files, state.request.params)
    new = replace(state, program=program, pieces=pieces)
    own = within(program.diagnostics, program, pieces, pieces[-1])
    if program.failed or any(each.severity == "error" for each in own):
        raise CircError(*new.told(program.diagnostics if program.failed else own))
    if stored_in(program) == stored_in(before):
        program.weights.loaded.update(before.weights.loaded)
    return program, pieces


def stored_in(program: Program) -> dict[str, str]:
    """The file of each checkpoint: where these are the same, so are the tensors that were read of them."""
    return {key: decl.file.text for key, decl in program.weights.checkpoints.items()}


def joined(text: str, pieces: Sequence[Piece]) -> tuple[str, tuple[Piece, ...]]:
    """A spec's text with pieces behind it, and where each of them starts."""
    placed = list[Piece]()
    for piece in pieces:
        text += "\n\n"
        placed.append(replace(piece, start=len(text)))
        text += piece.source.text
    return text, tuple(placed)


def within(
    found: Diagnostics, program: Program, pieces: tuple[Piece, ...], piece: Piece
) -> list[Diagnostic]:
    """The findings that stand in a piece, as the user knows their places."""

    def placed(span: Span) -> Span:
        return in_piece(span, pieces) if span.source == program.source else span

    moved = [relocated(each, placed) for each in found]
    return [each for each in moved if each.span is not None and each.span.source == piece.source]
