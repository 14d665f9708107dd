"""`circ fmt`: specs in their canonical form."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import click

from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.command import no_spec
from circ.lang.format_text import format_text
from circ.lang.parser import parse
from circ.lang.render import as_data
from circ.lang.span import Source
from circ.runtime.atomic import replacing
from circ.runtime.exits import Exit
from circ.runtime.report import Line
from circ.runtime.session import as_text, read_text
from circ.runtime.terminal import show_data, show_diagnostics, show_lines

STDIN = "-"
ENDING = ".circ"


@dataclass(frozen=True, slots=True)
class Formatted:
    """A spec as it stands and in its canonical form, or the errors for which it has none."""

    name: str
    before: bytes
    after: bytes
    errors: tuple[Diagnostic, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the two differ."""
        return self.before != self.after

    @property
    def difference(self) -> str:
        """What would change, as a unified diff."""
        before, after = (
            data.decode("utf-8", errors="replace").splitlines(keepends=True)
            for data in (self.before, self.after)
        )
        return "".join(unified_diff(before, after, self.name, f"{self.name} (formatted)"))


def run_fmt(specs: tuple[str, ...], check: bool, as_json: bool) -> int:
    """The exit code; files are rewritten, or what would change is shown."""
    found = [formatted(name) for name in named(specs)]
    for each in found:
        if each.changes and not check and each.name != STDIN:
            rewrite(Path(each.name), each.after)
    code = outcome(found, check)
    if as_json:
        files = [told(each, check) for each in found]
        show_data({"ok": code == Exit.AS_CLAIMED, "files": files, "exit": int(code)})
        return code
    for each in found:
        show(each, check)
    show_lines(summary(found, check))
    return code


def outcome(found: Iterable[Formatted], check: bool) -> Exit:
    """Wrong specs before those that are laid out otherwise."""
    if any(each.errors for each in found):
        return Exit.INPUT
    return Exit.REFUTED if check and any(each.changes for each in found) else Exit.AS_CLAIMED


def named(specs: Iterable[str]) -> Iterator[str]:
    """The files that are meant: those of a folder end in `.circ`. Raises `CircError` (E0701)."""
    for spec in specs:
        if spec == STDIN or not Path(spec).is_dir():
            yield spec
            continue
        below = [path for path in sorted(Path(spec).rglob(f"*{ENDING}")) if is_plain(path, spec)]
        if not below:
            raise CircError(no_spec(spec, f"no file in this folder ends in {ENDING}"))
        yield from map(str, below)


def is_plain(path: Path, folder: str) -> bool:
    """Whether a file of a folder is one of its specs: no link, and in no hidden folder."""
    inside = path.relative_to(folder).parts
    return path.is_file() and not path.is_symlink() and not any(p.startswith(".") for p in inside)


def formatted(name: str) -> Formatted:
    """A spec in its canonical form."""
    try:
        before, text = read(name)
        return Formatted(name, before, canonical(Source(name, text)).encode())
    except CircError as error:
        return Formatted(name, b"", b"", error.diagnostics)


def read(name: str) -> tuple[bytes, str]:
    """The bytes of a spec and its text; raises `CircError` as `read_text` does."""
    if name == STDIN:
        data = sys.stdin.buffer.read()
        return data, as_text("<stdin>", data)
    text = read_text(Path(name))
    return Path(name).read_bytes(), text


def canonical(source: Source) -> str:
    """The canonical text of a source; raises `CircError` with the errors of one that has some."""
    found = Diagnostics()
    module = parse(source, found)
    if found.failed:
        raise CircError(*found)
    return format_text(source, module)


def rewrite(path: Path, data: bytes) -> None:
    """Put a text into a file, whole or not at all; of a link, into what it leads to."""
    with replacing(path.resolve(), overwrite=True) as stream:
        stream.write(data)


# --- telling -----------------------------------------------------------------------------------


def show(each: Formatted, check: bool) -> None:
    """What is to be seen of one spec."""
    show_diagnostics(each.errors)
    if check:
        click.echo(each.difference, nl=False)
    elif each.name == STDIN:
        click.echo(each.after.decode(), nl=False)


def summary(found: Iterable[Formatted], check: bool) -> Iterator[Line]:
    """A line for each file that is not as it was, or has errors."""
    for each in found:
        if each.errors and each.name != STDIN:
            yield Line("bad", f"✗ {each.name}: left as it is")
        elif each.changes and each.name != STDIN:
            yield Line(
                "doubt" if check else "good",
                f"{'would format' if check else 'formatted'} {each.name}",
            )


def told(each: Formatted, check: bool) -> dict[str, object]:
    """One spec as data."""
    errors = [as_data(error) for error in each.errors]
    data: dict[str, object] = {"file": each.name, "changes": each.changes, "diagnostics": errors}
    if check:
        return {**data, "diff": each.difference}
    return {**data, "text": each.after.decode()} if each.name == STDIN else data
