"""What is done along a word that may have any length is tied to its letters.

What is the same for each letter would be worked out beforehand: scores that are known have the softmax
1/n, ones have the sum n, and a fold that only counts is known after each step. Then a circuit for one
length would say in its numbers how long the word is. So whatever is added up along the word is
multiplied by a one that is read off each letter, and the state of a fold goes through a table that reads the letter
and leaves it as it is. The values stay what they were; what remains is the form, one term a letter and
one step a letter, that is the same at every length.
"""

from __future__ import annotations

from fractions import Fraction

from circ.compiler.builder import axis_last, broadcast, reals, reindex, stack, take, times
from circ.compiler.ir import All, Bool, Const, Index, Lookup, Real, Softmax, Wire, WireType
from circ.compiler.lower.environment import Environment, Tensors, Tuple, Value
from circ.lang.binding import bound
from circ.lang.syntax import Expr
from circ.lang.types import Array, Lengths


def along_word(e: Expr, env: Environment) -> list[int]:
    """The axes of a tensor that go along a word of any length."""
    t = env.typed.facts.types.get(e)
    if not env.low.alike or not isinstance(t, Array):
        return []
    dims = (bound(dim, env.binding) for dim in t.dims)
    return [axis for axis, dim in enumerate(dims) if isinstance(dim, Lengths)]


def tied(e: Expr, env: Environment) -> Wire:
    """The wire of a tensor of reals, each of its entries along the word tied to the letter there."""
    b, wire = env.b, env.wire(e)
    shape = b.shape(wire)
    for axis in along_word(e, env):
        inner = 1
        for side in shape[axis + 1 :]:
            inner *= side
        source = [k // inner % shape[axis] for k in range(b.types[wire].entries)]
        ones = read_off(1, word_of(env), env)
        wire = times(b, wire, reindex(b, [ones], source, shape))
    return wire


def read_off(number: int, at: Wire, env: Environment) -> Wire:
    """The same number for each of these letters."""
    size = letters(env)
    return env.b.add(Lookup(reals(env.b, [Fraction(number)] * size, (size,)), (at,)))


def shares(e: Expr, env: Environment) -> Wire | None:
    """1/n for each letter, as a softmax, where the leading axis goes along a word of any length."""
    if 0 not in along_word(e, env):
        return None
    return env.b.add(Softmax(read_off(0, word_of(env), env)))


def after_step(value: Value, place: int, env: Environment) -> Value:
    """The state of a fold along the word, tied to the letter that was read."""
    b, letter = env.b, take(env.b, word_of(env), [place])
    match value:
        case Tuple(items=items):
            return Tuple(tuple(after_step(item, place, env) for item in items))
        case Tensors():
            return value
        case _:
            pass
    shape = b.shape(value)
    sort, size = b.types[value].sort, letters(env)
    at = broadcast(b, letter, shape) if shape else letter
    match sort:
        case Real():
            return times(b, value, read_off(1, at, env))
        case Bool():
            always = b.add(Lookup(b.add(Const(WireType(Bool(), (size,)), (True,) * size)), (at,)))
            return b.add(All(axis_last(b, stack(b, [value, always]))))
        case Index(size=states):
            same = tuple(state for state in range(states) for _ in range(size))
            table = b.add(Const(WireType(Index(states), (states, size)), same))
            return b.add(Lookup(table, (value, at)))


def word_of(env: Environment) -> Wire:
    """The word that may have any length."""
    assert env.low.word is not None
    return env.low.word


def letters(env: Environment) -> int:
    """How many letters there are."""
    sort = env.b.types[word_of(env)].sort
    assert isinstance(sort, Index)
    return sort.size
