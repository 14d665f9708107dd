"""How Circ compares with other verifiers on standard problems with known answers.

    python -m benchmarks.verify.run FOLDER [--only WORD] [--timeout 60] [--peers neuralsat,marabou]
        [--peers-python PYTHON] [--repeat N] [--jobs N] [--json FILE]

FOLDER has an `instances.csv` (`instances.py`). Each instance is given to every tool in turn, each time in
a new process with one BLAS thread. The table has CPU seconds, wall seconds and the largest memory of a
process, start-up included, and the ratio of Circ's CPU seconds to those of the best peer. Who gives no
answer, or a wrong one, is charged the time limit. The peers are asked in an environment of their own,
whose interpreter is `--peers-python` or the variable CIRC_PEERS_PYTHON; one that is not installed there
is left out.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.verify.instances import Instance, instances
from benchmarks.verify.table import Row, middling, table
from benchmarks.verify.tools import PEERS, PEERS_PYTHON, Tool, asked, circ, peer, peers_python


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.verify.run", description="Compare verifiers.")
    parser.add_argument("folder", type=Path, help="with an instances.csv")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="instances with this in the name"
    )
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="NAMES", help="which to ask")
    parser.add_argument("--peers-python", metavar="PYTHON", help=f"or set {PEERS_PYTHON}")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="the middle one counts")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes Circ may use")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser.parse_args(words)


def tools(names: str, python: str, jobs: int) -> list[Tool]:
    """Circ, and the peers that are installed; the others are named."""
    found = [circ(jobs)]
    for name in filter(None, names.split(",")):
        if name not in PEERS:
            raise SystemExit(f"there is no peer `{name}`; there are {', '.join(PEERS)}")
        tool = peer(name, python)
        if tool is None:
            print(f"{name} is left out: it is not installed for {python}")
        else:
            found.append(tool)
    return found


def row_of(instance: Instance, among: Sequence[Tool], timeout: float, repeat: int) -> Row:
    """What each tool makes of an instance, the tools in turn as often as is asked."""
    runs = [[asked(tool, instance, timeout) for tool in among] for _ in range(repeat)]
    columns = zip(*runs, strict=True)
    return Row(
        instance,
        {tool.name: middling(results) for tool, results in zip(among, columns, strict=True)},
    )


def main(words: Sequence[str] | None = None) -> None:
    """Print the table, and beforehand what each tool says as it comes."""
    given = arguments(words)
    among = tools(given.peers, peers_python(given.peers_python), given.jobs)
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} cores, load {load:.1f}, {given.timeout:g} s each, one thread a process"
    )
    rows: list[Row] = []
    for instance in instances(given.folder, given.only):
        rows.append(row_of(instance, among, given.timeout, given.repeat))
        said = "  ".join(f"{n}: {r.answer} {r.cpu:.1f}" for n, r in rows[-1].results.items())
        print(f"  {instance.name}  {said}", flush=True)
    print("\n".join(table(rows, given.timeout)))
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], default=str, indent=2))


if __name__ == "__main__":
    main()
