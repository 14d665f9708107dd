"""Small wrong changes of a source file, found by its syntax tree.

Left alone: docstrings and other texts, annotations and aliases of types, patterns, decorators,
`assert`, and keywords that no value depends on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

QUIET = frozenset({"strict", "repr", "frozen", "slots", "eq", "default"})
"""Keywords whose values say nothing about what is computed."""

BUILT_IN = frozenset({"bool", "int", "float", "str", "bytes", "list", "tuple", "dict", "object"})
"""Types with names like those of functions."""


@dataclass(frozen=True, slots=True)
class Change:
    """`old`, the lines that a change is in, becomes `new`, in the function `where`; spaces do not count.

    `text` is the whole file with the change, `line` the number of its first line.
    """

    file: str
    where: str
    line: int
    old: str
    new: str
    text: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the change is, wherever the function stands in its file."""
        return self.file, self.where, self.old, self.new


def changes(file: str, text: str) -> list[Change]:
    """All changes of a file, each another text that parses."""
    spots = Spots(text)
    found = list[Change]()
    for where, node, new in replaced(ast.parse(text), ()):
        start, end = spots.ends(node)
        first, last = spots.around(start, end)
        changed = spots.text(first, start) + new + spots.text(end, last)
        whole = spots.text(0, start) + new + spots.text(end, len(spots.data))
        old = spots.text(first, last)
        found.append(Change(file, where, node.lineno, spaced(old), spaced(changed), whole))
    return found


def spaced(text: str) -> str:
    """A text on one line, its words one space apart."""
    return " ".join(text.split())


class Spots:
    """Where the nodes of a file stand in its bytes."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def ends(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The first byte of a node, and the first behind it."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first = self.starts[node.lineno - 1] + node.col_offset
        return first, self.starts[node.end_lineno - 1] + node.end_col_offset

    def around(self, start: int, end: int) -> tuple[int, int]:
        """The ends of the lines that some bytes are on."""
        last = self.data.find(b"\n", end)
        return self.data.rfind(b"\n", 0, start) + 1, len(self.data) if last < 0 else last

    def text(self, start: int, end: int) -> str:
        """What some bytes say."""
        return self.data[start:end].decode()


Replaced = tuple[str, ast.expr | ast.stmt, str]
"""The function that a node is in, the node, and the text that takes its place."""


def replaced(node: ast.AST, around: tuple[str, ...]) -> Iterator[Replaced]:
    """What nodes under this one may become, one at a time."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        around = (*around, node.name)
    for child in inside(node):
        if isinstance(child, ast.expr | ast.stmt):
            yield from ((".".join(around), child, new) for new in variants(child))
        yield from replaced(child, around)


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that are computed with."""
    match node:
        case ast.arg() | ast.Assert() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            pass
        case ast.keyword(arg=str(name)) if name in QUIET:
            pass
        case ast.BinOp(op=ast.BitOr()) if of_types(node):
            pass
        case ast.FunctionDef(args=arguments, body=body):
            yield from (value for value in arguments.kw_defaults if value is not None)
            yield from (*arguments.defaults, *body)
        case ast.ClassDef(body=body):
            yield from body
        case ast.AnnAssign(value=value):
            yield from () if value is None else (value,)
        case ast.Call(func=ast.Name(id="cast" | "isinstance"), args=arguments):
            yield from (one for one in arguments if not of_types(one))
        case ast.Call(func=ast.Subscript(), args=arguments, keywords=keywords):
            yield from (*arguments, *keywords)
        case ast.match_case(guard=guard, body=body):
            yield from body if guard is None else (guard, *body)
        case _:
            yield from ast.iter_child_nodes(node)


def of_types(node: ast.AST) -> bool:
    """Whether an expression is one of types."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return of_types(left) and of_types(right)
        case ast.Name(id=name):
            return name in BUILT_IN or (name[0].isupper() and not name.isupper())
        case ast.Attribute(value=ast.Name(id="ast")):
            return True
        case ast.Subscript(value=value):
            return of_types(value)
        case ast.Constant(value=None | str()):
            return True
        case _:
            return False


BOUNDARY: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
PAIRS = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
    ("floor", "ceil"),
    ("down", "up"),
    ("lt", "le"),
    ("gt", "ge"),
    ("logical_and", "logical_or"),
    ("argmin", "argmax"),
)
NAMES = {a: b for one, two in PAIRS for a, b in ((one, two), (two, one))}


def variants(node: ast.expr | ast.stmt) -> Iterator[str]:
    """What may take a node's place."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            pass
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield "pass"
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in OTHER:
            yield ast.unparse(ast.AugAssign(target, OTHER[type(op)](), value))
        case ast.Constant(value=value):
            yield from constants(value)
        case ast.Name(id=name, ctx=ast.Load()) if name in NAMES:
            yield NAMES[name]
        case ast.Attribute(value=value, attr=name) if name in NAMES:
            yield ast.unparse(ast.Attribute(value, NAMES[name]))
        case ast.Attribute(attr="inf"):
            yield f"(-{ast.unparse(node)})"
        case ast.Subscript(value=value, slice=ast.Slice() as part, ctx=ast.Load()):
            yield from (ast.unparse(ast.Subscript(value, new)) for new in slices(part))
        case ast.expr():
            yield from (f"({ast.unparse(new)})" for new in expressions(node))
        case _:
            pass


def constants(value: object) -> Iterator[str]:
    """Numbers and truth values beside one."""
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield from (str(1 - value),) if value in (0, 1) else (str(value - 1), str(value + 1))
    elif isinstance(value, float):
        yield "0.0" if value else "1.0"


def slices(part: ast.Slice) -> Iterator[ast.Slice]:
    """A slice whose ends are one further in; ends that are constants change by themselves."""
    lower, upper, step = part.lower, part.upper, part.step
    if lower is not None and not isinstance(lower, ast.Constant):
        yield ast.Slice(one_more(lower, ast.Add()), upper, step)
    if upper is not None and not isinstance(upper, ast.Constant):
        yield ast.Slice(lower, one_more(upper, ast.Sub()), step)


def one_more(node: ast.expr, op: ast.operator) -> ast.expr:
    """An expression, and 1 more or less."""
    return ast.BinOp(node, op, ast.Constant(1))


def expressions(node: ast.expr) -> Iterator[ast.expr]:
    """Operators that become others, or are dropped."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=parts):
            for k, op in enumerate(ops):
                for other in BOUNDARY[type(op)]:
                    yield ast.Compare(left, [*ops[:k], other(), *ops[k + 1 :]], parts)
        case ast.BinOp(left=left, op=op, right=right) if not of_types(node):
            if isinstance(op, ast.FloorDiv):
                yield ast.UnaryOp(ast.USub(), ast.BinOp(ast.UnaryOp(ast.USub(), left), op, right))
            if type(op) in OTHER:
                yield ast.BinOp(left, OTHER[type(op)](), right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield operand
        case _:
            pass
