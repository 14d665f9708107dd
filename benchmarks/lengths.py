"""How long a claim about words of any length takes, beside the same at each length up to some.

    OMP_NUM_THREADS=1 python benchmarks/lengths.py [seconds]

The model is a random attention head of width 16 that knows nothing of positions, read at the last
letter; the claim is that one letter always leads, which a bonus makes true. With mean attention z3 is
asked the same at single lengths. The table has processor seconds. Each is given so many seconds (60);
what takes longer is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from safetensors.numpy import save_file

from circ.compiler.driver import Program
from circ.compiler.finding import Holds, Limits, silent
from circ.compiler.verdict import Proved
from circ.runtime.answer import answer
from circ.runtime.engines import smt
from circ.runtime.session import checked, settings

WIDTH, BONUS = 16, 40
MODELS = ("softmax", "mean")
LETTERS = (4, 16)
LONGEST = (8, 16, 32, 64)
BY_SMT = (4, 8, 16)

SPEC = """
use std.attention: mean_attention
enum C = {{ {letters} }}
checkpoint m from "model.safetensors"
circuit by_softmax[n](s: C[n]) -> real[16] {{
  let x      = [ m.embed[c] for c in s ]
  let query  = m.Q @ x[-1]
  let scores = [ dot(v, query) for v in x ]
  return x[-1] + m.V @ (softmax(scores) @ x)
}}
circuit by_mean[n](s: C[n]) -> real[16] {{
  let x = [ m.embed[c] for c in s ]
  return x[-1] + mean_attention(x, m.V, m.Q)[-1]
}}
circuit scored(x: real[16]) -> real[C] = m.U @ x + m.bonus
"""

CLAIM = "claim {name}: forall s in {{ s: C[{lengths}] }}: argmax(scored(by_{model}(s))) == c0\n"


def spec(folder: Path, letters: int) -> Program:
    """Random weights, and a claim for all lengths and for those up to each of some."""
    chance = np.random.default_rng(0)

    def tensor(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return chance.normal(size=shape, scale=shape[-1] ** -0.5).astype(np.float32)

    bonus = np.zeros(letters, np.float32)
    bonus[0] = BONUS
    tensors = {
        "embed": tensor(letters, WIDTH),
        "Q": tensor(WIDTH, WIDTH),
        "V": tensor(WIDTH, WIDTH),
        "U": tensor(letters, WIDTH),
        "bonus": bonus,
    }
    save_file(tensors, folder / "model.safetensors")  # pyright: ignore[reportUnknownMemberType]
    text = SPEC.format(letters=", ".join(f"c{k}" for k in range(letters)))
    for model in MODELS:
        text += CLAIM.format(name=f"{model}_any", lengths="1..", model=model)
        for last in LONGEST:
            text += CLAIM.format(name=f"{model}_{last}", lengths=f"1..{last}", model=model)
    path = folder / "spec.circ"
    path.write_text(text)
    return checked(path, settings((), (), False))


def proved(program: Program, name: str, limit: float) -> float | None:
    """Processor seconds that a proof takes; None where there is none within the limit."""
    started = process_time()
    _, verdict = answer(program.question(name), program.weights, Limits(timeout=limit), silent)
    return process_time() - started if isinstance(verdict, Proved) else None


def by_smt(program: Program, length: int, limit: float) -> float | None:
    """Processor seconds that z3 takes at one length, with mean attention."""
    asked, started = program.question("mean_any").at(length), process_time()
    found = smt.decide(asked, program.weights, Limits(timeout=limit), silent)
    return process_time() - started if isinstance(found, Holds) else None


def row(cells: Iterable[Callable[[], float | None]]) -> str:
    """Times, until one takes too long."""
    found: list[str] = []
    for cell in cells:
        taken = None if "-" in found else cell()
        found.append("-" if taken is None else f"{taken:.2f}")
    return "  ".join(f"{time:>6}" for time in found)


def times(program: Program, model: str, limit: float) -> str:
    """One line of the table: all lengths, each up to some, and z3 at single ones."""
    always = row([partial(proved, program, f"{model}_any", limit)])
    each = row(partial(proved, program, f"{model}_{last}", limit) for last in LONGEST)
    asked = BY_SMT if model == "mean" else ()
    return f"{always}  {each}  {row(partial(by_smt, program, n, limit) for n in asked)}".rstrip()


def main(arguments: list[str]) -> None:
    """Print the table."""
    limit = float(arguments[0]) if arguments else 60.0
    lengths = "  ".join(f"{f'1..{last}':>6}" for last in LONGEST)
    single = "  ".join(f"{f'z3 {length}':>6}" for length in BY_SMT)
    print(f"attention  letters     all  {lengths}  {single}")
    for letters in LETTERS:
        with TemporaryDirectory() as folder:
            program = spec(Path(folder), letters)
            for model in MODELS:
                print(f"{model:>9}  {letters:7}  {times(program, model, limit)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
