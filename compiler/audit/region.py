"""Some words of a class: those that an automaton accepts, with some letters at some positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from circ.compiler.audit.machine import DEAD, Step
from circ.compiler.audit.rejected import require

Kind = tuple[tuple[int, ...], list[int]]
"""Letters that lead on alike: the state after each state, and where they stand among the letters."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The words through `steps` with letters from `allowed[p]` at position p.

    `states` has the number of states of each layer, the last too. At the `fixed` position, if there
    is one, row r of a reading has letter r; `rows` are those that are meant.
    """

    steps: Sequence[Step]
    states: Sequence[int]
    letters: int
    allowed: Mapping[int, frozenset[int]]
    fixed: int | None
    rows: tuple[int, ...]
    found: dict[tuple[int, int], tuple[list[int], list[Kind]]] = field(
        default_factory=dict[tuple[int, int], "tuple[list[int], list[Kind]]"], repr=False
    )

    def kinds_at(self, position: int, row: int) -> tuple[list[int], list[Kind]]:
        """The letters at a position, and those together that lead on alike."""
        key = position, row if position == self.fixed else 0
        if key not in self.found:
            letters = self.letters_at(position, row)
            columns = list(zip(*self.steps[position], strict=True))
            kinds: dict[tuple[int, ...], list[int]] = {}
            for place, letter in enumerate(letters):
                kinds.setdefault(columns[letter], []).append(place)
            self.found[key] = letters, list(kinds.items())
        return self.found[key]

    def letters_at(self, position: int, row: int) -> list[int]:
        """The letters that occur somewhere at a position, of those allowed."""
        step, allowed = self.steps[position], self.allowed.get(position)
        if position == self.fixed:
            return [row] if any(states[row] != DEAD for states in step) else []
        return [c for c in occurring(step) if allowed is None or c in allowed]

    def with_letters(self, position: int, letters: Sequence[int]) -> Region:
        """The words with one of these letters at a position."""
        allowed = {**self.allowed, position: frozenset(letters)}
        return replace(self, allowed=allowed, found={})

    def with_rows(self, rows: Sequence[int]) -> Region:
        """The words of some rows."""
        return replace(self, rows=tuple(rows), found={})

    def words(self, most: int) -> list[tuple[int, ...]]:
        """All words; raises `Rejected` where they are more than that."""
        found: list[tuple[int, ...]] = []
        for row in self.rows:
            for word in self.words_of(row):
                require(len(found) < most, "too many words are to be gone through")
                found.append(word)
        return found

    @property
    def has_words(self) -> bool:
        """Whether there is one at all."""
        return any(next(self.words_of(row), None) is not None for row in self.rows)

    def words_of(self, row: int) -> Iterator[tuple[int, ...]]:
        """The words of one row."""
        alive = [[True] * self.states[-1]]
        letters = [self.letters_at(position, row) for position in range(len(self.steps))]
        for step, some in zip(reversed(self.steps), reversed(letters), strict=True):
            ahead = alive[-1]
            alive.append([any(s[c] != DEAD and ahead[s[c]] for c in some) for s in step])
        alive.reverse()
        waiting: list[tuple[tuple[int, ...], int]] = [((), 0)] if alive[0][0] else []
        while waiting:
            word, state = waiting.pop()
            at = len(word)
            if at == len(self.steps):
                yield word
                continue
            for letter in letters[at]:
                after = self.steps[at][state][letter]
                if after != DEAD and alive[at + 1][after]:
                    waiting.append(((*word, letter), after))


def whole(steps: Sequence[Step], states: Sequence[int], letters: int, fixed: int | None) -> Region:
    """All words through an automaton: every row that occurs."""
    rows = (0,) if fixed is None else tuple(occurring(steps[fixed]))
    return Region(steps, states, letters, {}, fixed, rows)


def occurring(step: Step) -> list[int]:
    """The letters that lead on from some state."""
    return [letter for letter, after in enumerate(zip(*step, strict=True)) if max(after) != DEAD]
