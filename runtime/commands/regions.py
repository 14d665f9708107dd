"""`circ regions`: the affine functions that a circuit is made of on a domain, and where each holds."""

from __future__ import annotations

from pathlib import Path

from circ.lang.span import Source
from circ.runtime.exits import Exit
from circ.runtime.outputs import Output
from circ.runtime.region_lines import region_lines, regions_data
from circ.runtime.region_text import regions_text
from circ.runtime.regions import regions_of
from circ.runtime.session import Opened, settings, usable
from circ.runtime.terminal import progress, show_data, show_lines


def run_regions(
    spec: Path,
    text: str,
    opened: Opened,
    timeout: float,
    most: int,
    as_json: bool,
    as_circ: bool,
    out: Output,
) -> int:
    """Show the regions, or write them; raises `CircError` where they cannot be listed, or written."""
    program = usable(spec, settings(*opened))
    folder = spec.parent if out.path is None else out.path.parent
    out.require_free(program.files_read)
    with progress("regions", as_json) as move:
        found = regions_of(program, Source("<regions>", text), {}, most, timeout, move)
    code = Exit.AS_CLAIMED if found.regions else Exit.VACUOUS
    if found.regions and (as_circ or out.path is not None):
        out.write_text(regions_text(program, found, folder), program.files_read)
    elif as_json:
        show_data({**regions_data(found), "exit": int(code)})
    else:
        show_lines(region_lines(found))
    return code
