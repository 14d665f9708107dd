"""Calls: of circuits, and of the functions that the language itself has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from circ.lang.check.calls import infer_circuit
from circ.lang.check.constants import is_constant, whole
from circ.lang.check.context import Context
from circ.lang.check.meant import without_axis
from circ.lang.check.operators import broadcast_type, counted
from circ.lang.errors.dimensions import no_such_dimension
from circ.lang.errors.names import not_a, unknown_function, unknown_name
from circ.lang.errors.types import (
    argument_count,
    empty_axis,
    keeps_too_many,
    mismatch,
    negative_root,
    not_constant,
    operands_differ,
    wrong_kind,
)
from circ.lang.foreign import FUNCTIONS_ELSEWHERE
from circ.lang.scope import kind
from circ.lang.syntax import Call, CircuitDecl, Compare, Name, NetworkDecl
from circ.lang.types import (
    BOOL,
    INVALID,
    REAL,
    Array,
    BoolElement,
    Invalid,
    RealElement,
    Type,
    fits,
    is_ordered,
    is_real,
    positions,
    same_dims,
    size,
)

Rule = Callable[[Call, list[Array], Context], Type]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: how many arguments it takes, its typing rule, its meaning."""

    least: int
    most: int | None
    rule: Rule
    doc: str

    @property
    def arguments(self) -> str:
        """How many arguments, in words."""
        if self.most is None:
            return f"{self.least} or more arguments"
        many = str(self.least) if self.least == self.most else f"{self.least} or {self.most}"
        return f"{many} argument{'' if many == '1' else 's'}"


GATHERING = ("sum", "mean", "max", "min", "all", "any")
"""What makes of the entries along a leading axis one, however many they are."""


def infer_call(e: Call, ctx: Context) -> Type:
    """A circuit's result, or the rule of a function of the language; locals are no functions."""
    if e.function.text in GATHERING and len(e.args) == 1:
        ctx.facts.gathered.update(e.args)
    given = [ctx.infer(arg) for arg in e.args]
    item = ctx.facts.scope.values.get(e.function.text)
    function = FUNCTIONS.get(e.function.text)
    if isinstance(item, CircuitDecl | NetworkDecl):
        return infer_circuit(e, item, given, ctx)
    if function is not None:
        return infer_function(e, function, given, ctx)
    return no_circuit(e.function, ctx)


def no_circuit(name: Name, ctx: Context) -> Type:
    """Report what is wrong with a name where a circuit is wanted."""
    values = ctx.facts.scope.values
    if name.text in ctx.locals:
        return ctx.error(not_a(name, "a value", "a circuit"))
    if name.text in values:
        return ctx.error(not_a(name, kind(values[name.text]), "a circuit"))
    way_out = FUNCTIONS_ELSEWHERE.get(name.text)
    if way_out is not None:
        return ctx.error(unknown_function(name, way_out))
    circuits = [n for n, item in values.items() if isinstance(item, CircuitDecl | NetworkDecl)]
    return ctx.unknown(unknown_name(name.span, name.text, [*circuits, *FUNCTIONS]))


def infer_function(e: Call, function: Function, given: list[Type], ctx: Context) -> Type:
    """The rule of a function of the language, once there are enough tensors for it."""
    name = e.function.text
    for each in e.given:
        ctx.error(no_such_dimension(each.name, name, []))
    if len(given) < function.least or (function.most is not None and len(given) > function.most):
        found = argument_count(e.span, name, function.arguments, len(given))
        return ctx.error(without_axis(found, e, given[0]) if given else found)
    arrays = [t for t in given if isinstance(t, Array)]
    for arg, t in zip(e.args, given, strict=True):
        if not isinstance(t, Array | Invalid):
            ctx.error(wrong_kind(arg.span, t, "tensors", f"`{name}`"))
    return function.rule(e, arrays, ctx) if len(arrays) == len(given) else INVALID


# --- rules of the language's own functions ----------------------------------------------------


def reals(e: Call, given: list[Array], ctx: Context) -> bool:
    """Whether all arguments are reals; reports those that are not."""
    for arg, t in zip(e.args, given, strict=True):
        if not is_real(t):
            ctx.error(wrong_kind(arg.span, t, "reals", f"`{e.function.text}`"))
    return all(map(is_real, given))


