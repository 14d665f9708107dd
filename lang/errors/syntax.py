"""E00xx: texts that are not a spec, whatever they mean."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Fix, Label
from circ.lang.span import Span


def unexpected(
    span: Span, found: str, expected: Sequence[str], help: str = "", fix: Fix | None = None
) -> Diagnostic:
    """Something stands where the grammar wants something else; both are in plain words."""
    headline = f"expected {alternatives(expected)}, found {found}"
    return Diagnostic("E0001", headline, span, "unexpected", help=help, fix=fix)


def stray_character(span: Span, found: str, meant: str, help: str = "") -> Diagnostic:
    """A character that Circ has no use for; `meant` is how Circ writes it, if it does."""
    headline = f"{found} means nothing in Circ"
    if meant:
        fix = Fix(span, meant)
        return Diagnostic("E0002", headline, span, "", help=f"write `{meant}`", fix=fix)
    return Diagnostic("E0002", headline, span, "", help=help)


def reserved_word(span: Span, word: str, *, member: bool) -> Diagnostic:
    """A reserved word where a name is wanted; a `member` of an enum can be quoted."""
    headline = f"`{word}` is a reserved word and cannot be a name"
    if member:
        fix = Fix(span, f'"{word}"')
        return Diagnostic("E0003", headline, span, "", help=f'as a member: `"{word}"`', fix=fix)
    return Diagnostic("E0003", headline, span, "", help="choose another name")


def unnamed_claim(span: Span, word: str) -> Diagnostic:
    """A quantifier where the name of a claim is wanted."""
    help = f"a claim has a name: `claim c: {word} …`"
    return Diagnostic("E0003", f"`{word}` is a reserved word and cannot be a name", span, help=help)


def missing(
    span: Span, expected: str, found: str, help: str = "", fix: Fix | None = None
) -> Diagnostic:
    """One thing is wanted and nothing else, and it is not there."""
    headline = f"expected {expected}, found {found}"
    return Diagnostic("E0004", headline, span, f"{expected} is missing here", help=help, fix=fix)


def unclosed_bracket(span: Span, opener: Span, closer: str) -> Diagnostic:
    """The text, or what encloses the bracket, ends before `closer`."""
    why = (Label(opener, "opened here"),)
    headline = f"`{opener.text}` is not closed"
    return Diagnostic("E0005", headline, span, f"expected `{closer}`", why)


def unopened_bracket(span: Span) -> Diagnostic:
    """A closing bracket with nothing to close."""
    return Diagnostic("E0006", f"`{span.text}` closes nothing", span, "no bracket is open here")


def too_deep(span: Span, deepest: int) -> Diagnostic:
    """Constructs inside one another, or a chain of operators, past a fixed depth."""
    headline = f"this is nested more than {deepest} levels deep"
    help = "give the inner parts names with `let`, or circuits of their own"
    return Diagnostic("E0007", headline, span, "too deep from here on", help=help)


def unsupported(span: Span, construct: str, help: str = "") -> Diagnostic:
    """A construct of the full language that this version does not have."""
    headline = f"{construct} not supported in this version of Circ"
    return Diagnostic("E0008", headline, span, "not supported yet", help=help)


def broken_string(span: Span, problem: str, help: str = "", fix: Fix | None = None) -> Diagnostic:
    """A string that does not end, or says what no string can."""
    return Diagnostic("E0009", problem, span, "", help=help, fix=fix)


def half_a_character(span: Span) -> Diagnostic:
    """An escape for one half of a surrogate pair, without the other."""
    return broken_string(span, "the string holds half of a character", "write the character itself")


def not_text(name: str, offset: int) -> Diagnostic:
    """A file that is not UTF-8; `offset` is its first byte that cannot be."""
    headline = f"{name} is not UTF-8 text (at byte {offset})"
    return Diagnostic("E0010", headline, None, help="save it with the encoding UTF-8")


def too_large(name: str, size: int, largest: int) -> Diagnostic:
    """A text of `size` characters, where no more than `largest` are read."""
    headline = f"{name} is too large: {size:,} characters, where {largest:,} are allowed"
    return Diagnostic("E0011", headline, None, help="split it, and keep data in a checkpoint")


def foreign_spelling(span: Span, theirs: str, ours: str, between: str = "") -> Diagnostic:
    """What another language writes so; Circ writes `ours`, or `between` where conditions meet."""
    headline = f"`{theirs}` is not how Circ writes this"
    if between:
        help = f"write `{ours}` in an arm, `{between}` between conditions"
        return Diagnostic("E0012", headline, span, "", help=help)
    return Diagnostic("E0012", headline, span, "", help=f"write `{ours}`", fix=Fix(span, ours))


def named_argument(span: Span, name: str) -> Diagnostic:
    """`dim=0` among the arguments of a call, as in PyTorch."""
    headline = f"`{name}` is given by name, and arguments are given by their places"
    help = "`softmax` and `argmax` go along the last axis, `sum` and `mean` over the leading one: leave this out"
    return Diagnostic("E0012", headline, span, "", help=help)


def number_too_long(span: Span, longest: int) -> Diagnostic:
    """A decimal with more digits than are read, once its exponent is written out."""
    headline = f"this number has more than {longest} digits when written out"
    return Diagnostic("E0013", headline, span)


def else_not_last(span: Span, last: Span) -> Diagnostic:
    """Arms after `else`, which would never be reached."""
    why = (Label(last, "never reached"),)
    return Diagnostic("E0014", "`else` is not the last arm", span, "always holds", why)


def inner_quantifier(span: Span, denied: bool) -> Diagnostic:
    """A quantifier anywhere but at the head of a formula, perhaps behind a `not`."""
    headline = f"`{span.text}` stands only at the head of a claim"
    other = "forall" if span.text == "exists" else "exists"
    help = "bind all names at the head: `forall x in D, y in E: …`"
    help = f"deny what is inside: `{other} x in D: not (…)`" if denied else help
    return Diagnostic("E0015", headline, span, "inside a condition", help=help)


def second_quantifier(span: Span, head: str) -> Diagnostic:
    """A quantifier behind that of a formula which is asked for outside a text."""
    headline = "only a claim with a name has a quantifier before another"
    help = f"name it, and ask for it by its name: `claim c: {head} {span.text} …`"
    return Diagnostic("E0015", headline, span, "a second quantifier", help=help)


def clause_repeated(span: Span, first: Span, word: str) -> Diagnostic:
    """A second clause of a kind that a patch has once."""
    why = (Label(first, "first here"),)
    return Diagnostic("E0016", f"a patch has one `{word}` clause", span, "again", why)


def too_many_errors(span: Span, most: int) -> Diagnostic:
    """The text has more errors; reading it stops here."""
    headline = f"more than {most} errors: the rest of the text is not read"
    return Diagnostic("E0017", headline, span, "stopped here")


def counts_out_of_order(span: Span, least: int, most: int) -> Diagnostic:
    """A repetition `{n,m}` with n above m, which no word could have."""
    headline = "the fewest repetitions come first, then the most"
    fix = Fix(span, f"{{{most},{least}}}")
    help = f"write `{fix.replacement}`"
    return Diagnostic("E0018", headline, span, "counts out of order", help=help, fix=fix)


def alternatives(words: Sequence[str]) -> str:
    """`a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
