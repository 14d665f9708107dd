"""From the place where a text leaves the grammar to a message for the one who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from circ.lang import foreign
from circ.lang.diagnostic import Diagnostic, Fix
from circ.lang.errors import syntax as errors
from circ.lang.explain_binders import binder_trouble
from circ.lang.grammar import Failure
from circ.lang.span import Source, Span
from circ.lang.stops import CLOSERS, Stop, stop_at
from circ.lang.words import ITEM_WORDS, RESERVED, WORD

ENTRIES = re.compile(r'\bcheckpoint\s+\w+\s+from\s+"[^"\n]*"\s*\Z')
LAST_WORD = re.compile(r"\b(\w+)\s*\Z")
WORD_PATTERN = re.compile(r"\bmatches\b[^\n=]*\Z")

COUNT = re.compile(r"\bcount\s*\{\s*(\w+\s*:[^{}|]*)?\Z")
GOES_OVER = re.compile(r"\b(for|over)\s*\Z")
BEHIND_CAST = re.compile(r"\b(as|on|off)[ \t]+\w+(\[[^\]]*\])?\s*\Z")

EDITED = re.compile(r"(\w+\([^()\n]*\))\.([\w.]+(?:\[[^\]\n]*\])?)\s*\Z")
SPANNED = re.compile(r"\bspan\s+(?!\[)[^\n]*\Z")

EXPRESSION = frozenset({"NUMBER", "NAME", "("})
OPERAND_STARTS = EXPRESSION | {"STRING", "[", "-", "old", "not", "count", "cases", "match"}
EXPRESSION_STARTS = OPERAND_STARTS | {"fold", "forall", "exists"}
PATTERN = frozenset({"WILDCARD", "INT", "NAME", "("})
LOGIC = frozenset({"and", "or", "implies"})
OPERATORS = LOGIC | {
    "+",
    "-",
    "*",
    "/",
    "@",
    "COMPARE",
    "in",
    "matches",
    "within",
    "as",
    "on",
    "off",
}
AFTER_OPERAND = OPERATORS | {"do", ".", "[", "("}
MORE_PATTERN = PATTERN | {"STRING", "REPEAT", "TIMES", "|"}
QUANTIFIERS = ("forall", "exists")
LINE_END = frozenset({"NEWLINE", "END"})
CLASSES = {"NAME": "a name", "PART": "a name", "INT": "a whole number", "NUMBER": "a number"}
MORE_CLASSES = {
    "STRING": "a string",
    "COMPARE": "a comparison",
    "WILDCARD": "`_`",
    "LENGTHS": "lengths",
}


def explain_failure(source: Source, offset: int, failure: Failure) -> Diagnostic:
    """The one message for `failure`, in a text that starts at `offset` of `source`."""
    stop = stop_at(source, offset, failure)
    return (
        binder_trouble(stop)
        or later_construct(stop)
        or misplaced_quantifier(stop)
        or bracket_trouble(stop)
        or other_spelling(stop)
        or taken_word(stop)
        or unreadable(stop)
        or plainly_unexpected(stop)
    )


# --- one question each -------------------------------------------------------------------------


def later_construct(stop: Stop) -> Diagnostic | None:
    """Is it a construct of a later version?"""
    if stop.text == "if" and stop.expects("+"):
        return errors.unsupported(stop.span, "`if` is", foreign.AS_CASES)
    row = foreign.construct(stop.text, stop.failure.expected)
    if row is not None:
        return errors.unsupported(stop.span, row.construct, row.help)
    if stop.text == "/" and stop.expects_only(",", "]", "+", "-", "*"):
        help = "name the quotient: where a parameter is `real[2*k]`, its length says what k is"
        return errors.unsupported(stop.span, "division of dimensions is", help)
    return domain_form(stop)


def domain_form(stop: Stop) -> Diagnostic | None:
    """Is it a domain or a binder in a form of a later version?"""
    if COUNT.search(stop.before) and stop.text in ("(", ","):
        help = "claim it of all inputs, with `forall (s, x) in P: …`"
        return errors.unsupported(stop.span, "a `count` of several variables is", help)
    if stop.text == "(" and GOES_OVER.search(stop.before):
        help = "go over domains of one variable, one inside the other"
        return errors.unsupported(stop.span, "going over several variables at once is", help)
    if stop.text == ":" and stop.expects_only(",", "in"):
        help = "name the type behind `in`: `s in Char[8]`"
        return errors.unsupported(stop.span, "the type of a binder behind `:` is", help)
    return None


def misplaced_quantifier(stop: Stop) -> Diagnostic | None:
    """Is it a quantifier inside a condition, or behind that of a formula without a name?"""
    if stop.text not in QUANTIFIERS or not stop.expects("NUMBER"):
        return None
    words = stop.span.source.text[: stop.span.start].split()
    if words and words[0] in QUANTIFIERS and words[-1][-1] == ":" and not stop.open_brackets:
        return errors.second_quantifier(stop.span, " ".join(words))
    return errors.inner_quantifier(stop.span, denied=words[-1:] == ["not"])


def bracket_trouble(stop: Stop) -> Diagnostic | None:
    """Is a bracket left open, or closed that was never opened?"""
    innermost = stop.open_brackets[-1] if stop.open_brackets else None
    if stop.text in CLOSERS.values() and innermost is None:
        return errors.unopened_bracket(stop.span)
    if innermost is None:
        return None
    closer = CLOSERS[innermost.text]
    at_end = stop.failure.found == "end"
    mismatched = stop.text in CLOSERS.values() and stop.text != closer
    if at_end or mismatched or (stop.expects(closer) and runs_on(stop, innermost)):
        return errors.unclosed_bracket(stop.span, innermost, closer)
    return None


def runs_on(stop: Stop, opener: Span) -> bool:
    """Whether the failure starts a line, inside round or square brackets of an earlier one."""
    source = stop.span.source
    opened, _ = source.position(opener.start)
    line, column = source.position(stop.span.start)
    first = not source.line(line)[: column - 1].strip()
    return opener.text != "{" and first and opened < line


def other_spelling(stop: Stop) -> Diagnostic | None:
    """Is it the operator or word of another language?"""
    before = LAST_WORD.search(stop.before)
    if stop.text == "=" and before and before[1] in foreign.NAMED_ARGUMENTS:
        return errors.named_argument(stop.span, before[1])
    start, source = stop.span.start, stop.span.source
    for at, rows in ((start, foreign.SPELLINGS), (start - 1, foreign.HALF_READ)):
        text = source.text[max(at, 0) : at + 10] if stop.text else ""
        row = foreign.spelling(rows, text, stop.failure.expected)
        if row is not None:
            span = Span(source, at, at + len(row.theirs))
            return errors.foreign_spelling(span, row.theirs, row.ours, row.between)
    return None


def taken_word(stop: Stop) -> Diagnostic | None:
    """Is it a reserved word where only a name can stand, or a member?"""
    if stop.text not in RESERVED or not stop.expects("NAME") or stop.expects("NUMBER", "|"):
        return None
    before = stop.span.source.text[: stop.span.start].split()
    if stop.text in ("forall", "exists") and before[-1:] == ["claim"]:
        return errors.unnamed_claim(stop.span, stop.text)
    return errors.reserved_word(stop.span, stop.text, member=stop.expects("STRING"))


def unreadable(stop: Stop) -> Diagnostic | None:
    """Is it a broken string, or a character that starts no word?"""
    if stop.failure.expected or stop.failure.found != "text":
        return None
    if stop.text.startswith('"'):
        return string_trouble(stop)
    if stop.text.startswith("'"):
        return single_quoted(stop)
    char = stop.text[0]
    span = Span(stop.span.source, stop.span.start, stop.span.start + 1)
    meant, help = foreign.CHARACTERS.get(char, ""), foreign.WAYS_OUT.get(char, "")
    return errors.stray_character(span, character_words(char), meant, help)


# --- strings and characters --------------------------------------------------------------------


def string_trouble(stop: Stop) -> Diagnostic:
    """What is wrong with a string: no end, an unknown escape, or a control character."""
    if not stop.text.endswith('"') or len(stop.text) == 1:
        return errors.broken_string(stop.span, "this string does not end on its line", 'add `"`')
    for number, char in enumerate(stop.text):
        if char < " ":
            at = Span(stop.span.source, stop.span.start + number, stop.span.start + number + 1)
            escape = {"\t": "\\t", "\r": "\\r"}.get(char, f"\\u{ord(char):04x}")
            help, fix = f"write `{escape}`", Fix(at, escape)
            return errors.broken_string(at, "a control character in a string", help, fix)
    help = 'the escapes are those of JSON: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX'
    return errors.broken_string(stop.span, "an unknown escape in this string", help)


def single_quoted(stop: Stop) -> Diagnostic:
    """`'text'`, which Circ writes with double quotes."""
    text = stop.span.source.text
    whole = re.compile(r"'([^'\"\\\n]*)'").match(text, stop.span.start)
    if whole is None:
        return errors.stray_character(stop.span, "`'`", '"')
    span = Span(stop.span.source, whole.start(), whole.end())
    return errors.foreign_spelling(span, whole[0], f'"{whole[1]}"')


def character_words(char: str) -> str:
    """A character for a sentence; one that cannot be seen, by its number."""
    return f"`{char}`" if char.isprintable() and char != " " else f"the character U+{ord(char):04X}"


# --- what is left ------------------------------------------------------------------------------


def plainly_unexpected(stop: Stop) -> Diagnostic:
    """Say what was expected, and what is there."""
    expected = list(expected_words(stop.failure.expected)) or ["something else"]
    if stop.text == "}" and stop.expects("NEWLINE"):
        return errors.missing(stop.span, "`return`", stop.words)
    help, fix = likely_meant(stop)
    if len(expected) == 1 and expected[0].startswith("`") and fix is None:
        return errors.missing(stop.span, expected[0], stop.words, help)
    return errors.unexpected(stop.span, stop.words, expected, help, fix)


def expected_words(expected: frozenset[str]) -> Iterator[str]:
    """What could have stood there, in a handful of plain words."""
    rest = set(expected)
    if expected >= EXPRESSION:
        yield "an expression"
        rest -= EXPRESSION_STARTS
    elif expected >= PATTERN | {"|"}:
        yield "more of the pattern"
        yield from ["an operator"] if rest & LOGIC else []
        rest -= MORE_PATTERN | LOGIC | {"."}
    elif expected >= PATTERN:
        yield "a pattern"
        rest -= PATTERN | {"STRING"}
    elif expected >= set(ITEM_WORDS):
        yield "a declaration"
        rest -= set(ITEM_WORDS)
    elif rest & {"+", "and"}:
        yield "an operator"
        rest -= AFTER_OPERAND
    if rest & LINE_END:
        yield "a new line"
        rest -= LINE_END
    classes = CLASSES | MORE_CLASSES
    yield from dict.fromkeys(classes[word] for word in sorted(rest & classes.keys()))
    yield from (f"`{word}`" for word in sorted(rest - classes.keys()))


def likely_meant(stop: Stop) -> tuple[str, Fix | None]:
    """Help for a misspelt word, or for one that comes from another language."""
    in_word_pattern = stop.expects("WILDCARD") and WORD_PATTERN.search(stop.before)
    if in_word_pattern and stop.text in foreign.IN_WORD_PATTERNS:
        return foreign.IN_WORD_PATTERNS[stop.text], None
    if stop.text in ("*", "{") and in_entries(stop):
        return foreign.IN_ENTRIES, None
    edit = EDITED.search(stop.before)
    if stop.text == ":=" and edit:
        return f"an edit stands in a `do`: `{edit[1]} do {{ {edit[2]} := … }}`", None
    if stop.text == "," and SPANNED.search(stop.before):
        return foreign.SPAN_OF_SEVERAL, None
    if stop.text == "for" and stop.expects("NUMBER"):
        return foreign.COMPREHENDED, None
    before = LAST_WORD.search(stop.before)
    double = stop.span.source.text[max(0, stop.span.start - 1) : stop.span.end]
    for word in (stop.text, double, before[1] if before else ""):
        if word in foreign.WAYS_OUT:
            return foreign.WAYS_OUT[word], None
    if stop.failure.expected.isdisjoint({"as"}) and BEHIND_CAST.search(stop.before):
        return foreign.IN_PARENTHESES, None
    if stop.text == "." and stop.expects_only(":="):
        return foreign.INDEX_LAST, None
    if stop.text == "->" and stop.expects("=", ")"):
        return foreign.OF_A_GUARD if stop.expects_only("=") else foreign.OF_A_MAP, None
    if stop.text == "not" and stop.expects("in"):
        return "`not` stands before the whole condition: `not (c in [a, b])`", None
    if stop.text in RESERVED:
        quoted = f'`{stop.text}` is a reserved word; as a member: `"{stop.text}"`'
        return quoted if stop.expects("STRING") else "", None
    near = nearest_word(stop)
    if near:
        return f"did you mean `{near}`?", Fix(stop.span, near)
    if stop.failure.expected >= set(ITEM_WORDS):
        return f"a declaration starts with {errors.alternatives(ITEM_WORDS)}", None
    return "", None


def in_entries(stop: Stop) -> bool:
    """Whether it stands among the entries of a checkpoint."""
    around = stop.open_brackets[-1:]
    text = stop.span.source.text
    return any(opener.text == "{" and ENTRIES.search(text, 0, opener.start) for opener in around)


def nearest_word(stop: Stop) -> str:
    """The expected word that was likely meant, or that lacks the blank after it."""
    words = sorted(
        word for word in stop.failure.expected if WORD.fullmatch(word) and word.islower()
    )
    glued = next((word for word in words if stop.text.startswith(word)), None)
    name_follows = re.compile(r"[ \t]+\w").match(stop.span.source.text, stop.span.end)
    if glued is not None and not name_follows:
        return f"{glued} {stop.text[len(glued) :]}"
    return next(iter(get_close_matches(stop.text, words, n=1, cutoff=0.7)), "")
