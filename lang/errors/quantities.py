"""E032x: numbers of inputs, and where they may stand."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span
from circ.lang.types import Array, Type, is_discrete, lengths, show


def not_closed(span: Span) -> Diagnostic:
    """A count over a domain below a variable."""
    headline = "a `count` over a domain stands in a claim without variables, or by itself"
    help = "write a claim of its own, as in `claim c: count { s in D | p } >= 100`"
    return Diagnostic("E0320", headline, span, "not here", help=help)


def counts_reals(span: Span, found: Type) -> Diagnostic:
    """A count over a domain that is a continuum."""
    headline = f"`count` goes over words, and there are infinitely many of `{show(found)}`"
    help = "claim it of all of them, with `forall`"
    return Diagnostic("E0321", headline, span, "not to be counted", help=help)


WORDS_OF_A_FILE = (
    'write them into a file, and go over the data set: `domain Data: {type} from "words.json"`'
)


def not_listed(span: Span, name: str, found: Type, most: int) -> Diagnostic:
    """A comprehension or a fold over a domain whose values are not listed: reals, or words of a type that has many."""
    headline = f"`{name}` is a domain whose values are not listed one by one"
    words = isinstance(found, Array) and is_discrete(found) and lengths(found) is None
    file = WORDS_OF_A_FILE.format(type=show(found))
    few = f"a type that has more than {most:,} words is not gone through; where `{name}` has few, {file}"
    some = f"go over a data set, or over words of a type that has at most {most:,} of them"
    return Diagnostic("E0322", headline, span, "not listed", help=few if words else some)


def not_added_up(span: Span, name: str) -> Diagnostic:
    """A comprehension over a domain with a condition, which is taken apart."""
    headline = f"how many values `{name}` has is not known here, as it has a condition"
    help = "take their `sum`, `mean`, `max` or `min` at once, as in `mean([ f(s) for s in D ])`; or go through them with `fold`"
    return Diagnostic("E0322", headline, span, "of a length that is not known", help=help)


def not_known(span: Span, name: str, why: str) -> Diagnostic:
    """A domain whose conditions cannot be worked out, value by value."""
    headline = f"which values `{name}` has is not known, as its conditions {why}"
    help = "go over all words of its type, with the condition in a `cases`"
    return Diagnostic("E0322", headline, span, "not listed", help=help)


def lists_nothing(span: Span, name: str) -> Diagnostic:
    """A domain that no value is in, to be gone through."""
    headline = f"`{name}` has no values to go through"
    return Diagnostic(
        "E0322", headline, span, "empty", help="no value of its type meets its conditions"
    )