def entrywise(e: Call, given: list[Array], ctx: Context) -> Type:
    """The argument's own shape."""
    return given[0] if reals(e, given, ctx) else INVALID


def has_axis(e: Call, t: Array, ctx: Context, place: int = 0) -> bool:
    """Whether an argument has an axis to go along, with an entry on it."""
    if not t.dims:
        ctx.error(wrong_kind(e.args[place].span, t, "an axis", f"`{e.function.text}`"))
    elif size(t.dims[0]) == 0 or size(t.dims[-1]) == 0:
        ctx.error(empty_axis(e.args[place].span, f"`{e.function.text}`"))
    return bool(t.dims) and size(t.dims[0]) != 0 and size(t.dims[-1]) != 0


def leading(e: Call, given: list[Array], ctx: Context) -> Type:
    """Over the leading axis, which is dropped."""
    if not reals(e, given, ctx) or not has_axis(e, given[0], ctx):
        return INVALID
    return Array(RealElement(), given[0].dims[1:])


def extremum(e: Call, given: list[Array], ctx: Context) -> Type:
    """Over the leading axis of one argument, or entrywise over several."""
    kinds = counted(e.args, given, ctx)
    for arg, t in zip(e.args, kinds, strict=True):
        if not isinstance(t, Invalid) and not is_ordered(t):
            ctx.error(wrong_kind(arg.span, t, "reals or positions", f"`{e.function.text}`"))
            return INVALID
    if len(given) == 1:
        known = given[0]
        return Array(known.element, known.dims[1:]) if has_axis(e, known, ctx) else INVALID
    result = kinds[0]
    for arg, t in zip(e.args[1:], kinds[1:], strict=True):
        who = f"the arguments of `{e.function.text}`"
        result = broadcast_type(e, who, e.args[0], arg, result, t, ctx)
    return result


def weighting(e: Call, given: list[Array], ctx: Context) -> Type:
    """Along the last axis, which stays; of a tensor of the same shape, the entries to keep."""
    scores, *kept = given
    if not is_real(scores):
        return ctx.error(wrong_kind(e.args[0].span, scores, "reals", "`softmax`"))
    for arg, t in zip(e.args[1:], kept, strict=True):
        wanted = Array(BoolElement(), scores.dims)
        if not fits(t, wanted):
            found = mismatch(arg.span, t, wanted, "what `softmax` keeps")
            return ctx.error(without_axis(found, e, scores))
    return scores if has_axis(e, scores, ctx) else INVALID


def counting(e: Call, given: list[Array], ctx: Context) -> Type:
    """The members that name the leading axis, or the positions on it."""
    if not has_axis(e, given[0], ctx):
        return INVALID
    axis = given[0].dims[0]
    return Array(positions(axis), (axis,))


def choice(e: Call, given: list[Array], ctx: Context) -> Type:
    """A member of the enum that names the last axis, or a position on it."""
    if not reals(e, given, ctx) or not has_axis(e, given[0], ctx):
        return INVALID
    *rest, axis = given[0].dims
    return Array(positions(axis), tuple(rest))


def marking(e: Call, given: list[Array], ctx: Context) -> Type:
    """Along the last axis, which stays."""
    return given[0] if reals(e, given, ctx) and has_axis(e, given[0], ctx) else INVALID


def keeping(e: Call, given: list[Array], ctx: Context) -> Type:
    """The shape of the scores; how many are kept is known without an input."""
    count, scores = given
    if not reals(e, given, ctx):
        return INVALID
    if count.dims:
        return ctx.error(mismatch(e.args[0].span, count, REAL, HOW_MANY, MANY_FIRST))
    if not is_constant(e.args[0], ctx):
        return ctx.error(not_constant(e.args[0].span, HOW_MANY))
    if not has_axis(e, scores, ctx, 1):
        return INVALID
    number, entries = whole(e.args[0]), size(scores.dims[-1])
    if number is not None and entries is not None and not 0 <= number <= entries:
        return ctx.error(keeps_too_many(e.args[0].span, number, entries))
    return scores


HOW_MANY = "how many entries `topk` keeps"
MANY_FIRST = "how many are kept comes first, as in `topk(2, x)`"


