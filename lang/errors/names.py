"""E01xx: names that are unknown, taken twice, or used for what they are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from circ.lang.diagnostic import Diagnostic, Fix, Label
from circ.lang.errors.spelling import nearest
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.words import quoted, written_part


def suggestion(span: Span, near: str | None) -> tuple[str, Fix | None]:
    """Help and fix for a misspelt name."""
    return (f"did you mean `{near}`?", Fix(span, near)) if near else ("", None)


def unknown_name(span: Span, name: str, known: Iterable[str], *, quote: bool = False) -> Diagnostic:
    """A name that nothing declares; `quote`: the member of an enum, in quotes."""
    near = nearest(name, known)
    help, fix = suggestion(span, quoted(near) if quote and near is not None else near)
    return Diagnostic("E0101", f"`{name}` is not declared", span, "unknown", help=help, fix=fix)


def word_in_quotes(span: Span, text: str, letters: Sequence[str]) -> Diagnostic:
    """A whole word in quotes, each of whose characters is a member."""
    word = f"[{', '.join(letters)}]"
    headline = f"`{text}` is not declared"
    help = f"a word is a list of members: `{word}`"
    return Diagnostic("E0101", headline, span, "unknown", help=help, fix=Fix(span, word))


def listed_member(span: Span, name: str) -> Diagnostic:
    """A bare name that only an enum of a file has."""
    headline = f"`{name}` is not declared; a member that a file lists stands in quotes"
    fix = Fix(span, quoted(name))
    return Diagnostic("E0101", headline, span, "bare", help=f"write `{quoted(name)}`", fix=fix)


def unknown_function(name: Name, help: str) -> Diagnostic:
    """A function that other libraries have."""
    headline = f"there is no function `{name.text}`"
    return Diagnostic("E0101", headline, name.span, "unknown", help=help)


def not_evaluated(span: Span, name: str, what: str, command: str) -> Diagnostic:
    """A claim or a patch where a value is wanted, and the command that takes it."""
    headline = f"`{name}` is {what}, not a value"
    return Diagnostic("E0107", headline, span, what, help=f"`circ {command}` takes it")


def duplicate(name: Name, first: Span) -> Diagnostic:
    """A second declaration of one name."""
    why = (Label(first, "first declared here"),)
    return Diagnostic("E0102", f"`{name.text}` is declared twice", name.span, "again", why)


def shadows_member(name: Name, member: Name, enum: str) -> Diagnostic:
    """A binder that would hide a member of an enum."""
    why = (Label(member.span, f"a member of `{enum}`"),)
    headline = f"`{name.text}` would hide the member of `{enum}`"
    return Diagnostic("E0103", headline, name.span, "", why, "choose another name")


def ambiguous_member(span: Span, member: str, enums: Sequence[str]) -> Diagnostic:
    """A member name that two enums share."""
    ways = " or ".join(f"`{enum}.{written_part(member)}`" for enum in enums)
    headline = f"`{member}` is a member of several enums"
    return Diagnostic("E0104", headline, span, "which one?", help=f"write {ways}")


def not_a(name: Name, kind: str, wanted: str) -> Diagnostic:
    """A declared name that is something else than what is wanted here, both in words."""
    return Diagnostic("E0105", f"`{name.text}` is {kind}, not {wanted}", name.span, kind)


def recursive(name: Name, through: Sequence[Name], help: str = "") -> Diagnostic:
    """A declaration that reaches itself, perhaps through others."""
    headline = f"`{name.text}` is defined by itself"
    why = tuple(Label(other.span, "through this") for other in through)
    return Diagnostic("E0106", headline, name.span, "needs its own value", why, help)


def not_a_value(span: Span, name: str, kind: str, help: str = "") -> Diagnostic:
    """A circuit, domain or checkpoint where a value is wanted."""
    return Diagnostic("E0107", f"`{name}` is {kind}, not a value", span, "", help=help)


def word_of_the_language(name: Name, what: str) -> Diagnostic:
    """A declaration under a name that the language itself gives a meaning."""
    headline = f"`{name.text}` is {what}, and cannot be declared"
    return Diagnostic("E0108", headline, name.span, "taken", help="choose another name")


def module_lacks(name: Name, module: str, known: Sequence[str], origin: str) -> Diagnostic:
    """A name that a used module does not declare; `origin` is where it uses that name from."""
    headline = f"`{module}` declares no `{name.text}`"
    if origin:
        help = f"it uses that name itself: use it from `{origin}`"
        return Diagnostic("E0109", headline, name.span, "not its own", help=help)
    help, fix = suggestion(name.span, nearest(name.text, known))
    if not help and known:
        listed = ", ".join(f"`{other}`" for other in sorted(known)[:6])
        help = f"it declares {listed}{', …' if len(known) > 6 else ''}"
    return Diagnostic("E0109", headline, name.span, "not there", help=help, fix=fix)


def uses_itself(module: Name, through: Sequence[Name]) -> Diagnostic:
    """A `use` that leads back to the module it stands in, perhaps by way of others."""
    why = tuple(Label(other.span, "through this") for other in through)
    headline = "a module cannot use itself" if not why else "modules use each other in a circle"
    help = "move what both need to a file of its own"
    return Diagnostic("E0110", headline, module.span, "leads back", why, help)
