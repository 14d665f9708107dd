"""How long shortest paths take to decide a claim about words, beside enumeration and z3.

    OMP_NUM_THREADS=1 python benchmarks/words.py [seconds]

The model is a random attention head of width 16, read at the last position; the claim is that one
letter always leads, which a bonus makes true. Enumeration is asked the same; z3 is asked about mean
attention, since it has no `exp`. Each is given so many seconds (20), and the next larger one is left
out when it takes longer. The memory is the most that the process has used so far.
"""

from __future__ import annotations

import resource
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from time import perf_counter

import numpy as np

from circ.compiler.builder import Builder, codes, combine, matmul, reals, take
from circ.compiler.finding import Finding, Holds, Limits, Progress, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Index,
    Input,
    Lookup,
    Relu,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.tensor import Tensor, Weights
from circ.lang.span import Source, Span
from circ.runtime.engines import automata, count_vectors, enumeration, smt, token_sets
from circ.runtime.prover import Engine

WIDTH, BONUS = 16, 40
SIZES = ((4, 4), (6, 4), (8, 4), (10, 4), (12, 4), (16, 4), (32, 4), (64, 4), (128, 4))
LETTERS = ((10, 8), (10, 16), (10, 32), (10, 64))


@dataclass(frozen=True, slots=True)
class Network:
    """Heads that are added, their scores times `sharpness`, a ReLU layer of `hidden` units behind them,
    and a bonus for the letter that leads."""

    heads: int = 1
    sharpness: int = 1
    hidden: int = 0
    bonus: Fraction | int = BONUS


BEYOND = (
    (12, 8, Network(2, 1, 0, 5)),
    (16, 8, Network(2, 1, 0, 5)),
    (16, 8, Network(2, 4, 0, 5)),
    (16, 8, Network(2, 1, 16, 5)),
    (16, 8, Network(2, 2, 16, 8)),
    (16, 8, Network(4, 1, 16, 6)),
)
"""Positions, letters, and what is beyond one head: such claims are parted by sets of letters."""

UNORDERED = ((32, 4, 16), (64, 4, 16), (64, 4, 32), (96, 4, 32), (16, 8, 32))
"""Positions, letters and ReLUs behind mean attention, which does not see the order of letters."""

CLOSE = Fraction(1, 100)
"""How much the letter leads by on the worst of these words."""

Asked = tuple[Obligation, Weights]


def claim(positions: int, letters: int, mean: bool, network: Network | None = None) -> Asked:
    """Letter 0 leads on every word."""
    net = network or Network()
    chance, b = np.random.default_rng(0), Builder()
    weights: dict[str, Tensor] = {}

    def tensor(*shape: int) -> Wire:
        values = chance.normal(size=shape, scale=shape[-1] ** -0.5).astype(np.float32)
        key = f"m/{len(weights)}"
        weights[key] = Tensor(shape, "F32", array("d", values.ravel().tolist()))
        return b.add(Weight(key, shape))

    s = b.add(Input("s", WireType(Index(letters), (positions,))))
    x = combine(b, (1, b.add(Lookup(tensor(letters, WIDTH), (s,)))), (1, tensor(positions, WIDTH)))
    last, reads = take(b, x, [positions - 1]), list[Wire]()
    alike = reals(b, [Fraction(1, positions)] * positions, (positions,))
    for _ in range(net.heads):
        query = matmul(b, tensor(WIDTH, WIDTH), last)
        scores = combine(b, (net.sharpness, matmul(b, x, query)))
        pattern = alike if mean else b.add(Softmax(scores))
        reads.append(matmul(b, tensor(WIDTH, WIDTH), matmul(b, pattern, x)))
    mixed = combine(b, (1, last), *((1, read) for read in reads))
    if net.hidden:
        inner = matmul(b, tensor(net.hidden, WIDTH), mixed)
        inner = b.add(Relu(combine(b, (1, inner), (1, tensor(net.hidden)))))
        mixed = combine(b, (1, mixed), (1, matmul(b, tensor(WIDTH, net.hidden), inner)))
    bonus = reals(b, [Fraction(net.bonus if k == 0 else 0) for k in range(letters)], (letters,))
    scored = matmul(b, tensor(letters, WIDTH), mixed)
    best = b.add(Argmax(combine(b, (1, scored), (1, bonus))))
    goal = b.add(Compare("==", best, codes(b, [0], letters, ())))
    bound = Bound("s", b.types[s], Words(tuple(f"m{k}" for k in range(letters))))
    span = Span(Source("", ""), 0, 0)
    return Obligation("leads", "forall", b.circuit({"goal": goal}), (bound,), span), weights


