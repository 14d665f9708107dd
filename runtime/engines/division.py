"""Classes of words of which some meet a condition and some do not, taken apart until parts are sure.

The largest part is divided first, by the letters at the position that matters most to the comparison
that fails furthest. A part of one word goes to the exact reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.runtime.engines.alternatives import parted
from circ.runtime.engines.class_parts import Asked, Region, asked_of
from circ.runtime.engines.one_class import Setup

MOST_PARTS = 4000
"""Parts that are looked at; by then the open ones are few, or dividing does not help."""

Proved = Callable[[Setup, Region], BoolArray]


@dataclass(slots=True)
class Division:
    """How many words are counted `surely`, and how many `never`; the open parts wait.

    `yes` and `no` have in numbers, class by class, when the goal holds and when it does not; none
    where ReLUs stand between, and `proved` is asked. `tied` words hang on how ties are broken, `close` ones are too close to
    call. `exactly`: how many went to the exact reference.
    """

    setup: Setup
    other: Setup | None
    yes: tuple[Asked, ...]
    no: tuple[Asked, ...]
    proved: Proved
    surely: int = 0
    never: int = 0
    tied: int = 0
    close: int = 0
    exactly: int = 0
    parts: int = 0
    waiting: list[tuple[int, int, Region]] = field(default_factory=list[tuple[int, int, Region]])

    @classmethod
    def of(cls, setup: Setup, other: Setup | None, proved: Proved) -> Division:
        """The classes of a count, whose denial is `other`."""
        no = () if other is None else in_numbers(other)
        return cls(setup, other, in_numbers(setup), no, proved)

    def add(self, words: Region, yes: BoolArray) -> None:
        """A class, the goal being proved of it under some fixings."""
        no = np.zeros_like(yes) if yes.all() else self.sure(self.other, self.no, words) & ~yes
        self.surely += words.words(self.setup.alphabet, yes)
        self.never += words.words(self.setup.alphabet, no)
        for place in np.flatnonzero(~yes & ~no).tolist():
            self.wait(words.under(self.setup.alphabet, place))

    def wait(self, words: Region) -> None:
        """Keep a part that is open, under one fixing."""
        self.parts += 1
        heappush(self.waiting, (-words.language.count(), self.parts, words))

    def goes_on(self) -> bool:
        """Whether a part may be divided further."""
        return bool(self.waiting) and self.other is not None and self.parts < MOST_PARTS

    def divide(self) -> None:
        """Take the largest open part apart, and look at its parts."""
        _, _, words = heappop(self.waiting)
        alphabet = self.setup.alphabet
        halves = parted(words.language, self.weights(words), alphabet.fixed)
        if not halves:
            self.judge(words.language.some_word())
        for half in halves:
            if not half.empty:
                self.look(words.narrowed(alphabet, half))

    def look(self, words: Region) -> None:
        """A part under one fixing: it is sure, or it waits."""
        if self.sure(self.setup, self.yes, words).all():
            self.surely += words.language.count()
        elif self.sure(self.other, self.no, words).all():
            self.never += words.language.count()
        else:
            self.wait(words)

    def sure(self, setup: Setup | None, formulas: Sequence[Asked], words: Region) -> BoolArray:
        """Under which fixings a formula, or else the goal of `setup`, holds on all words."""
        if formulas:
            asked = formulas[words.kind]
            return asked.holds(asked.sums(words.paths))
        if setup is None:
            return np.zeros(words.paths.fixings.size, np.bool_)
        return self.proved(setup, words)

    def weights(self, words: Region) -> FloatArray:
        """What each letter [position, letter] adds to the comparison that fails furthest; else alike."""
        if not self.yes:
            alphabet = self.setup.alphabet
            return np.zeros((alphabet.length, alphabet.size))
        asked = self.yes[words.kind]
        return asked.hardest(asked.sums(words.paths), int(words.paths.fixings[0]))

    def judge(self, word: tuple[int, ...]) -> None:
        """One word, by the exact reference, which is asked whether the denial fails."""
        assert self.other is not None, "parts are divided where there is a denial"
        found = self.other.judgement({self.setup.obligation.binders[0].name: word})
        self.exactly += 1
        if found.surely:
            self.surely += 1
        elif found.fails:
            self.tied += 1
        elif found.open:
            self.close += 1
        else:
            self.never += 1

    @property
    def told(self) -> str:
        """What became of the classes, for people."""
        exactly = f"; {self.exactly:,} words decided exactly" if self.exactly else ""
        parts = f", divided into {self.parts:,} parts" if self.parts else ""
        return f"{parts}{exactly}"

    @property
    def reason(self) -> str:
        """Why the number is open."""
        told = (
            (len(self.waiting), "parts of classes lie between"),
            (self.tied, "words hang on how ties are broken"),
            (self.close, "words are too close to call"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in told if count)


def in_numbers(setup: Setup) -> tuple[Asked, ...]:
    """The formula of each class in numbers; none where ReLUs stand between."""
    if setup.sums is None:
        return ()
    return tuple(asked_of(setup.sums, formula) for formula in setup.formulas)
