"""Messages about binders: variables without a name or a domain, conditions where no condition stands."""

from __future__ import annotations

import re

from circ.lang.diagnostic import Diagnostic, Fix
from circ.lang.errors import syntax as errors
from circ.lang.span import Span
from circ.lang.stops import CLOSERS, LEXEME, Stop

QUANTIFIER = re.compile(r"\b(forall|exists)\b")
HAS_DOMAIN = re.compile(r"\bin\b")
TYPE_NEXT = re.compile(r":\s*(real|bool|fin|[A-Z]\w*)(\s*\[[^\]\n]*\])?\s*(,|:|where\b)")
DOMAIN = re.compile(r"^domain (\w+)", re.MULTILINE)

GOES_ON = frozenset("[(.+-*/@=<>!") | {"==", "!=", "<=", ">=", "in", "matches"}
"""What stands behind a name in a condition, and not in a list of variables."""

SPARE = ("i", "j", "k", "each", "other")
"""Names for a variable that nothing reads."""


def binder_trouble(stop: Stop) -> Diagnostic | None:
    """Is it a binder, or what stands in the place of one?"""
    return nameless(stop) or condition_behind_comma(stop) or no_domain(stop) or filtered(stop)


def nameless(stop: Stop) -> Diagnostic | None:
    """Is it `_` where a variable has its name?"""
    if stop.text != "_" or not stop.expects("NAME") or stop.expects("WILDCARD", "NUMBER", "STRING"):
        return None
    taken = set(re.findall(r"\w+", stop.span.source.text))
    name = next((name for name in SPARE if name not in taken), "")
    written = f": write `{name}`" if name else ""
    help = f"`_` is any letter of a pattern; a variable has a name, also where nothing reads it{written}"
    fix = Fix(stop.span, name) if name else None
    return errors.unexpected(stop.span, stop.words, ["a name"], help, fix)


def condition_behind_comma(stop: Stop) -> Diagnostic | None:
    """Is it a condition behind `forall x in D,`, where a `:` stands before what is claimed?"""
    behind_name = stop.text in GOES_ON and (
        stop.expects_only(",", "in") or stop.expects_only(",", ")")
    )
    in_place_of_name = stop.failure.found == "text" and (
        stop.expects_only("NAME", "(") or stop.expects_only("NAME")
    )
    if not (behind_name or in_place_of_name):
        return None
    source, start = stop.span.source, stop.span.start
    heads = [*QUANTIFIER.finditer(source.text, 0, start)]
    head = source.text[heads[-1].end() : start] if heads else ""
    comma = head.rfind(",")
    behind = head[comma + 1 :].strip()
    inside = stop.expects_only(",", ")") or stop.expects_only("NAME")
    names = behind.removeprefix("(").split()
    if (
        inside != behind.startswith("(")
        or len(names) != behind_name
        or comma < 0
        or not HAS_DOMAIN.search(head, 0, comma)
    ):
        return None
    at = heads[-1].end() + comma
    premise = colon_follows(stop)
    wanted, word = ("`where`", " where") if premise else ("`:`", ":")
    role = "what is assumed" if premise else "what is claimed"
    span = Span(source, at, at + 1)
    help = f"{wanted} stands before {role}; a comma, before another variable"
    return errors.unexpected(span, "`,`", [wanted], help, Fix(span, word))


def colon_follows(stop: Stop) -> bool:
    """Whether a `:` outside of brackets follows on the same line."""
    depth = 0
    for found in LEXEME.finditer(stop.span.source.text, stop.span.start):
        if found[0] in ("\n", "#"):
            return False
        if found[0] == ":" and depth == 0:
            return True
        depth += (found[0] in CLOSERS) - (found[0] in CLOSERS.values())
    return False


def no_domain(stop: Stop) -> Diagnostic | None:
    """Is it a variable without `in D`?"""
    text = stop.span.source.text
    if stop.text != ":" or not stop.expects_only(",", "in"):
        return None
    if TYPE_NEXT.match(text, stop.span.start):
        return None
    domains = DOMAIN.findall(text)
    name = domains[0] if domains else "D"
    at = Span(stop.span.source, stop.span.start, stop.span.start)
    help = f"say over which domain: `in {name}`"
    fix = Fix(at, f" in {name}") if len(domains) == 1 else None
    return errors.missing(stop.span, "`in`", stop.words, help, fix)


def filtered(stop: Stop) -> Diagnostic | None:
    """Is it a condition at the end of a comprehension?"""
    opener = stop.open_brackets[-1] if stop.open_brackets else None
    if stop.text not in ("if", "where") or opener is None or opener.text != "[":
        return None
    inside = stop.span.source.text[opener.end : stop.span.start]
    if not stop.expects("]") or not re.search(r"\bfor\b", inside):
        return None
    help = (
        "of what goes into a sum, the rest can be 0: `[ cases { p => v, else => 0 } for v in x ]`; "
        "how many meet p is `count { v in x | p }`"
    )
    return errors.unsupported(stop.span, f"`{stop.text}` in a comprehension is", help)
