"""Opening a spec as the command line asks: its text, its params, and files put in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from circ.compiler.agreement import Uncompared
from circ.compiler.driver import Program, check, checkpoints, claim_of, networks
from circ.compiler.stored import Files
from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.command import (
    bad_setting,
    no_claim,
    no_spec,
    unknown_setting,
)
from circ.lang.errors.syntax import not_text, too_large
from circ.lang.span import Source
from circ.lang.syntax import ParamDecl

if TYPE_CHECKING:
    from circ.compiler.imported import Imported

LONGEST = 400
"""Characters of a number, and its largest exponent."""

Opened = tuple[tuple[str, ...], tuple[str, ...], bool]
"""The words of `--param` and `--checkpoint`, and `--allow-outside`, as the command line has them."""

LARGEST_SPEC = 4 << 20
"""A spec of more bytes than this is refused unread."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a command line says of a spec, besides its path; `untied` as in `Files`."""

    params: Mapping[str, Fraction] = field(default_factory=dict[str, Fraction])
    checkpoints: Mapping[str, Path] = field(default_factory=dict[str, Path])
    outside: bool = False
    networks: Mapping[str, Imported] = field(default_factory=dict[str, "Imported"])
    untied: bool = False


def open_spec(path: Path, request: Request) -> Program:
    """Check a spec; its errors are in `Program.diagnostics`.

    Raises `CircError` where there is no text to check, or a setting names nothing.
    """
    files = Files(
        path.parent,
        request.outside,
        request.checkpoints,
        handed=request.networks,
        untied=request.untied,
    )
    program = check(Source(str(path), read_text(path)), files, request.params)
    declared = program.typed.declared
    params = [name for name, item in declared.items() if isinstance(item, ParamDecl)]
    known = [*networks(program.typed)]
    require_declared("param", params, request.params)
    require_declared("network", known, request.networks)
    require_declared("checkpoint", [*checkpoints(program.typed), *known], request.checkpoints)
    if files.networks:
        from circ.runtime.comparing import compare  # numpy, for those who need it

        compare(program)
    return program


def require_declared(what: str, known: Sequence[str], names: Iterable[str]) -> None:
    """Raise `CircError` where one of `names` is none of the known keys."""
    for name in names:
        if name not in known:
            raise CircError(unknown_setting(what, name, known))


def checked(path: Path, request: Request) -> Program:
    """A spec without errors; raises `CircError` with all of them otherwise."""
    program = open_spec(path, request)
    if program.diagnostics.failed:
        raise CircError(*program.diagnostics)
    return program


def usable(path: Path, request: Request) -> Program:
    """A spec in which single claims and patches alone may have errors; raises as `checked`."""
    program = open_spec(path, request)
    if program.failed:
        raise CircError(*program.diagnostics)
    return program


def uncompared(program: Program) -> Iterator[str]:
    """What is to be noted of the networks whose reading was held against nothing."""
    for at, decl in networks(program.typed).items():
        found = program.files.network(decl)
        if isinstance(found.agreement, Uncompared):
            yield f"the reading of `{at}` was not compared: {found.agreement.reason}"


def noted(program: Program) -> list[Diagnostic]:
    """What was found in a spec, for one who does not ask about the claims that have errors."""
    return [replace(found, severity="warning") for found in program.diagnostics]


def read_text(path: Path) -> str:
    """The text of a spec; raises `CircError` where it is missing, too large or not UTF-8."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_SPEC + 1)
    except OSError as error:
        raise CircError(no_spec(str(path), error.strerror or "unreadable")) from error
    except ValueError as error:  # a zero byte, or half a character
        raise CircError(no_spec(str(path), "no file has such a name")) from error
    if len(data) > LARGEST_SPEC:
        raise CircError(too_large(str(path), path.stat().st_size, LARGEST_SPEC))
    return as_text(str(path), data)


def as_text(name: str, data: bytes) -> str:
    """The text of a spec, its lines ended by `\\n`; raises `CircError` where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise CircError(not_text(name, error.start)) from error


def settings(params: Iterable[str], checkpoints: Iterable[str], outside: bool) -> Request:
    """A request from `name=value` words; raises `CircError` where one is malformed."""
    numbers: dict[str, Fraction] = {}
    for word in params:
        name, value = split(word, "--param")
        try:
            numbers[name] = rational(value)
        except (ValueError, ZeroDivisionError) as error:
            raise CircError(bad_setting(word, "--param", "eps=0.01")) from error
    files = dict(split(word, "--checkpoint") for word in checkpoints)
    return Request(numbers, {name: Path(file) for name, file in files.items()}, outside)


def rational(text: str) -> Fraction:
    """A decimal or a fraction; raises `ValueError` where it is neither, or absurdly long."""
    _, _, exponent = text.lower().partition("e")
    if len(text) > LONGEST or abs(int(exponent or 0)) > LONGEST:
        raise ValueError(text)
    return Fraction(text)


def split(word: str, option: str) -> tuple[str, str]:
    """`name=value` in two."""
    name, equals, value = word.partition("=")
    if not (name and equals and value):
        example = "eps=0.01" if option == "--param" else "m=patched.safetensors"
        raise CircError(bad_setting(word, option, example))
    return name, value


def at_one_value(program: Program, name: str) -> bool:
    """Whether a name is that of a claim at one value of the quantifier before its own, as in `c[3]`.

    Raises `CircError` (E0704) for a value that is not gone through.
    """
    claim = claim_of(name)
    decl = program.typed.scope.claims.get(claim)
    if claim == name or decl is None or decl.outer is None:
        return False
    return claim in program.faults or program.each(name) is not None


def chosen(program: Program, wanted: Iterable[str], kind: Literal["claim", "patch"]) -> list[str]:
    """The claims or patches that a command line names, or all; of a claim at several values, one: `c[3]`.

    Raises `CircError` for others, and with the errors of those that have some.
    """
    scope = program.typed.scope
    known = list(scope.claims if kind == "claim" else scope.patches)
    for name in wanted:
        if name not in known and not at_one_value(program, name):
            raise CircError(no_claim(kind, name, known))
    names = list(wanted) or known
    wrong = Diagnostics()
    for found in (found for name in names for found in program.faults.get(claim_of(name), ())):
        wrong.report(found)
    if wrong.failed:
        raise CircError(*wrong)
    return names
