"""A module and those that it uses: each text is read once, and checked before what uses it."""

from __future__ import annotations

from dataclasses import dataclass, field

from circ.lang.check.items import TypedModule, Used, typecheck
from circ.lang.check.listed import with_listed_enums
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.names import module_lacks, not_a, uses_itself
from circ.lang.headers import Openers
from circ.lang.parser import parse
from circ.lang.scope import Value, kind
from circ.lang.span import Source
from circ.lang.syntax import Module, Name, Use


@dataclass(slots=True)
class Reading:
    """The modules that are checked already, and the uses that led to the one being read.

    `before` has those that are checked again, with tensors of other shapes.
    """

    openers: Openers
    diagnostics: Diagnostics
    before: dict[Source, TypedModule] = field(default_factory=dict[Source, TypedModule])
    done: dict[Source, TypedModule] = field(default_factory=dict[Source, TypedModule])
    through: list[tuple[Source, Use]] = field(default_factory=list[tuple[Source, Use]])


def check_modules(source: Source, openers: Openers, diagnostics: Diagnostics) -> TypedModule:
    """A spec with all that it uses; every independent error is in `diagnostics` afterwards."""
    return read(source, Reading(openers, diagnostics))


def check_again(typed: TypedModule, openers: Openers, diagnostics: Diagnostics) -> TypedModule:
    """The same syntax trees, checked with headers in which a patch has changed shapes; `old` keeps the types it has.

    Texts and lists are not read again.
    """
    before = {each.module.span.source: each for each in typed.modules}
    return read(typed.module.span.source, Reading(openers, diagnostics, before))


def read(source: Source, reading: Reading) -> TypedModule:
    """The module that a text is, checked once."""
    if source not in reading.done:
        found = Diagnostics()
        before = reading.before.get(source)
        if before is None:
            module = with_listed_enums(parse(source, found), reading.openers.listed, found)
        else:
            module = before.module
        used = used_by(module, reading, found)
        reading.done[source] = typecheck(module, used, reading.openers, found, before)
        for diagnostic in found:
            reading.diagnostics.report(diagnostic)
    return reading.done[source]


def used_by(module: Module, reading: Reading, diagnostics: Diagnostics) -> Used:
    """What a module has from others; a `use` that gives nothing is reported."""
    lacking = False
    names: dict[Name, Value] = {}
    modules: dict[Source, TypedModule] = {}
    for use in module.uses:
        other = module_of(use, module.span.source, reading, diagnostics)
        if other is not None:
            modules |= {each.module.span.source: each for each in other.modules}
            for name in use.names:
                item = given(name, use, other, diagnostics)
                if item is None:
                    lacking = True
                else:
                    names[name] = item
    return Used(names, tuple(modules.values()), lacking)


def module_of(
    use: Use, user: Source, reading: Reading, diagnostics: Diagnostics
) -> TypedModule | None:
    """The module that a `use` names; None where there is none, or it needs its user."""
    try:
        source = reading.openers.module(use)
    except CircError as error:
        for diagnostic in error.diagnostics:
            diagnostics.report(diagnostic)
        return None
    reading.through.append((user, use))
    circle = circle_to(source, reading)
    if circle:
        diagnostics.report(uses_itself(use.module, [each.module for each in circle[:-1]]))
        found = None
    else:
        found = read(source, reading)
    reading.through.pop()
    return found


def circle_to(source: Source, reading: Reading) -> list[Use]:
    """The uses that lead from a text back to it; none where it is not being read."""
    users = [user for user, _ in reading.through]
    if source not in users:
        return []
    return [use for _, use in reading.through[users.index(source) :]]


def given(name: Name, use: Use, other: TypedModule, diagnostics: Diagnostics) -> Value | None:
    """The declaration that a module gives under a name; None, reported, where it has none."""
    own = {item.name.text: item for item in other.facts.order}
    item = own.get(name.text)
    if item is not None:
        return item
    scope = other.scope
    asked = scope.claims.get(name.text) or scope.patches.get(name.text)
    if asked is not None:
        diagnostics.report(not_a(name, kind(asked), "a declaration that can be used"))
    elif not other.facts.incomplete:
        passed_on = scope.values.get(name.text)
        origin = "" if passed_on is None else passed_on.name.span.source.name
        diagnostics.report(module_lacks(name, use.module.text, list(own), origin))
    return None
