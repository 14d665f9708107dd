"""What is written in other languages, or in later versions of Circ, at a place where parsing failed.

Each table is read from the top; a row applies where its text stands and the grammar would have
taken one of the row's words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

OPERAND = frozenset({"NUMBER"})
"""Taken exactly where an expression may start."""

OPERATOR = frozenset({"+"})
"""Taken exactly after an expression that arithmetic may go on from."""

ANYWHERE = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Spelling:
    """`theirs` means `ours`, where one of `instead_of` was expected; `between` conditions, that."""

    theirs: str
    ours: str
    instead_of: frozenset[str]
    between: str = ""


SPELLINGS = (
    Spelling("&&", "and", ANYWHERE),
    Spelling("||", "or", frozenset({"or"})),
    Spelling("//", "#", frozenset({"NUMBER", "enum", "let"})),
    Spelling("=<", "<=", frozenset({"COMPARE"})),
    Spelling("=>", "implies", frozenset({"implies"})),
    Spelling("=>", "->", frozenset({"->"})),
    Spelling("=>", ":", frozenset({":"})),
    Spelling("->", "=>", frozenset({"=>"})),
    Spelling("==", ":=", frozenset({":="})),
    Spelling("==", "=", frozenset({"="})),
    Spelling(":=", "=", frozenset({"="})),
    Spelling("=", "==", frozenset({"COMPARE"})),
    Spelling("=", ":=", frozenset({":="})),
    Spelling(":", "=>", frozenset({"=>"})),
    Spelling(":", "->", frozenset({"->"})),
    Spelling("is", "==", frozenset({"COMPARE"})),
    Spelling("!", "not", ANYWHERE),
    Spelling("def", "circuit", frozenset({"circuit"})),
    Spelling("fn", "circuit", frozenset({"circuit"})),
    Spelling("func", "circuit", frozenset({"circuit"})),
    Spelling("function", "circuit", frozenset({"circuit"})),
    Spelling("const", "param", frozenset({"param"})),
    Spelling("let", "param", frozenset({"param"})),
    Spelling("theorem", "claim", frozenset({"claim"})),
    Spelling("lemma", "claim", frozenset({"claim"})),
    Spelling("assert", "claim", frozenset({"claim"})),
)

HALF_READ = (
    Spelling("->", "=>", OPERAND, between="implies"),
    Spelling("==", "=", OPERAND),
    Spelling("//", "#", OPERAND),
    Spelling("<>", "!=", OPERAND),
    Spelling("||", "or", OPERAND),
    Spelling("||", "|", frozenset({"WILDCARD"})),
)
"""Operators whose first character Circ knows, so that it fails at the second."""

CHARACTERS = {
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "∧": "and",
    "∨": "or",
    "¬": "not",
    "∀": "forall",
    "∃": "exists",
    "∈": "in",
    "→": "->",
    "⇒": "=>",
    "×": "*",
    "·": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "“": '"',
    "”": '"',
    "‘": '"',
    "’": '"',
    "\N{NO-BREAK SPACE}": " ",
}
"""Characters that are in no word of Circ, and what writes the same."""


@dataclass(frozen=True, slots=True)
class Construct:
    """What `text` would begin, where one of `instead_of` was expected; and what to do today."""

    text: str
    instead_of: frozenset[str]
    construct: str
    help: str = ""


AS_CASES = "write `cases { condition => a, else => b }`"
"""Help for what decides between two values."""

NAMED_ARGUMENTS = frozenset({"dim", "axis", "keepdim", "keepdims"})
"""Names by which PyTorch and numpy are told which axis a function goes along."""

CONSTRUCTS = (
    Construct("if", OPERAND, "`if` is", AS_CASES),
    Construct("+=", frozenset({":="}), "the edit `+=` is"),
)

WAYS_OUT = {
    "lambda": "a circuit has a name: `circuit f(x: real[8]) -> real = …`",
    "import": 'write `use std.attention: attention`, or `use "file.circ": name`',
    "return": "a circuit in braces ends in one `return`; without braces, write `= e`",
    "**": "write the power out: `x * x`",
    "^": "write the power out: `x * x`",
    ";": "a new line ends an item",
    "?": AS_CASES,
}
"""Help for what no one word of Circ replaces."""

IN_WORD_PATTERNS = {
    ".": "any one letter is `_`",
    "[": "one of several letters is `(a | b)`",
    "{": "a number of repetitions is `{2}`, from one to another `{1,3}`, no fewer than `{2,}`",
    "*": "a repetition follows what it repeats: `_*`, `(a b)*`",
    "+": "a repetition follows what it repeats: `_+`, `(a b)+`",
    "?": "a repetition follows what it repeats: `_?`, `(a b)?`",
    ",": "what follows one another stands side by side: `a b`",
    "/": "a pattern stands bare: `s matches a b*`",
    "-": "letters have no order; name each: `(a | b | c)`",
    "==": "put the whole in parentheses: `(s matches a) == p`",
    "!=": "put the whole in parentheses: `(s matches a) != p`",
}
"""Help for what a pattern of a word cannot hold."""

IN_ENTRIES = (
    "an entry is the name of a tensor; `*` stands for one whole part: `blocks.*.W: real[2, 3]`"
)
"""Help for what the braces of a checkpoint cannot hold."""

SPAN_OF_SEVERAL = "several vectors stand in a list: `span [v, w]`"
"""Help for a comma behind the vector of a subspace."""

COMPREHENDED = "what is made of each entry stands in a list: `sum([ x * x for x in v ])`"
"""Help for a `for` outside of brackets."""

IN_PARENTHESES = "`x as T`, `x on S` and `x off S` stand in parentheses beside arithmetic"
"""Help for what goes on behind these."""

INDEX_LAST = "the index of an edit stands behind its whole path: `do { heads.pattern[0] := 0 }`"
"""Help for a path that goes on behind an index."""

OF_A_GUARD = "a guard is a truth, and has no type of its own: leave this out"
OF_A_MAP = "a map `A -> B` goes between two names; another matrix is `real[rows, columns]`"
"""Help for an arrow where there can be none."""

AXES_STAY = "axes are not joined: a sum over two is `sum(sum(x))`, and an entry `x[i, j]`"
"""Help for what joins axes, or parts them."""

TRANSPOSED = "`v @ W` is the transpose of `W` times `v`; as a matrix `[ W[:, j] for j in fin[n] ]`"
"""Help for a transpose, which Circ has none of."""

FUNCTIONS_ELSEWHERE = {
    "norm_2": "write `use std.functions: norm_2`; for a bound on it `dot(x, x) <= r * r`",
    "norm": "write `norm_inf(x)` or `norm_1(x)`",
    "sigmoid": "of a vector `use std.functions: sigmoid`; of a number write `softmax([x, 0])[0]`",
    "tanh": "of a vector `use std.functions: tanh`; of a number write `2 * softmax([2 * x, 0])[0] - 1`",
    "silu": "of a vector `use std.functions: silu`; of a number write `x * softmax([x, 0])[0]`",
    "gelu": "of a vector `use std.functions: gelu`, PyTorch's `gelu(x, approximate='tanh')`; its default "
    "differs from that by up to 0.0005",
    "sparsemax": "write `use std.functions: sparsemax`",
    "log": "of the smooth functions there are `exp` and `softmax`",
    "layernorm": "write `use std.norm: layernorm`, or `standardized` without weights",
    "rmsnorm": "write `use std.norm: rmsnorm`, or `rescaled` without weights",
    "len": "write the number: an axis has a fixed length",
    "range": "go through positions: `[ x[i] for i in fin[3] ]`",
    "transpose": TRANSPOSED,
    "flatten": AXES_STAY,
    "reshape": AXES_STAY,
    "view": AXES_STAY,
    "argmin": "write `argmax(-x)`",
    "matmul": "write `a @ b`",
    "square": "write `x * x`",
}
"""Help for functions that other libraries have and Circ has not."""


def spelling(rows: Iterable[Spelling], text: str, expected: Collection[str]) -> Spelling | None:
    """The first of `rows` for what starts `text`, where `expected` could have stood."""
    return next((row for row in rows if fits(row.theirs, row.instead_of, text, expected)), None)


def construct(text: str, expected: Collection[str]) -> Construct | None:
    """The construct of a later version that `text` starts with, where it could have stood."""
    return next((row for row in CONSTRUCTS if fits(row.text, row.instead_of, text, expected)), None)


def fits(start: str, instead_of: frozenset[str], text: str, expected: Collection[str]) -> bool:
    """Whether `text` starts with the whole word `start` where one of `instead_of` was expected."""
    whole = not start.isalpha() or not text[len(start) :][:1].isalnum()
    return text.startswith(start) and whole and (not instead_of or bool(instead_of & set(expected)))
