"""The parts of an expression, for passes that ask the same of every construct."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from circ.lang.syntax import (
    Attr,
    Binary,
    Call,
    Cases,
    Cast,
    Compare,
    Comprehension,
    Coords,
    Count,
    Do,
    Expr,
    Fold,
    Index,
    ListExpr,
    Match,
    Matches,
    Member,
    Number,
    Projection,
    Quoted,
    Ref,
    Slice,
    TupleExpr,
    TypeExpr,
    Unary,
)


def children(e: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside `e`, in the order they are written."""
    match e:
        case Number() | Ref() | Quoted():
            return ()
        case Attr(base=base):
            return (base,)
        case Index(base=base, items=items):
            return (base, *indices(items))
        case Call(args=args):
            return args
        case Do(base=base, edits=edits):
            inside = (part for edit in edits for part in (*indices(edit.items), edit.value))
            return (base, *inside)
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Compare(operands=operands, within=within):
            return operands if within is None else (*operands, within)
        case Member(element=element, choices=choices):
            return (element, *choices)
        case Cast(operand=operand) | Projection(operand=operand) | Coords(operand=operand):
            return (operand,)
        case Matches(word=word):
            return (word,)
        case TupleExpr(items=items) | ListExpr(items=items):
            return items
        case Comprehension(body=body, source=source):
            return (source, body)
        case Count():
            parts = (counted(e), e.condition)
            return tuple(part for part in parts if part is not None)
        case Fold(initial=initial, source=source, body=body):
            return (initial, source, body)
        case Cases(arms=arms):
            return tuple(p for arm in arms for p in (arm.guard, arm.value) if p is not None)
        case Match(subject=subject, arms=arms):
            return (subject, *(arm.value for arm in arms))
        case _:
            assert_never(e)


def counted(e: Count) -> Expr | None:
    """What a `count` goes over, where that is no type."""
    return None if isinstance(e.source, TypeExpr) else e.source


def indices(items: tuple[Expr | Slice, ...]) -> tuple[Expr, ...]:
    """The expressions in an index."""
    found: list[Expr] = []
    for item in items:
        if isinstance(item, Slice):
            found.extend(end for end in (item.start, item.stop) if end is not None)
        else:
            found.append(item)
    return tuple(found)


def walk(e: Expr) -> Iterator[Expr]:
    """`e` and everything inside it."""
    waiting = [e]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(children(part))


def names(e: Expr) -> set[str]:
    """Every name that `e` mentions, functions included."""
    refs = {part.name for part in walk(e) if isinstance(part, Ref)}
    return refs | called(e)


def called(e: Expr) -> set[str]:
    """The names of the functions and circuits that `e` calls, and of the subspaces that it reads."""
    found = set[str]()
    for part in walk(e):
        match part:
            case Call(function=name) | Projection(subspace=name) | Coords(subspace=name):
                found.add(name.text)
            case _:
                pass
    return found


def reads_it(e: Expr) -> bool:
    """Whether the value of an edit reads what it replaces; the values of edits inside it have an `it` of their own."""
    match e:
        case Ref(name=name):
            return name == "it"
        case Do(base=base, edits=edits):
            places = (part for edit in edits for part in indices(edit.items))
            return reads_it(base) or any(map(reads_it, places))
        case _:
            return any(map(reads_it, children(e)))


def places_read(e: Expr) -> set[str]:
    """The names of values that say where `e` makes its edits, and what it computes other places from."""
    found = set[str]()
    for part in walk(e):
        match part:
            case Do(edits=edits):
                found |= set[str]().union(*(free(x) for edit in edits for x in indices(edit.items)))
            case Index(items=items):
                computed = (x for x in indices(items) if isinstance(x, Binary | Unary))
                found |= set[str]().union(*map(free, computed))
            case _:
                pass
    return found


def free(e: Expr) -> set[str]:
    """The names of values that `e` reads from outside, those of its own binders left out."""
    match e:
        case Ref(name=name):
            return {name}
        case Comprehension(body=body, binder=binder, source=source):
            return free(source) | (free(body) - {binder.text})
        case Count(binder=binder):
            over = counted(e)
            found = set[str]() if over is None else free(over)
            return found if e.condition is None else found | (free(e.condition) - {binder.text})
        case Fold(state=state, initial=initial, binder=binder, source=source, body=body):
            return free(initial) | free(source) | (free(body) - {state.text, binder.text})
        case _:
            return set[str]().union(*[free(part) for part in children(e)])
