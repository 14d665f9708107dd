"""What a name in a text can mean, for whoever points at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from circ.lang.span import Source, Span
from circ.lang.syntax import CheckpointDecl, Entry, EnumDecl, Item, Name, RecordDecl
from circ.lang.types import Type


@dataclass(frozen=True, slots=True)
class Declared:
    """An item, of this module or of one that it uses."""

    item: Item


@dataclass(frozen=True, slots=True)
class OneMember:
    """A member of an enum."""

    enum: EnumDecl
    name: Name


@dataclass(frozen=True, slots=True)
class Wire:
    """A parameter or a `let` of a circuit: what can be read and replaced in its calls."""

    name: Name
    type: Type


@dataclass(frozen=True, slots=True)
class Bound:
    """A binder, the state of a fold, or a dimension."""

    name: Name
    type: Type


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of a checkpoint, or the group of those below a path."""

    checkpoint: CheckpointDecl
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A tensor of a record, or those of it below a path."""

    record: RecordDecl
    path: tuple[str, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of the record that it stands for, itself or those below it."""
        size = len(self.path)
        return tuple(
            e for e in self.record.fields if tuple(p.text for p in e.path[:size]) == self.path
        )


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A function of the language."""

    name: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A module that is used."""

    source: Source


Meaning = Declared | OneMember | Wire | Bound | Stored | Field | BuiltIn | Whole


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name where it stands, and what it means there."""

    span: Span
    means: Meaning


def defined_at(means: Meaning) -> Span | None:
    """Where that is declared, if it is declared in a text."""
    match means:
        case Declared(item=item):
            return item.name.span
        case OneMember(name=name) | Wire(name=name) | Bound(name=name):
            return name.span
        case Stored(checkpoint=checkpoint):
            return checkpoint.name.span
        case Field(record=record):
            found = means.entries
            return found[0].path[len(means.path) - 1].span if found else record.name.span
        case BuiltIn():
            return None
        case Whole(source=source):
            return Span(source, 0, 0)
        case _:
            assert_never(means)
