"""How many words a second enumeration decides, beside a plain float64 pass over the same words.

    OPENBLAS_NUM_THREADS=1 python benchmarks/enumeration.py [positions ...]

The model is a random transformer of one layer and one head; the domain is the words with at most two
of two members; the claim is that the model never answers a given member, with that answer made the
worst of all, so that every word is gone through. `plain` is what one would write in numpy: the same
model, the same words, no bound on rounding, in the same batches and threads. (Where OpenBLAS may use
threads of its own, it does for the small products of the plain pass, which then take many times longer.)
"""

from __future__ import annotations

import os
import sys
from array import array
from fractions import Fraction
from time import perf_counter, process_time

import numpy as np
import numpy.typing as npt

from circ.compiler.builder import (
    Builder,
    codes,
    combine,
    matmul,
    number,
    reals,
    take,
    total,
    transpose,
)
from circ.compiler.finding import Holds, Limits, silent
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Index,
    Input,
    Lookup,
    Not,
    Relu,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.tensor import Tensor
from circ.lang.span import Source, Span
from circ.runtime.engines.enumeration import decide
from circ.runtime.engines.parallel import WORKERS, batches, keep_memory
from circ.runtime.engines.words import all_words

MEMBERS, WIDTH, HIDDEN, MOST = 6, 16, 32, 2
NEVER = 3
STEP = 1 << 13

FloatArray = npt.NDArray[np.float64]


def tensors(positions: int, seed: int = 0) -> dict[str, FloatArray]:
    """Random float32 tensors, as doubles."""
    chance = np.random.default_rng(seed)
    shapes = {
        "embed": (MEMBERS, WIDTH),
        "pos": (positions, WIDTH),
        "W_Q": (WIDTH, WIDTH),
        "W_K": (WIDTH, WIDTH),
        "W_V": (WIDTH, WIDTH),
        "W_O": (WIDTH, WIDTH),
        "W_in": (HIDDEN, WIDTH),
        "b_in": (HIDDEN,),
        "W_out": (WIDTH, HIDDEN),
        "unembed": (MEMBERS, WIDTH),
        "bias": (MEMBERS,),
    }
    found = {
        name: chance.normal(size=shape, scale=shape[-1] ** -0.5).astype(np.float32).astype(float)
        for name, shape in shapes.items()
    }
    found["bias"][NEVER] = -64.0
    return found


def logits(b: Builder, s: Wire, known: dict[str, FloatArray]) -> Wire:
    """The transformer's scores for the next member, attention computed as it is written."""

    def w(name: str) -> Wire:
        return b.add(Weight(f"m/{name}", known[name].shape))

    def turned(name: str) -> Wire:
        return transpose(b, w(name), [1, 0])

    x = combine(b, (1, b.add(Lookup(w("embed"), (s,)))), (1, w("pos")))
    queries, keys, values = (matmul(b, x, turned(name)) for name in ("W_Q", "W_K", "W_V"))
    scores = combine(b, (Fraction(1, 4), matmul(b, queries, transpose(b, keys, [1, 0]))))
    mixed = matmul(b, matmul(b, b.add(Softmax(scores)), values), turned("W_O"))
    last = b.shape(x)[0] - 1
    resid = combine(b, (1, take(b, x, [last])), (1, take(b, mixed, [last])))
    hidden = b.add(Relu(combine(b, (1, matmul(b, w("W_in"), resid)), (1, w("b_in")))))
    resid = combine(b, (1, resid), (1, matmul(b, w("W_out"), hidden)))
    return combine(b, (1, matmul(b, w("unembed"), resid)), (1, w("bias")))


def claim(positions: int, known: dict[str, FloatArray]) -> Obligation:
    """On words with few of the first two members, the answer is never `NEVER`."""
    b = Builder()
    s = b.add(Input("s", WireType(Index(MEMBERS), (positions,))))
    marks = reals(b, [Fraction(int(k < 2)) for k in range(MEMBERS)], (MEMBERS,))
    few = b.add(Compare("<=", total(b, b.add(Lookup(marks, (s,)))), number(b, MOST)))
    answer = b.add(Argmax(logits(b, s, known)))
    goal = b.add(Not(b.add(Compare("==", answer, codes(b, [NEVER], MEMBERS, ())))))
    return obligation(b.circuit({"in s": few, "goal": goal}))


def obligation(circuit: Circuit) -> Obligation:
    """A claim about all words of the circuit's input."""
    known = circuit.types[circuit.inputs["s"]]
    bound = Bound("s", known, Words(tuple("abcdef")))
    return Obligation("never", "forall", circuit, (bound,), Span(Source("", ""), 0, 0))


def plain(known: dict[str, FloatArray], s: npt.NDArray[np.int64]) -> int:
    """How many words of a batch (one a row) count and get the answer `NEVER`, in plain float64."""
    s = s[(s < 2).sum(1) <= MOST]
    x = known["embed"][s] + known["pos"]
    keys, values = x @ known["W_K"].T, x @ known["W_V"].T
    scores = np.matmul(keys, (x[:, -1] @ known["W_Q"].T)[:, :, None])[:, :, 0] / 4
    powers = np.exp(scores - scores.max(1, keepdims=True))
    pattern = powers / powers.sum(1, keepdims=True)
    resid = x[:, -1] + np.matmul(pattern[:, None, :], values)[:, 0] @ known["W_O"].T
    hidden = np.maximum(resid @ known["W_in"].T + known["b_in"], 0)
    resid = resid + hidden @ known["W_out"].T
    answers = (resid @ known["unembed"].T + known["bias"]).argmax(1)
    return int((answers == NEVER).sum())


def plain_pass(question: Obligation, known: dict[str, FloatArray]) -> int:
    """The plain pass over all words, in the engine's own batches and threads."""
    source = all_words(question.binders[0], STEP)

    def work(start: int) -> int:
        stop = min(start + source.step, source.count)
        words = source.batch(start, stop)["s"].values.astype(np.int64, copy=False)
        return plain(known, np.ascontiguousarray(words.T))

    return sum(batches(source, work))


def measured(positions: int) -> str:
    """One line of the table."""
    known = tensors(positions)
    question = claim(positions, known)
    weights = {
        f"m/{name}": Tensor(x.shape, "F32", array("d", x.ravel().tolist()))
        for name, x in known.items()
    }
    started, worked = perf_counter(), process_time()
    finding = decide(question, weights, Limits(timeout=3600.0), silent)
    bounded, bounded_work = perf_counter() - started, process_time() - worked
    assert isinstance(finding, Holds), finding
    words = finding.size.exact or 0
    started, worked = perf_counter(), process_time()
    assert plain_pass(question, known) == 0
    unbounded, unbounded_work = perf_counter() - started, process_time() - worked
    return (
        f"{positions:9}  {words:12,}  {words / bounded:12,.0f}  {words / unbounded:12,.0f}  "
        f"{bounded / unbounded:6.2f}  {bounded_work / unbounded_work:6.2f}  {finding.margin:9.3g}"
    )


def main(arguments: list[str]) -> None:
    """Print the table for these numbers of positions."""
    keep_memory()
    blas = os.environ.get("OPENBLAS_NUM_THREADS", "any number of")
    print(f"{WORKERS} threads on {os.cpu_count()} cores, BLAS in {blas} threads")
    print("positions         words   rounding       plain       ratio   ratio    margin")
    print("                          bounded /s     float64 /s  wall    cpu")
    for positions in map(int, arguments or ["6", "7", "8", "9"]):
        print(measured(positions), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
