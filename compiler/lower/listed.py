"""What goes over the values of a domain one by one: which values those are.

Of a domain with a condition they are what the exact reference says, value by value. A list that a circuit is made of
has to be known before any input is, however ties are broken, and whatever a patch changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from circ.compiler.builder import reindex
from circ.compiler.ir import Circuit, Index, Input, Wire
from circ.compiler.lower.constants import by_a_patch
from circ.compiler.lower.data import data_set, lower_row, rows, words
from circ.compiler.lower.domains import binder_type, lower_domain
from circ.compiler.lower.environment import Environment, Lowering
from circ.compiler.lower.quantities import restricted
from circ.compiler.passes import run_passes
from circ.compiler.readings.choices import EITHER, TRUE
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.tensor import Weights
from circ.compiler.trial import truth
from circ.lang.check.quantities import whole
from circ.lang.diagnostic import CircError
from circ.lang.errors.quantities import lists_nothing, not_known
from circ.lang.span import Span
from circ.lang.syntax import DataSet, DomainDecl, DomainExpr

VALUE, INSIDE = "value", "inside"
"""The input that stands for a value, or for the number of a row; and the truth whether it is in the domain."""


def values(decl: DomainDecl, span: Span, env: Environment) -> Wire:
    """All values of a domain along a leading axis; raises `CircError` where these are not known, or there are none.

    `span` is where they are gone through.
    """
    if isinstance(decl.value, DataSet):
        return rows(decl, env)
    data = data_set(decl.value, env.low.scope_of(decl), env.low.typed)
    every = words(decl, env) if data is None else rows(data, env)
    if whole(decl.value):
        return every
    kept = [*admitted(decl, decl.value, data, span, env)]
    if not kept:
        raise CircError(lists_nothing(span, decl.name.text))
    shape = env.b.shape(every)[1:]
    size = env.b.types[every].entries // env.b.shape(every)[0]
    source = [k * size + place for k in kept for place in range(size)]
    return reindex(env.b, [every], source, (len(kept), *shape))


def admitted(
    decl: DomainDecl, domain: DomainExpr, data: DomainDecl | None, span: Span, env: Environment
) -> Iterator[int]:
    """The numbers of the values that meet the conditions of a domain, in order."""
    low, name = env.low, decl.name.text
    outside = Lowering(low.typed, low.params, low.weights, low.lower)
    inner = Environment(outside, low.scope_of(decl))
    variable = input_of(domain, data, inner)
    inside = lower_domain(domain, variable, inner)
    if by_a_patch(inside, inner):
        raise CircError(not_known(span, name, "hang on a tensor that the patch edits"))
    circuit = run_passes(restricted(outside, {INSIDE: inside}, variable))
    known = circuit.types[circuit.inputs[VALUE]]
    assert isinstance(known.sort, Index)
    for number, codes in enumerate(product(range(known.sort.size), repeat=known.entries)):
        found = met(circuit, codes, low.weights)
        if found == EITHER:
            raise CircError(
                not_known(span, name, "hang on how a tie is broken, or are too close to call")
            )
        if found == TRUE:
            yield number


def input_of(domain: DomainExpr, data: DomainDecl | None, env: Environment) -> Wire:
    """A value of a domain, as an input; of a data set, the row whose number is the input."""
    if data is not None:
        return lower_row(VALUE, data, env)
    return env.b.add(Input(VALUE, binder_type(env.low, domain)))


def met(circuit: Circuit, codes: Sequence[int], weights: Weights) -> frozenset[int]:
    """Whether a value meets the conditions; both, where that cannot be said."""
    try:
        found = enclose(circuit, at_point(circuit, {VALUE: codes}), weights)
    except Undefined:
        return EITHER
    return truth(found[INSIDE])
