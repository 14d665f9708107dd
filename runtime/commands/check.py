"""`circ check`: everything that can be said of a spec without deciding anything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from circ.compiler.agreement import Compared, Uncompared
from circ.compiler.driver import Program, checkpoints, networks
from circ.lang.render import as_data
from circ.lang.scope import kind
from circ.runtime.exits import Exit
from circ.runtime.report import Line
from circ.runtime.session import Opened, open_spec, settings
from circ.runtime.terminal import show_data, show_diagnostics, show_lines

if TYPE_CHECKING:
    from circ.compiler.imported import Imported


def run_check(spec: Path, opened: Opened, as_json: bool) -> int:
    """The exit code; diagnostics and a summary are shown."""
    program = open_spec(spec, settings(*opened))
    failed = program.diagnostics.failed
    if as_json:
        found = [as_data(diagnostic) for diagnostic in program.diagnostics]
        show_data({"spec": str(spec), "ok": not failed, "diagnostics": found})
    else:
        show_diagnostics(program.diagnostics)
        show_lines(summary(program, spec))
    return Exit.INPUT if failed else Exit.AS_CLAIMED


def compared_text(found: Imported) -> str:
    """A network's file, and what its reading was held against."""
    match found.agreement:
        case Compared(peer=peer):
            return f"{found.told}, agrees with {peer}"
        case Uncompared(reason=reason):
            return f"{found.told}, not compared: {reason}"
        case None:
            return found.told
        case _:
            assert_never(found.agreement)


def summary(program: Program, spec: Path) -> list[Line]:
    """What the spec contains, and whether it is well-formed."""
    errors = sum(1 for d in program.diagnostics if d.severity == "error")
    if errors:
        return [Line("bad", f"✗ {spec}: {errors} error{'s' if errors > 1 else ''}")]
    kinds = Counter(kind(item).split(" ", 1)[1] for item in program.typed.module.items)
    counted = ", ".join(f"{n} {plural(word) if n > 1 else word}" for word, n in kinds.items())
    lines = [Line("good", f"✓ {spec}: {counted}")]
    for at, item in checkpoints(program.typed).items():
        header = program.typed.facts.headers[at]
        lines.append(Line("plain", f"    {at}: {program.files.path(item)}, {len(header)} tensors"))
    for at, network in networks(program.typed).items():
        lines.append(Line("plain", f"    {at}: {compared_text(program.files.network(network))}"))
    return lines


def plural(word: str) -> str:
    """Several of what `word` names one of."""
    return f"{word}es" if word.endswith("ch") else f"{word}s"
