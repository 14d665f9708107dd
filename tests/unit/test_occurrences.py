"""What each name of a text means: none is overlooked, and renaming finds them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from circ.lang.comments import words_of
from circ.lang.meanings import Declared, Field, Stored, defined_at
from circ.lang.span import Span
from circ.lang.words import CLAUSE_WORDS, HEAD_WORDS, RESERVED, TYPES, WORD
from circ.runtime.lsp.documents import Documents, Reading
from circ.runtime.lsp.renaming import NotRenamed, renamed
from tests.unit.whole_language import SPEC, write_weights

SPACES = """
space Resid = real[2]
space Head  = real[3]
checkpoint n from "model.safetensors" {
  blocks.0.mlp.W: Resid -> Head
}
subspace Line of Resid = span [1, 0]
guard open[k](x: Resid, many: real[k]) = x[0] > 0.5 and sum(many) > 0
circuit along(x: Resid, w: Resid -> Head) -> Head =
  w @ ((x on Line) - (x off Line)) + ([1, 2, 3] as Head) * coords(x, Line)[0]
circuit folded[k](s: Char[k]) -> Quote = fold q = Quote.none over c in s: match q {
  none | inside => q
}
record Mlp[d, h] = {
  W:     real[h, d]
  b:     real[h]
}
record Block = { mlp: Mlp[2, 3] }
circuit taken(x: real[2], w: Mlp[2, 3], v: Block) -> real[3] = w.W @ x + w.b + v.mlp.b
claim records: forall x in Box: taken(x, n.blocks.0.mlp, n.blocks.0) do { w := n.blocks.1.mlp } <= 9
claim counted: count { s: Char[2] | s matches Char.letter quote* } + count { t in Words } >= 0
claim edited: forall x in Box: along(x, n.blocks.0.mlp.W) do { w[0] := it, x := 0 } <= 9
"""

WHOLE = SPEC + SPACES

UNNAMED = {*RESERVED, *CLAUSE_WORDS, *HEAD_WORDS, *TYPES, "it", "l0", "l1", "l2", "linf", "_"}
"""Words that stand for themselves."""


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[Documents, Reading]:
    """The whole language, open in an editor."""
    folder: Path = tmp_path_factory.mktemp("names")
    write_weights(folder)
    documents, uri = Documents(), (folder / "spec.circ").as_uri()
    documents.put(uri, WHOLE, 1)
    reading = documents.reading(uri)
    assert reading is not None
    assert [d.headline for d in reading.program.diagnostics if d.severity == "error"] == []
    return documents, reading


def test_no_name_is_overlooked(documents: tuple[Documents, Reading]) -> None:
    """Every word that could be a name has a meaning, but for the paths in a checkpoint's braces."""
    _, reading = documents
    known = {name.span.start for name in reading.names}
    entries = [
        entry.span
        for item in reading.program.typed.module.items
        for entry in getattr(item, "entries", ())
    ]
    lost = [
        word.means
        for word in words_of(WHOLE)
        if WORD.match(WHOLE, word.start)
        and word.means not in UNNAMED
        and word.start not in known
        and not any(span.start <= word.start < span.end for span in entries)
    ]

    assert lost == []


def test_a_name_stands_in_its_place(documents: tuple[Documents, Reading]) -> None:
    """What means a declaration is written as it is called there; no two overlap."""
    _, reading = documents
    for name in reading.names:
        at = defined_at(name.means)
        if at is not None and not isinstance(name.means, Stored):
            assert name.span.text.strip('"') == at.text.strip('"')
    for before, after in zip(reading.names, reading.names[1:], strict=False):
        assert before.span.end <= after.span.start


def test_every_declared_name_can_be_another(documents: tuple[Documents, Reading]) -> None:
    """Were one place overlooked, the text would have an error afterwards, and be refused."""
    opened, reading = documents
    declared = [name for name in reading.names if defined_at(name.means) == name.span]
    declared = [name for name in declared if not isinstance(name.means, Field)]
    declared = [name for name in declared if name.span not in of_lemmas(reading)]
    assert len(declared) > 100
    for name in declared:
        at = reading.places.position(name.span.start)
        edit = renamed(opened, reading, at, "brand_new")
        assert edit.changes is not None
        assert len(edit.changes[reading.uri]) >= 1


def of_lemmas(reading: Reading) -> set[Span]:
    """The variables of claims that are lemmas, or use some."""
    claims = reading.program.typed.scope.claims
    tied = {name.text for claim in claims.values() for name in claim.using}
    tied |= {name for name, claim in claims.items() if claim.using}
    return {binder.name.span for name in tied for binder in claims[name].formula.binders}


def test_a_variable_that_a_lemma_is_used_for_keeps_its_name(
    documents: tuple[Documents, Reading],
) -> None:
    """A lemma is used for the variables of its own names: another name in one of the claims is refused."""
    opened, reading = documents
    assert of_lemmas(reading)
    for span in of_lemmas(reading):
        with pytest.raises(NotRenamed, match="the claim has no variable of that name"):
            renamed(opened, reading, reading.places.position(span.start), "brand_new")


def test_capture_is_refused(documents: tuple[Documents, Reading]) -> None:
    """A binder that took the name of what is read in its reach would stand for it: refused."""
    opened, reading = documents
    binders = [
        name
        for name in reading.names
        if defined_at(name.means) == name.span and not isinstance(name.means, Declared)
    ]
    offset = WHOLE.index("circuit block(x: real[2])") + len("circuit block(")
    at = reading.places.position(offset)
    assert offset in {name.span.start for name in binders}
    for taken in ("m", "hidden", "scaled", "letter"):
        with pytest.raises(NotRenamed):
            renamed(opened, reading, at, taken)
    offset = WHOLE.index("refuted: forall x in Box") + len("refuted: forall ")
    with pytest.raises(NotRenamed, match="something else"):
        renamed(opened, reading, reading.places.position(offset), "twice")
