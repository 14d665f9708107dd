"""What a claim asks, as hashes: each obligation on the way to its verdict, and the tensors it reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import partial

from circ.compiler.audit.digest import obligation_digest, tensor_digest
from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.runtime.cache.records import Asked

Form = tuple[bool, int | None]
"""Whether a question is asked alike for all lengths, and at which."""


@dataclass(slots=True)
class Asking:
    """A question and its tensors, hashed form by form; each tensor is hashed once.

    A verdict depends on the obligations that were asked for, which are few of a claim that a short
    word refutes, so `trace` has those of the question that `watched` gives. Raises as `question.at`.
    """

    question: Question
    weights: Weights
    trace: dict[Form, Asked] = field(default_factory=dict[Form, Asked])
    tensors: dict[str, str] = field(default_factory=dict[str, str])
    digests: dict[Form, str] = field(default_factory=dict[Form, str])
    latest: tuple[Form, Obligation] | None = None

    @property
    def watched(self) -> Question:
        """The question, each of its obligations noted when it is asked for."""
        at, alike = partial(self.noted, alike=False), partial(self.noted, alike=True)
        return replace(self.question, at=at, alike=alike)

    def noted(self, length: int | None, *, alike: bool) -> Obligation:
        """An obligation, as the question has it."""
        found = self.obligation((alike, length))
        self.trace[alike, length] = Asked(alike, length, self.digest((alike, length)))
        return found

    def obligation(self, form: Form) -> Obligation:
        """An obligation; the latest one is not lowered twice."""
        if self.latest is None or self.latest[0] != form:
            alike, length = form
            found = self.question.alike(length) if alike else self.question.at(length)
            self.latest = form, found
        return self.latest[1]

    def digest(self, form: Form) -> str:
        """SHA-256 of an obligation and of the tensors that it reads."""
        if form not in self.digests:
            about = described(self.obligation(form), self.weights, self.tensors)
            self.digests[form] = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        return self.digests[form]

    def first(self) -> Form:
        """The form in which every way to decide a claim asks first: its shortest word."""
        several = self.question.lengths
        return False, None if several is None else several.first


def described(obligation: Obligation, weights: Weights, tensors: dict[str, str]) -> list[object]:
    """All that a verdict on an obligation depends on, as JSON; `tensors` has hashes that are known.

    Places of arms are told in warnings, members of enums at witnesses.
    """
    keys = sorted({*obligation.circuit.weights})
    for key in keys:
        if key not in tensors:
            tensors[key] = tensor_digest(weights[key])
    return [
        obligation_digest(obligation),
        obligation.length,
        sorted(obligation.members.items()),
        [arm.place for arm in obligation.arms],
        [[key, tensors[key]] for key in keys],
        [
            [known.name, known.text, [described(q, weights, tensors) for q in known.questions]]
            for known in obligation.quantities
        ],
    ]
