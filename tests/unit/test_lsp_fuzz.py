"""The server's answers about texts that nobody would write: there is always one, and never an exception."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lsprotocol import types as lsp

from circ.runtime.lsp.completing import completions
from circ.runtime.lsp.documents import Documents, Reading
from circ.runtime.lsp.findings import mends, shown
from circ.runtime.lsp.outline import outline
from circ.runtime.lsp.places import Encoding, Places
from circ.runtime.lsp.pointing import definition, hover, places_of
from circ.runtime.lsp.renaming import NotRenamed, renamed
from circ.runtime.lsp.server import formatted
from tests.unit.editor import editing
from tests.unit.whole_language import SPEC, write_weights

some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(some, max_examples=1500)

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
ANY_TEXT = st.text(max_size=60) | st.text(st.characters(categories=["Cs", "Cc", "So"]), max_size=9)
PIECES = st.sampled_from(
    ["{", "}", "(", ")", "[", "m.", ".", '"', "#", "##", "\r", "\r\n", "\x0c", "\u2028", "let ",
     "forall s in Words: ", "circuit", "claim c: ", "use ", "match s {", "=> ", "do { x := ", "|"]
)  # fmt: skip


@st.composite
def half_written(draw: st.DrawFn) -> str:
    """The whole language, with a part taken out, something else put in, and perhaps no end."""
    first, last = sorted((draw(st.integers(0, len(SPEC))), draw(st.integers(0, len(SPEC)))))
    taken = draw(st.integers(first, last) | st.integers(first, min(first + 9, last)))
    put = draw(PIECES | ANY_TEXT)
    end = draw(st.sampled_from([len(SPEC), last]))
    return SPEC[:first] + put + SPEC[taken:end]


texts = half_written() | ANY_TEXT | st.binary(max_size=60).map(lambda data: data.decode("latin-1"))
positions = st.builds(lsp.Position, st.integers(0, 90), st.integers(0, 200))
new_names = st.sampled_from(["x", "s", "model", "eos", "match", "it", "relu", "brand_new", "é", ""])


def ask_everything(folder: Path, text: str, at: lsp.Position, new: str) -> None:
    """Every question that an editor may ask."""
    documents = Documents()
    uri = (folder / "spec.circ").as_uri()
    documents.put(uri, text, 1)
    reading = documents.reading(uri)
    assert isinstance(reading, Reading)
    spot = lsp.Range(at, at)
    for finding in shown(reading, reading.program.diagnostics):
        assert finding.range.start <= finding.range.end
    hover(reading, at)
    definition(reading, at)
    places_of(reading, at)
    completions(reading, at)
    outline(reading)
    formatted(reading)
    list(mends(reading, spot))
    try:
        edit = renamed(documents, reading, at, new)
    except NotRenamed:
        return
    assert edit.changes is not None
    assert all(new == each.new_text for each in edit.changes[uri])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint that the spec names."""
    made = tmp_path_factory.mktemp("fuzz")
    write_weights(made)
    return made


@some
@given(texts, positions, new_names)
def test_any_text_has_answers(folder: Path, text: str, at: lsp.Position, new: str) -> None:
    """Half-written specs, and what is none: each question is answered, if only with nothing."""
    ask_everything(folder, text, at, new)


@pytest.mark.slow
@many
@given(texts, positions, new_names)
def test_many_texts_have_answers(folder: Path, text: str, at: lsp.Position, new: str) -> None:
    """The same, for more of them."""
    ask_everything(folder, text, at, new)


@some
@given(st.data())
def test_a_spec_has_answers_everywhere(folder: Path, data: st.DataObject) -> None:
    """At every name of the whole language: a hover, and a renaming that is done or refused."""
    documents = Documents()
    uri = (folder / "spec.circ").as_uri()
    documents.put(uri, SPEC, 1)
    reading = documents.reading(uri)
    assert reading is not None and reading.names
    name = data.draw(st.sampled_from(reading.names))
    at = reading.places.position(name.span.start)

    assert hover(reading, at) is not None
    ask_everything(folder, SPEC, at, data.draw(new_names))


@given(st.text(max_size=30) | ANY_TEXT, st.sampled_from(ENCODINGS))
def test_positions_and_offsets_agree(text: str, encoding: Encoding) -> None:
    """Every offset outside a line break has a position that leads back to it."""
    places = Places(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":
            assert places.offset(places.position(offset)) == offset


LONG = 100_000


@pytest.mark.parametrize(
    "text",
    ["x" * LONG, "x." * LONG, "x y" * LONG, "f(" * LONG, "). " * LONG, '"' * LONG, "# " * LONG, " " * LONG,
     "let " * LONG, "x, " * LONG, "x:" * LONG, "use std.attention: " + "x, " * 2000, "\n" * LONG],
    ids=lambda text: text[:5].strip() or "blank",
)  # fmt: skip
def test_long_lines_are_answered_too(folder: Path, text: str) -> None:
    """A line of a hundred thousand characters is no reason to wait: what is looked at has bounds, or takes linear time."""
    lines = text.split("\n")
    ask_everything(folder, text, lsp.Position(len(lines) - 1, len(lines[-1])), "y")


def test_hostile_texts_over_the_wire(tmp_path: Path) -> None:
    """Half a character, control characters, a million brackets: the server says so, and goes on."""
    hostile = [
        "\ud800",
        "\x00\x1b[2J",
        "(" * 100_000,
        "{" * 1000 + "\u2028",
        'enum "\udfff" = {',
        "",
    ]

    async def driven() -> None:
        async with editing(tmp_path) as editor:
            editor.open("spec.circ", "param x = 1\n")
            for version, text in enumerate(hostile, start=2):
                editor.change("spec.circ", text, version)
                found = await editor.found("spec.circ", version)
                assert bool(found) == bool(text)
                asked = lsp.HoverParams(editor.at("spec.circ"), lsp.Position(0, 1))
                assert await editor.client.text_document_hover_async(asked) is None
            editor.change("spec.circ", "param x = 1\n", 99)
            assert await editor.found("spec.circ", 99) == []

    asyncio.run(driven())
