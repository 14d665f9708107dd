"""VNN-LIB 2.0, as far as properties of one network go; the only module that imports vnnlib.

The library parses and checks the text; numbers are read again from it, exactly. What is read is the
part of the language that version 1.0 has too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import NoReturn

from circ.compiler.vnnlib.formula import (
    Both,
    Either,
    Formula,
    Property,
    Term,
    TooLong,
    multiplied,
    negation,
    total,
)
from circ.compiler.vnnlib.text import groups, number
from circ.compiler.vnnlib.version1 import TOO_LONG, comparison
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import beyond_version_2, no_library, not_linear, not_vnnlib
from circ.lang.span import Source, Span

try:
    import vnnlib
except ImportError as error:
    raise CircError(no_library("VNN-LIB 2.0", "vnnlib")) from error


@dataclass(frozen=True, slots=True)
class Variables:
    """Where the entries of each tensor start among all inputs or outputs, and its shape."""

    starts: dict[str, tuple[int, tuple[int, ...]]]
    count: int


def read(source: Source) -> Property:
    """The property; raises `CircError` (E0801, E0811, E0812, E0815, E0817)."""
    for _ in groups(source):  # bounds the depth, since the library recurs
        pass
    whole = Span(source, 0, 0)
    try:
        query = vnnlib.parse_query_string(source.text)
    except (vnnlib.VNNLibException, RuntimeError) as error:
        raise CircError(not_vnnlib(whole, " ".join(str(error).split()))) from error
    return Walk(source, query).property()


class Walk:
    """A parsed text being read."""

    def __init__(self, source: Source, query: vnnlib.Query) -> None:
        self.source = source
        self.query = query
        self.whole = Span(source, 0, 0)
        if len(query.networks) != 1:
            self.beyond(f"it is about {len(query.networks)} networks")
        (network,) = query.networks
        if network.hidden:
            self.beyond("it names hidden outputs")
        if network.equal_to or network.isometric_to:
            self.beyond("it compares networks")
        self.inputs = variables([(x.name, x.shape) for x in network.inputs])
        self.outputs = variables([(x.name, x.shape) for x in network.outputs])

    def beyond(self, reason: str) -> NoReturn:
        """Raise `CircError` (E0817)."""
        raise CircError(beyond_version_2(self.whole, reason))

    def property(self) -> Property:
        """All assertions."""
        try:
            formulas = [self.formula(found.expr) for found in self.query.assertions]
        except TooLong:
            raise CircError(not_vnnlib(self.whole, TOO_LONG)) from None
        count = self.inputs.count
        names = tuple(
            f"{name}[{k}]"
            for name, (_, shape) in self.inputs.starts.items()
            for k in range(prod(shape))
        )
        declared = (self.whole,) * count
        return Property(
            Both(tuple(formulas)), count, self.outputs.count, declared, names, self.whole
        )

    def formula(self, found: vnnlib.BoolExpr) -> Formula:
        """A truth."""
        match found:
            case vnnlib.And():
                return Both(tuple(map(self.formula, found.args)))
            case vnnlib.Or():
                return Either(tuple(map(self.formula, found.args)))
            case vnnlib.LessEqual():
                return self.compared("<=", found)
            case vnnlib.LessThan():
                return self.compared("<", found)
            case vnnlib.GreaterEqual():
                return self.compared(">=", found)
            case vnnlib.GreaterThan():
                return self.compared(">", found)
            case vnnlib.Equal():
                return self.compared("=", found)
            case vnnlib.NotEqual():
                return negation(self.compared("=", found))
            case _:
                return self.beyond(f"`{found}`")

    def compared(self, op: str, found: vnnlib.Comparison) -> Formula:
        """A comparison."""
        return comparison(op, self.term(found.lhs), self.term(found.rhs))

    def term(self, found: vnnlib.ArithExpr) -> Term:
        """A linear term."""
        match found:
            case vnnlib.Var():
                return self.variable(found)
            case vnnlib.Literal():
                known = number(found.lexeme)
                return self.beyond(f"`{found}`") if known is None else Term(constant=known)
            case vnnlib.Negate():
                return total([(-1, self.term(found.expr))])
            case vnnlib.Plus():
                return total([(1, self.term(part)) for part in found.args])
            case vnnlib.Minus():
                rest = [(-1, self.term(part)) for part in found.rest]
                return total([(1, self.term(found.head)), *rest])
            case vnnlib.Multiply():
                return self.product([self.term(part) for part in found.args])
            case _:
                return self.beyond(f"`{found}`")

    def product(self, parts: list[Term]) -> Term:
        """Constants times at most one term with variables."""
        found = multiplied(parts)
        if found is None:
            raise CircError(not_linear(self.whole, "a product of variables"))
        return found

    def variable(self, found: vnnlib.Var) -> Term:
        """An entry of an input or an output."""
        among = self.inputs if found.name in self.inputs.starts else self.outputs
        if found.name not in among.starts:
            self.beyond(f"`{found.name}` is neither an input nor an output")
        start, shape = among.starts[found.name]
        offset = 0
        for k, side in zip(found.indices, shape, strict=True):
            offset = offset * side + int(k)
        one = {start + offset: Fraction(1)}
        return Term(inputs=one) if among is self.inputs else Term(outputs=one)


def variables(tensors: list[tuple[str, list[int]]]) -> Variables:
    """The entries of all tensors, laid end to end."""
    starts: dict[str, tuple[int, tuple[int, ...]]] = {}
    count = 0
    for name, shape in tensors:
        starts[name] = (count, tuple(shape))
        count += prod(shape)
    return Variables(starts, count)