def inner(e: Call, given: list[Array], ctx: Context) -> Type:
    """A number, of two vectors of one length."""
    if not reals(e, given, ctx):
        return INVALID
    for arg, t in zip(e.args, given, strict=True):
        if len(t.dims) != 1:
            return ctx.error(wrong_kind(arg.span, t, "vectors", "`dot`"))
    left, right = given
    if same_dims(left.dims, right.dims):
        return REAL
    first, second = e.args
    return ctx.error(
        operands_differ(e.span, "the arguments of `dot`", first.span, second.span, left, right)
    )


def norm(e: Call, given: list[Array], ctx: Context) -> Type:
    """A number, of all entries."""
    return REAL if reals(e, given, ctx) and has_axis(e, given[0], ctx) else INVALID


def root(e: Call, given: list[Array], ctx: Context) -> Type:
    """The argument's shape; whether it may be negative shows when it is lowered."""
    (arg,) = e.args
    if (whole(arg) or 0) < 0:
        return ctx.error(negative_root(arg.span))
    return entrywise(e, given, ctx)


def truths(e: Call, given: list[Array], ctx: Context) -> Type:
    """A truth, of several or of a comparison."""
    if isinstance(given[0].element, BoolElement) and (
        given[0].dims or isinstance(e.args[0], Compare)
    ):
        return BOOL
    wanted = "a comparison of tensors or a list of truths"
    return ctx.error(wrong_kind(e.args[0].span, given[0], wanted, f"`{e.function.text}`"))


def slack(e: Call, given: list[Array], ctx: Context) -> Type:
    """A number, of one truth; whether that has a margin shows when it is lowered."""
    if isinstance(given[0].element, BoolElement) and not given[0].dims:
        return REAL
    return ctx.error(wrong_kind(e.args[0].span, given[0], "a truth", "`margin`"))


def clamped(e: Call, given: list[Array], ctx: Context) -> Type:
    """The first argument's shape; the bounds are numbers."""
    if not reals(e, given, ctx):
        return INVALID
    for arg, t in zip(e.args[1:], given[1:], strict=True):
        if t.dims:
            ctx.error(mismatch(arg.span, t, REAL, "a bound of `clamp`"))
    return given[0]


def unnamed(e: Call, given: list[Array], ctx: Context) -> Type:
    """`coords` of anything but a name, which it has to be told; with one it is no call."""
    found = given[1]
    return ctx.error(wrong_kind(e.args[1].span, found, "the name of a subspace", "`coords`"))


FUNCTIONS: dict[str, Function] = {
    "relu": Function(1, 1, entrywise, "max(0, x), entrywise"),
    "abs": Function(1, 1, entrywise, "the absolute value, entrywise"),
    "exp": Function(1, 1, entrywise, "e^x, entrywise"),
    "clamp": Function(3, 3, clamped, "clamp(x, low, high): x held between two numbers"),
    "sqrt": Function(1, 1, root, "the square root, entrywise, of what is not negative"),
    "sum": Function(1, 1, leading, "the sum over the leading axis"),
    "mean": Function(1, 1, leading, "the mean over the leading axis"),
    "max": Function(1, None, extremum, "the largest over the leading axis, or of several values"),
    "min": Function(1, None, extremum, "the smallest over the leading axis, or of several values"),
    "dot": Function(2, 2, inner, "the inner product of two vectors"),
    "norm_inf": Function(1, 1, norm, "the largest absolute value of all entries"),
    "norm_1": Function(1, 1, norm, "the sum of the absolute values of all entries"),
    "coords": Function(
        2, 2, unnamed, "coords(x, S): how much of each vector of a subspace adds up to `x on S`"
    ),
    "softmax": Function(
        1, 2, weighting, "e^{x_i} / Σ e^{x_j} along the last axis, over all entries or those kept"
    ),
    "positions": Function(1, 1, counting, "the positions on the leading axis, in order"),
    "argmax": Function(1, 1, choice, "the place of a largest entry along the last axis"),
    "hardmax": Function(1, 1, marking, "1 at a largest entry along the last axis, else 0"),
    "topk": Function(
        2, 2, keeping, "topk(k, x): 1 at the k largest entries along the last axis, else 0"
    ),
    "all": Function(1, 1, truths, "whether every entry of a comparison holds"),
    "any": Function(1, 1, truths, "whether some entry of a comparison holds"),
    "margin": Function(1, 1, slack, "how far a truth about reals is from changing: its slack"),
}
