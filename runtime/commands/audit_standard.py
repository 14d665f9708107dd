"""`circ audit PROPERTY DIR --network NETWORK`: check the certificates of a standard problem."""

from __future__ import annotations

import shlex
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited
from circ.compiler.vnnlib.problem import read_problem
from circ.runtime.certificates.standard import audit_boxes
from circ.runtime.commands.audit_outcome import outcome_data, outcome_lines, outcome_of
from circ.runtime.exits import Exit
from circ.runtime.terminal import progress, show_data, show_lines


def run_audit_standard(
    network: Path, wanted: Path, folder: Path, exact: bool, as_json: bool
) -> int:
    """0 where the certificates of all boxes hold, 1 where one does not, or is missing."""
    start = monotonic()
    problem = read_problem(network, wanted)
    with progress(f"auditing {wanted.stem}", as_json):
        outcome = outcome_of(lambda: audit_boxes(problem, folder, exact=exact))
    seconds = monotonic() - start
    again = shlex.join(["circ", "vnnlib", str(network), str(wanted), "--certificate", str(folder)])
    code = Exit.AS_CLAIMED if isinstance(outcome, Audited) else Exit.REFUTED
    name = problem.asked.name
    if as_json:
        data = outcome_data(name, outcome, exact, seconds, again)
        files = {"network": str(network), "property": str(wanted)}
        show_data(files | {"certificates": [data], "exit": int(code)})
    else:
        show_lines(outcome_lines(name, outcome, exact, seconds, again, "answer it again"))
    return code
