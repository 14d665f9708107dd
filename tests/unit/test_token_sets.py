"""Claims about two attention heads added, on more words than can be gone through."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction

from circ.compiler.builder import (
    Builder,
    both,
    codes,
    combine,
    implies,
    matmul,
    number,
    take,
    truth,
)
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Input,
    Lookup,
    Not,
    Softmax,
    Weight,
    Wire,
)
from circ.compiler.obligation import Bound, Obligation
from circ.compiler.tensor import Tensor
from circ.compiler.verdict import Proved, Refuted
from circ.runtime import report
from circ.runtime.engines import automata, token_sets
from circ.runtime.prover import prove
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE

LENGTH, LETTERS = 20, 3
DIFFERENCE = 1.0
"""Above the largest that the third logit can be, though not by so much that one region shows it."""

FEW = Limits(words=100)
"""Neither words nor their count vectors are gone through."""

Goal = Callable[[Builder, Wire, Wire], Wire]
Asked = tuple[Obligation, dict[str, Tensor]]


def claim(goal: Goal, where: Goal | None = None) -> Asked:
    """A claim about three logits of two heads, which read value 1 for letter 0, -1/4 for letter 1, and
    1/2 for letter 2. The first two logits are the sum of what they read, the third is the difference.
    """
    b = Builder()
    weights: dict[str, Tensor] = {}

    def tensor(*rows: tuple[float, ...]) -> Wire:
        key, shape = f"m/{len(weights)}", (len(rows), len(rows[0]))
        weights[key] = Tensor(shape, "F32", array("d", [x for row in rows for x in row]))
        return b.add(Weight(key, shape))

    s = b.add(Input("s", word(LETTERS, LENGTH).type))
    x = b.add(Lookup(tensor((1.0, 0.5), (-0.25, 1.0), (0.5, -1.0)), (s,)))
    reads: list[Wire] = []
    for rows in (((1.0, 0.5), (0.25, -0.5)), ((-1.0, 0.25), (0.5, 0.75))):
        query = matmul(b, tensor(*rows), take(b, x, [LENGTH - 1]))
        reads.append(matmul(b, b.add(Softmax(matmul(b, x, query))), x))
    ways = tensor((1.0, 0.0), (1.0, 0.0), (1.0, 0.0)), tensor((1.0, 0.0), (1.0, 0.0), (-1.0, 0.0))
    logits = combine(b, *((1, matmul(b, w, read)) for w, read in zip(ways, reads, strict=True)))
    outputs = {
        "in s": truth(b, True),
        "where": truth(b, True) if where is None else where(b, s, logits),
        "goal": goal(b, s, logits),
    }
    return Obligation("c", "forall", b.circuit(outputs), (word(LETTERS, LENGTH),), NOWHERE), weights


def found(asked: Asked, limits: Limits | None = None, progress: Progress = silent) -> Finding:
    """What enclosures say of it."""
    return token_sets.decide(*asked, limits or Limits(), progress)


def below(entry: int, bound: float) -> Goal:
    """Whether a logit is at most so large."""

    def goal(b: Builder, _s: Wire, logits: Wire) -> Wire:
        return b.add(Compare("<=", take(b, logits, [entry]), number(b, Fraction(bound))))

    return goal


def above(entry: int, bound: float) -> Goal:
    """Whether a logit is larger than that."""

    def goal(b: Builder, s: Wire, logits: Wire) -> Wire:
        return b.add(Not(below(entry, bound)(b, s, logits)))

    return goal


def best_is(letter: int) -> Goal:
    """Whether a letter's logit is the largest, as the unknown choice has it."""

    def goal(b: Builder, _s: Wire, logits: Wire) -> Wire:
        best = b.add(Argmax(logits))
        return b.add(Compare("==", best, codes(b, [letter], LETTERS, ())))

    return goal


def unlike_the_first(b: Builder, s: Wire, logits: Wire) -> Wire:
    """A logit is below 3/2 where the word starts with letter 0 twice, and elsewhere below 5."""
    zero = codes(b, [0], LETTERS, ())
    first = both(b, *(b.add(Compare("==", take(b, s, [p]), zero)) for p in range(2)))
    return both(
        b,
        implies(b, first, below(0, 1.5)(b, s, logits)),
        implies(b, b.add(Not(first)), below(0, 5)(b, s, logits)),
    )