def seconds(engine: Engine, asked: Asked, limit: float) -> float | None:
    """How long an engine takes to prove it; None where it does not within the limit."""
    started = perf_counter()
    finding: Finding = engine(*asked, Limits(timeout=limit, words=10**12), silent)
    taken = perf_counter() - started
    return taken if isinstance(finding, Holds) else None


def by_counts(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """A claim that does not see the order of letters, from the circuit on."""
    some = count_vectors.unordered_vectors(obligation, weights, limits)
    assert some is not None
    return count_vectors.decide(some, obligation, weights, limits, progress)


def close_claim(positions: int, letters: int, hidden: int) -> Asked:
    """A claim about mean attention that is true by little on some word."""
    known = by_counts(*claim(positions, letters, True, Network(hidden=hidden)), Limits(), silent)
    assert isinstance(known, Holds)
    assert known.margin is not None
    bonus = BONUS - Fraction(known.margin) + CLOSE
    return claim(positions, letters, True, Network(hidden=hidden, bonus=bonus))


def column(engine: Engine, mean: bool, limit: float) -> Callable[[int, int], str]:
    """A column of the table: it ends with the first size that takes too long."""
    ended = False

    def cell(positions: int, letters: int) -> str:
        nonlocal ended
        if ended:
            return "-"
        taken = seconds(engine, claim(positions, letters, mean), limit)
        ended = taken is None
        return "-" if taken is None else f"{taken:.2f}"

    return cell


def main(arguments: list[str]) -> None:
    """Print the table."""
    limit = float(arguments[0]) if arguments else 20.0
    engines = (automata.decide, enumeration.decide)
    for sizes in (SIZES, LETTERS):
        columns = [column(engine, False, limit) for engine in engines]
        columns += [column(engine, True, limit) for engine in (automata.decide, smt.decide)]
        print("                                   softmax               mean            memory")
        print("positions  letters       words     paths  enumeration    paths      z3       MiB")
        for size in sizes:
            cells = [cell(*size) for cell in columns]
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{size[0]:9}  {size[1]:7}  {float(size[1]) ** size[0]:10.2g}  {cells[0]:>8}  "
                f"{cells[1]:>11}  {cells[2]:>7}  {cells[3]:>6}  {most:>8}",
                flush=True,
            )
    print("positions  letters       words  heads  sharpness  hidden  seconds")
    for positions, letters, net in BEYOND:
        taken = seconds(token_sets.decide, claim(positions, letters, False, net), limit)
        print(
            f"{positions:9}  {letters:7}  {float(letters) ** positions:10.2g}  {net.heads:5}  "
            f"{net.sharpness:9}  {net.hidden:6}  " + ("-" if taken is None else f"{taken:7.2f}"),
            flush=True,
        )
    print("positions  letters       words  ReLUs   counts    paths     sets")
    for positions, letters, hidden in UNORDERED:
        asked = close_claim(positions, letters, hidden)
        engines = (by_counts, automata.decide, token_sets.decide)
        times = [seconds(engine, asked, limit) for engine in engines]
        cells = "  ".join(f"{'-' if taken is None else f'{taken:.2f}':>7}" for taken in times)
        print(
            f"{positions:9}  {letters:7}  {float(letters) ** positions:10.2g}  {hidden:5}  {cells}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
