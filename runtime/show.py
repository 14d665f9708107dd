"""Values as text for people: decimals with the digits that matter."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal
from fractions import Fraction

from circ.compiler.ir import Bool, Index, Real, Shape, WireType
from circ.lang.words import DIGITS as DIGITS_ALONE
from circ.lang.words import written_name

DIGITS = {"F64": 15, "F32": 8, "F16": 5, "BF16": 4}
"""Significant digits that tell most values of a format apart."""

MOST_SHOWN = 64
"""Entries shown along each axis."""


def printable(text: str) -> str:
    """A text whose signs can all be printed: a tab as blanks, the others as escapes, so that no terminal obeys what a file says."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text.replace("\t", "    ")
    )


def decimal_text(value: Fraction, digits: int = 12) -> str:
    """A decimal, ending in `…` where it is cut off after so many significant digits."""
    context = Context(prec=digits, rounding=ROUND_DOWN)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    found = quotient.normalize(context)
    plain = -6 <= found.adjusted() < digits
    text = f"{found:f}" if plain else f"{found:e}"
    return text if Fraction(found) == value else f"{text}…"


def above(bound: float, digits: int = 3) -> str:
    """A bound to so many digits, none of them below it."""
    found = Context(prec=digits, rounding=ROUND_UP).create_decimal_from_float(bound)
    return f"{float(found):.{digits}g}"


def rational_text(value: Fraction) -> str:
    """`p/q`, or `p` alone, to the last digit: longer than Python's own text of a number may be."""
    top, bottom = (f"{Decimal(part):f}" for part in value.as_integer_ratio())
    return top if bottom == "1" else f"{top}/{bottom}"


def float_text(value: float, dtype: str) -> str:
    """A number that PyTorch computed, to the digits that its format has."""
    return f"{value:.{DIGITS[dtype]}g}"


def between_text(low: Fraction, high: Fraction, digits: int = 12) -> str:
    """A number known to lie between two: its digits where they are the same for both."""
    first, last = decimal_text(low, digits), decimal_text(high, digits)
    return first if first == last else f"{first} to {last}"


def tensor_text(entries: Sequence[str], shape: Shape, most: int = MOST_SHOWN) -> str:
    """Entries in row-major order as nested brackets, axes longer than `most` cut off."""
    if not shape:
        return entries[0]
    width = len(entries) // shape[0] if shape[0] else 0
    rows = [
        tensor_text(entries[k * width : (k + 1) * width], shape[1:], most)
        for k in range(min(shape[0], most))
    ]
    return f"[{', '.join(rows)}{', …' if shape[0] > most else ''}]"


def member_text(name: str) -> str:
    """A member as a spec writes it, in quotes where it is no word; a position as a number."""
    return name if DIGITS_ALONE.fullmatch(name) else written_name(name)


def code_text(code: int, kind: WireType, members: Sequence[str]) -> str:
    """A truth, or a member by its name where it has one."""
    match kind.sort:
        case Bool():
            return "true" if code else "false"
        case Index():
            return member_text(members[code]) if code < len(members) else str(code)
        case Real():
            return str(code)
