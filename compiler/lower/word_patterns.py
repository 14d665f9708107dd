"""`matches`: an automaton reads the word, a lookup a letter."""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.builder import Builder, take, truth
from circ.compiler.ir import Bool, Const, Index, Lookup, Wire, WireType
from circ.compiler.lower.environment import Environment
from circ.lang.check.automata import Automaton
from circ.lang.check.word_patterns import automaton_of, letters_of, machine_of
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import pattern_too_large, position_range
from circ.lang.syntax import Matches, NumberPattern

MOST_CELLS = 1 << 20
"""Of all tables: a cell for each state and letter."""


def lower_matches(e: Matches, env: Environment) -> Wire:
    """Whether the automaton of the pattern ends well; letters that it passes over are not read."""
    b = env.b
    word = env.wire(e.word)
    sort, (length,) = b.types[word].sort, b.shape(word)
    assert isinstance(sort, Index)
    for letter in letters_of(e.pattern):
        if isinstance(letter, NumberPattern) and letter.value >= sort.size:
            raise CircError(position_range(letter.span, letter.value, sort.size))
    if env.low.alike:
        return alike_at_each_letter(e, word, sort, env)
    machine = automaton_of(e, env.typed.facts.types[e.word], sort.size, length)
    if sum(map(len, set(machine.tables))) * sort.size > MOST_CELLS:
        raise CircError(pattern_too_large(e.pattern.span, f"{MOST_CELLS:,} cells of tables"))
    if machine.decided is not None:
        return truth(b, machine.decided)
    state: Wire | None = None
    for i in range(length):
        state = after_letter(b, state, word, i, machine)
    assert state is not None
    return state


def alike_at_each_letter(e: Matches, word: Wire, sort: Index, env: Environment) -> Wire:
    """The same by a machine that knows nothing of the word's length."""
    b = env.b
    machine = machine_of(e, env.typed.facts.types[e.word], sort.size)
    if len(machine.table) * sort.size > MOST_CELLS:
        raise CircError(pattern_too_large(e.pattern.span, f"{MOST_CELLS:,} cells of tables"))
    rows = [[row[kind] for kind in machine.kinds] for row in machine.table]
    states = Index(len(rows))
    (length,) = b.shape(word)
    state = chosen(b, states, rows[0], [take(b, word, [0])])
    for i in range(1, length):
        cells = [after for row in rows for after in row]
        state = chosen(b, states, cells, [state, take(b, word, [i])])
    return chosen(b, Bool(), [int(fits) for fits in machine.fits], [state])


def after_letter(
    b: Builder, state: Wire | None, word: Wire, i: int, machine: Automaton
) -> Wire | None:
    """The state after letter `i`, None where there is but one; after the last letter, a truth.

    Where the letter does not matter, no two states have the same one after them, or they would be
    one; and states are numbered as they are met, so that each keeps its number.
    """
    table = machine.tables[i]
    last = i == len(machine.tables) - 1
    sort = Bool() if last else Index(1 + max(map(max, table)))
    if all(len(set(row)) == 1 for row in table):
        ends = [row[0] for row in table]
        return chosen(b, sort, ends, [state]) if last and state is not None else state
    cells = [row[kind] for row in table for kind in machine.kinds]
    letter = take(b, word, [i])
    return chosen(b, sort, cells, [letter] if state is None else [state, letter])


def chosen(b: Builder, sort: Bool | Index, cells: Sequence[int], indices: Sequence[Wire]) -> Wire:
    """The cell that the indices name, of a table that is as large as they ask for."""
    sides = tuple(s.size for s in (b.types[wire].sort for wire in indices) if isinstance(s, Index))
    values = tuple(bool(cell) if sort == Bool() else cell for cell in cells)
    return b.add(Lookup(b.add(Const(WireType(sort, sides), values)), tuple(indices)))