def test_two_heads_are_more_than_paths_decide() -> None:
    """The sum of two reads of values of at most 1 is below 2.01 on all 3^20 words, and the margin is
    no more than is left; shortest paths do not say so."""
    asked = claim(below(0, 2.01))
    assert isinstance(automata.decide(*asked, Limits(), silent), Stuck)
    proved = found(asked)
    assert isinstance(proved, Holds)
    assert proved.size.exact == LETTERS**LENGTH
    assert proved.margin is not None
    assert 0 < proved.margin <= 0.01 + 1e-12
    shown = [line.text for line in report.verdict_lines(asked[0], prove(*asked, FEW))]
    assert any("least margin: at least 0.0" in line for line in shown)


def test_a_word_that_fails_is_found() -> None:
    """The sum is 2 on the word of letter 0 alone: it is not below 1.999 there; the exact replay says
    so, and the verdict names the engine."""
    refuted = found(claim(below(0, 1.999)))
    assert isinstance(refuted, Fails)
    assert set(refuted.witness["s"]) == {0}
    verdict = prove(*claim(below(0, 1.999)), FEW)
    assert isinstance(verdict, Refuted)
    assert verdict.method.startswith(token_sets.METHOD)
    assert isinstance(prove(*claim(below(0, 2.01)), FEW), Proved)


def test_a_tie_is_never_a_proof() -> None:
    """Letters 0 and 1 lead together: that one of them is chosen is not proved."""
    for letter in (0, 1):
        assert not isinstance(found(claim(best_is(letter)), Limits(timeout=1)), Holds)


def test_a_condition_on_the_network_narrows_the_claim() -> None:
    """Where the sum is above 1 it is not below a half; elsewhere it may be. Nothing is above 3."""
    assert isinstance(found(claim(above(0, 0.5), where=above(0, 1.0))), Holds)
    assert isinstance(found(claim(above(0, 0.5))), Fails)
    empty = found(claim(below(0, 0.0), where=above(0, 3.0)))
    assert isinstance(empty, Empty)
    assert empty.reason == "nothing meets the `where`"


def test_failing_classes_are_listed() -> None:
    """Of the two classes of words, by whether they start with letter 0 twice, one fails."""
    refuted = found(claim(unlike_the_first))
    assert isinstance(refuted, Fails)
    assert refuted.classes == (1, 2)
    assert len(refuted.failing) == 1
    assert refuted.witness["s"][0] == 0


def test_the_time_limit_leaves_a_share_open() -> None:
    """With no time nothing is decided: the reason says how much is left, and where it is hardest."""
    stuck = found(claim(below(2, DIFFERENCE)), Limits(timeout=0))
    assert isinstance(stuck, Stuck)
    assert stuck.reason.startswith("time ran out with 100.0% of the words open, in 2 regions")
    assert "the hardest is [_, " in stuck.reason
    assert stuck.hint
    assert stuck.hardest is not None
    assert not stuck.interrupted


def test_an_interruption_ends_it() -> None:
    """What the user stops is not asked again elsewhere."""

    def stop(share: float, doing: str) -> None:
        assert 0 <= share <= 1
        assert "regions" in doing
        raise KeyboardInterrupt

    stuck = found(claim(below(2, DIFFERENCE)), progress=stop)
    assert isinstance(stuck, Stuck)
    assert stuck.interrupted


def test_what_it_does_not_take() -> None:
    """Two words, or a choice of what is read that several positions make."""
    asked, weights = claim(below(0, 2.01))
    other: Bound = word(LETTERS, 2)
    two = Obligation("c", "forall", asked.circuit, (*asked.binders, other), NOWHERE)
    assert isinstance(token_sets.decide(two, weights, Limits(), silent), Stuck)

    def switched(b: Builder, s: Wire, logits: Wire) -> Wire:
        table = b.add(Weight("m/0", (3, 2)))
        best = b.add(Argmax(logits))
        read = b.add(Lookup(table, (best,)))
        sides = take(b, read, [0]), take(b, logits, [0])
        return b.add(Compare("<", sides[0], combine(b, (1, sides[1]), (1, number(b, 5)))))

    stuck = found(claim(switched))
    assert isinstance(stuck, Stuck)
    assert "a choice inside the network" in stuck.reason
