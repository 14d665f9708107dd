"""Certificates of claims about what a norm multiplies are written for what is true."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import pytest

from circ.compiler.builder import codes, combine, matmul, number, reals, times
from circ.compiler.finding import Fails, Holds, Limits, silent
from circ.compiler.ir import Argmax, Compare, Not, Smooth, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from circ.runtime.engines import enumeration
from tests.agreement.certified import accepted, certificate
from tests.agreement.heads import Head, word
from tests.unit.obligations import NOWHERE


def normed(head: Head, x: Wire) -> Wire:
    """x / √(mean of squares + 1/1000), centred or not, times a gain or not."""
    b, share = head.b, Fraction(1, head.width)
    if head.chance.random() < 0.3:
        mean = reals(b, [share] * head.width**2, (head.width, head.width))
        x = combine(b, (1, x), (-1, matmul(b, mean, x)))
    under = combine(b, (share, matmul(b, x, x)), (1, number(b, Fraction(1, 1000))))
    x = times(b, b.add(Smooth("recip", b.add(Smooth("sqrt", under)))), x)
    return times(b, x, head.tensor(head.width)) if head.chance.random() < 0.5 else x


def claim_behind_a_norm(seed: int) -> tuple[Obligation, dict[str, Tensor]]:
    """That a letter which leads on few words, or on none, does not lead on the words of a language."""
    chance = Random(seed)
    letters, length = chance.choice([(3, 4), (3, 5), (4, 4), (5, 3)])
    head = Head(chance, letters, length, chance.randint(2, 3))
    unembed = head.tensor(letters, head.width)
    logits = matmul(head.b, unembed, normed(head, head.read()))
    values = head.values(logits)
    rows = [values[k : k + letters] for k in range(0, len(values), letters)]
    led = Counter(range(letters))
    led.update(row.index(max(row)) for row in rows)
    rare, _ = chance.choice(led.most_common()[-2:])
    leads = head.b.add(
        Compare("==", head.b.add(Argmax(logits)), codes(head.b, [rare], letters, ()))
    )
    outputs = {"in s": head.domain(), "goal": head.b.add(Not(leads))}
    bound = word(letters, length)
    return Obligation("c", "forall", head.b.circuit(outputs), (bound,), NOWHERE), head.weights


@pytest.mark.parametrize("start", [0, pytest.param(30, marks=pytest.mark.slow)])
def test_what_has_a_certificate_is_true(start: int) -> None:
    """A claim that is false has none; most true ones have, which hold fast and exactly."""
    true, false, certified = 0, 0, 0
    for seed in range(start, start + 30):
        claim, weights = claim_behind_a_norm(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        true, false = true + isinstance(found, Holds), false + isinstance(found, Fails)
        data = certificate(claim, weights)
        if data is None or not isinstance(found, Holds | Fails):
            continue
        assert isinstance(found, Holds), seed
        assert accepted(claim, weights, data), seed
        assert accepted(claim, weights, data, exact=False), seed
        certified += 1
    assert false > 3
    assert certified >= 0.7 * true > 5
