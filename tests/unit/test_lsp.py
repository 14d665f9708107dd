"""`circ lsp`, driven over standard input and output by a client that knows nothing of Circ."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from subprocess import PIPE

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from circ.lang.check.functions import FUNCTIONS
from tests.unit.editor import PATIENCE, Editor, editing
from tests.unit.specs import write_spec
from tests.unit.whole_language import SPEC, write_weights

SMALL = """\
## Small.
enum Char = { letter, "two words" }
checkpoint m from "model.safetensors"

## Adds up.
circuit f(x: real[2]) -> real[2] {
  let hidden = relu(m.W @ x)
  return hidden + m.b
}
circuit g(s: Char) -> real = match s { letter => 1, "two words" => 2 }
domain Box = { x: real[2] | -1 <= x <= 1 }
claim small: forall x in Box: f(x).hidden <= 9 and f(x) do { hidden := 0 } <= 9
"""

Act = Callable[[Editor], Awaitable[None]]


def drive(folder: Path, act: Act) -> None:
    """Do something with an editor on a folder."""

    async def driven() -> None:
        async with editing(folder) as editor:
            await act(editor)

    asyncio.run(driven())


def place(text: str, mark: str, add: int = 0) -> lsp.Position:
    """The position where a part of a text starts, and so many characters more."""
    before = text[: text.index(mark) + add]
    return lsp.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)


def marked(text: str, spot: lsp.Range) -> str:
    """What a range of a text holds, on one line."""
    line = text.split("\n")[spot.start.line]
    assert spot.start.line == spot.end.line
    return line[spot.start.character : spot.end.character]


def edited(text: str, edits: list[lsp.TextEdit]) -> str:
    """A text after edits."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans = [
        (starts[e.range.start.line] + e.range.start.character,
         min(len(text), starts[e.range.end.line] + e.range.end.character), e.new_text)
        for e in edits
    ]  # fmt: skip
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


class TestFindings:
    """What is wrong is shown as it is typed."""

    def test_they_come_and_go_with_the_text(self, tmp_path: Path) -> None:
        """A spec that is right has none; a mistake has its code, its place and its reasons."""
        write_spec(tmp_path)
        wrong = SMALL.replace("letter => 1", "leter => 1")

        async def act(editor: Editor) -> None:
            editor.open("small.circ", SMALL)
            assert await editor.found("small.circ") == []
            editor.change("small.circ", wrong, 2)
            found = await editor.found("small.circ", 2)
            assert [marked(wrong, each.range) for each in found] == ["leter"]
            assert found[0].source == "circ"
            assert str(found[0].code).startswith("E")
            editor.change("small.circ", SMALL, 3)
            assert await editor.found("small.circ", 3) == []

        drive(tmp_path, act)

    def test_reasons_are_related_places(self, tmp_path: Path) -> None:
        """Where a diagnostic has labels that say why, an editor can go there."""
        twice = "param x = 1\nparam x = 2\n"

        async def act(editor: Editor) -> None:
            editor.open("twice.circ", twice)
            (found,) = await editor.found("twice.circ")
            (related,) = found.related_information or []
            assert found.range.start.line == 1
            assert related.location.uri == editor.uri("twice.circ")
            assert related.location.range.start.line == 0

        drive(tmp_path, act)

    def test_a_fix_is_an_action(self, tmp_path: Path) -> None:
        """The edit that a diagnostic proposes can be applied, and mends it."""
        write_spec(tmp_path)
        wrong = SMALL.replace("relu(", "rellu(")

        async def act(editor: Editor) -> None:
            editor.open("small.circ", wrong)
            (found,) = await editor.found("small.circ")
            context = lsp.CodeActionContext([found])
            asked = lsp.CodeActionParams(editor.at("small.circ"), found.range, context)
            actions = await editor.client.text_document_code_action_async(asked)
            (action,) = actions or []
            assert isinstance(action, lsp.CodeAction) and action.edit is not None
            edits = (action.edit.changes or {})[editor.uri("small.circ")]
            assert edited(wrong, [*edits]) == SMALL

        drive(tmp_path, act)

    def test_what_only_lowering_sees_follows(self, tmp_path: Path) -> None:
        """Once nobody types, a domain without bounds is found too, as `circ check` finds it."""
        text = "domain D = { x: real | x >= 0 }\nclaim c: forall x in D: x >= 0\n"

        async def act(editor: Editor) -> None:
            editor.open("free.circ", text)
            assert await editor.codes("free.circ") == []
            await editor.until("free.circ", ["E0301"])

        drive(tmp_path, act)

    def test_unsaved_texts_are_what_is_used(self, tmp_path: Path) -> None:
        """A file that is open stands as the editor has it; its errors show at the `use`."""
        user = 'use "rules.circ": eps\nparam x = eps\n'

        async def act(editor: Editor) -> None:
            editor.open("user.circ", user)
            assert await editor.codes("user.circ") == ["E0401"]
            editor.open("rules.circ", "param eps = 1\n")
            await editor.until("user.circ", [])
            editor.change("rules.circ", "param eps =\n", 2)
            await editor.until("user.circ", ["E0001"])
            (found,) = editor.published[editor.uri("user.circ")]
            assert marked(user, found.range) == '"rules.circ"'
            (related,) = found.related_information or []
            assert related.location.uri == editor.uri("rules.circ")
            editor.close("rules.circ")
            await editor.until("user.circ", ["E0401"])

        drive(tmp_path, act)

    def test_no_path_leaves_the_folder_of_its_spec(self, tmp_path: Path) -> None:
        """Neither by `..`, nor from the root, nor through a link; a text in no file has no folder."""
        (tmp_path / "inner").mkdir()
        (tmp_path / "secret.circ").write_text("param eps = 1\n")
        (tmp_path / "inner" / "link.circ").symlink_to(tmp_path / "secret.circ")
        paths = ["../secret.circ", str(tmp_path / "secret.circ"), "link.circ"]
        text = "".join(f"use {json.dumps(path)}: eps\n" for path in paths)

        async def act(editor: Editor) -> None:
            editor.open("inner/spec.circ", text)
            assert await editor.codes("inner/spec.circ") == ["E0411"] * 3
            item = lsp.TextDocumentItem("untitled:Untitled-1", "circ", 1, 'use "x.circ": y\n')
            editor.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
            async with asyncio.timeout(60):
                while "untitled:Untitled-1" not in editor.published:
                    await asyncio.sleep(0.02)
            assert [d.code for d in editor.published["untitled:Untitled-1"]] == ["E0403"]

        drive(tmp_path, act)


class TestPointing:
    """Hover and definitions."""

    def test_a_hover_has_the_type_and_the_words(self, tmp_path: Path) -> None:
        """Of declarations, sites, binders, tensors, members, functions, and of expressions."""
        write_spec(tmp_path)
        expected = {
            "f(x).hidden": ["circuit f(x: real[2]) -> real[2]", "Adds up."],
            "hidden + m.b": ["hidden: real[2]", "site"],
            "hidden := 0": ["hidden: real[2]"],
            "x in Box: f": ["x: real[2]"],
            "W @ x": ["m.W: real[2, 2]", "F32"],
            "letter => 1": ["member 0 of the enum `Char`"],
            "relu(": [FUNCTIONS["relu"].doc],
            "@ x)": ["real[2]"],
        }

        async def act(editor: Editor) -> None:
            editor.open("small.circ", SMALL)
            for mark, words in expected.items():
                asked = lsp.HoverParams(editor.at("small.circ"), place(SMALL, mark))
                found = await editor.client.text_document_hover_async(asked)
                assert found is not None and isinstance(found.contents, lsp.MarkupContent)
                assert [word for word in words if word not in found.contents.value] == []
            asked = lsp.HoverParams(editor.at("small.circ"), lsp.Position(3, 0))
            assert await editor.client.text_document_hover_async(asked) is None

        drive(tmp_path, act)

    def test_a_definition_is_in_this_text_or_another(self, tmp_path: Path) -> None:
        """Also in a file that is used, and in the standard library."""
        text = 'use std.attention: attention\nuse "rules.circ": eps\nparam x = eps\n'
        (tmp_path / "rules.circ").write_text("## One.\nparam eps = 1\n")

        async def act(editor: Editor) -> None:
            async def goes(name: str, whole: str, mark: str) -> tuple[Path, int]:
                asked = lsp.DefinitionParams(editor.at(name), place(whole, mark))
                found = await editor.client.text_document_definition_async(asked)
                assert isinstance(found, lsp.Location)
                return Path(found.uri.removeprefix("file://")), found.range.start.line

            write_spec(tmp_path)
            editor.open("small.circ", SMALL)
            editor.open("user.circ", text)
            own = tmp_path / "small.circ"
            assert await goes("small.circ", SMALL, "f(x).hidden") == (own, 5)
            assert await goes("small.circ", SMALL, "hidden := 0") == (own, 6)
            assert await goes("small.circ", SMALL, "Box: f(x)") == (own, 10)
            assert await goes("small.circ", SMALL, '"two words" => 2') == (own, 1)
            assert await goes("user.circ", text, "eps\nparam") == (tmp_path / "rules.circ", 1)
            assert await goes("user.circ", text, '"rules') == (tmp_path / "rules.circ", 0)
            standard, line = await goes("user.circ", text, "attention\n")
            assert standard.is_file() and standard.name == "attention.circ"
            assert "circuit attention" in standard.read_text().split("\n")[line]

        drive(tmp_path, act)

    def test_all_places_of_a_name_are_found(self, tmp_path: Path) -> None:
        """A site where it is declared, read, and replaced; a tensor by its whole path."""
        write_spec(tmp_path)

        async def act(editor: Editor) -> None:
            editor.open("small.circ", SMALL)
            for mark, lines in (("hidden = ", [6, 7, 11, 11]), ("W @ x", [6])):
                at, context = editor.at("small.circ"), lsp.ReferenceContext(True)
                asked = lsp.ReferenceParams(context, at, place(SMALL, mark))
                found = await editor.client.text_document_references_async(asked)
                assert [each.range.start.line for each in found or []] == lines

        drive(tmp_path, act)

    def test_positions_count_units_of_utf_16(self, tmp_path: Path) -> None:
        """What stands behind a character beyond the first plane is where the editor says it is."""
        text = 'enum E = { "😀😀", b }\nclaim c: E."😀😀" == b\n'

        async def act(editor: Editor) -> None:
            editor.open("wide.circ", text)
            assert await editor.found("wide.circ") == []
            at = lsp.Position(1, len('claim c: E."😀😀" == ') + 2)
            asked = lsp.HoverParams(editor.at("wide.circ"), at)
            found = await editor.client.text_document_hover_async(asked)
            assert found is not None and found.range is not None
            assert found.range.start == at
            assert found.range.end == lsp.Position(1, at.character + 1)

        drive(tmp_path, act)


class TestCompletion:
    """Names, also where the text is only half written."""

    def test_names_and_tensors(self, tmp_path: Path) -> None:
        """Parts of the names of tensors, sites, members, what is bound, functions and words."""
        write_weights(tmp_path)
        cases = {
            "\nclaim c: m.": ["embed", "blocks", "unembed", '"odd key"'],
            "\nclaim c: m.blocks.": ["0", "1"],
            "\nclaim c: m.blocks.0.ml": ["mlp"],
            "\nclaim c: m.blocks.0.mlp.": ["W", "b"],
            "\nclaim c: block(x).": ["x", "hidden", "scaled"],
            "\nclaim c: model(s).mixed.": ["x", "hidden", "scaled"],
            "\nclaim c: model([f(1), 2]).mixed.hidden.po": ["pre", "post"],
            "\nclaim c: rows(x).each.": ["x", "hidden", "scaled"],
            "\nclaim c: rows(x).each.hidden.": ["pre", "post"],
            "\nclaim c: rows(x).total.": ["acc", "x", "hidden"],
            "\nclaim c: Quote.": ["none", "inside"],
            "\ncircuit h(word: Char) -> real { let mine = 1\n return ": ["word", "mine", "block"],
            "\nclaim c: ": ["model", "eps", "letter", "relu", "forall", "Words"],
            "\nuse std": ["std.attention"],
            "\nuse std.attention: ": ["attention", "causal_attention"],
        }

        async def act(editor: Editor) -> None:
            editor.open("spec.circ", SPEC)
            for version, (ending, wanted) in enumerate(cases.items(), start=2):
                text = SPEC + ending
                editor.change("spec.circ", text, version)
                at = lsp.Position(text.count("\n"), len(text) - text.rfind("\n") - 1)
                asked = lsp.CompletionParams(editor.at("spec.circ"), at)
                found = await editor.client.text_document_completion_async(asked)
                assert isinstance(found, list)
                labels = [item.label for item in found]
                assert [word for word in wanted if word not in labels] == [], ending
                assert len(set(labels)) == len(labels)
            editor.change("spec.circ", f"{SPEC}\n# m.", 99)
            at = lsp.Position(SPEC.count("\n") + 1, 4)
            asked = lsp.CompletionParams(editor.at("spec.circ"), at)
            assert await editor.client.text_document_completion_async(asked) == []

        drive(tmp_path, act)


class TestRenaming:
    """A name is another everywhere, or nowhere."""

    def test_every_place_follows(self, tmp_path: Path) -> None:
        """Sites in calls and edits, members in patterns, binders; and the spec stays right."""
        write_spec(tmp_path)
        cases = {
            "hidden = ": ("inner", SMALL.replace("hidden", "inner")),
            '"two words" }': ("pair", SMALL.replace('"two words"', "pair")),
            "f(x: ": ("act", SMALL.replace("f(x", "act(x")),
            "x in Box": ("y", SMALL.replace("forall x in Box: f(x).hidden <= 9 and f(x) do",
                                            "forall y in Box: f(y).hidden <= 9 and f(y) do")),
        }  # fmt: skip

        async def act(editor: Editor) -> None:
            editor.open("small.circ", SMALL)
            for mark, (new, after) in cases.items():
                at = editor.at("small.circ")
                asked = lsp.RenameParams(at, place(SMALL, mark), new)
                found = await editor.client.text_document_rename_async(asked)
                assert found is not None and found.changes is not None
                assert edited(SMALL, [*found.changes[at.uri]]) == after

        drive(tmp_path, act)

    def test_what_would_say_something_else_is_refused(self, tmp_path: Path) -> None:
        """Reserved words, no names, names that are taken or would hide another, and foreign names."""
        write_spec(tmp_path)
        hidden = ("match", "two words", "", "x", "letter")
        refused = [("hidden = ", new) for new in hidden]
        refused += [("g(s", "f"), ("g(s", "relu"), ("W @ x", "weight"), ("relu(", "mine")]
        refused += [("= relu", "mine")]

        async def act(editor: Editor) -> None:
            editor.open("small.circ", SMALL)
            for mark, new in refused:
                asked = lsp.RenameParams(editor.at("small.circ"), place(SMALL, mark), new)
                with pytest.raises(JsonRpcException):
                    await editor.client.text_document_rename_async(asked)

        drive(tmp_path, act)

    def test_nothing_is_renamed_in_a_text_that_cannot_be_read(self, tmp_path: Path) -> None:
        """The name might stand in what is spoilt."""
        text = "param x = 1\nclaim c: x +\n"

        async def act(editor: Editor) -> None:
            editor.open("half.circ", text)
            asked = lsp.RenameParams(editor.at("half.circ"), place(text, "x = 1"), "y")
            with pytest.raises(JsonRpcException, match="errors of syntax"):
                await editor.client.text_document_rename_async(asked)

        drive(tmp_path, act)


def test_without_the_extra_the_command_says_what_it_needs(tmp_path: Path) -> None:
    """Where the library is not installed, it is an error of the command line, in one sentence."""
    script = "import sys; sys.modules['pygls'] = None; from circ.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "lsp"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4
    assert "pip install 'circ-lang[lsp]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_can_be_stopped(tmp_path: Path) -> None:
    """`kill` ends it though its editor says nothing; so does the end of its input, or rubbish and then that."""
    command = [sys.executable, "-m", "circ", "lsp"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=PIPE, stdout=PIPE, stderr=PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(b"Content-Length: 2\r\n\r\n{]")
        server.stdin.flush()
        assert b"Content-Length" in server.stdout.readline()
        server.terminate()
        assert server.wait(PATIENCE) == 2
        assert server.stderr is not None and server.stderr.read() == b""
    done = subprocess.run(
        command, cwd=tmp_path, input=b"\xff\r\n{", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


class TestWholeTexts:
    """Layout and outline."""

    def test_the_layout_is_that_of_circ_fmt(self, tmp_path: Path) -> None:
        """One edit, comments kept; none for a text with errors of syntax."""
        options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)

        async def act(editor: Editor) -> None:
            editor.open("a.circ", "param  x=1 # one\r\n# two")
            asked = lsp.DocumentFormattingParams(editor.at("a.circ"), options)
            edits = await editor.client.text_document_formatting_async(asked)
            assert [edit.new_text for edit in edits or []] == ["param x = 1  # one\n# two\n"]
            editor.change("a.circ", "param x = \n", 2)
            assert not await editor.client.text_document_formatting_async(asked)

        drive(tmp_path, act)

    def test_the_outline_has_the_items(self, tmp_path: Path) -> None:
        """With the members of enums and the lets of circuits inside; broken items are left out."""

        async def act(editor: Editor) -> None:
            editor.open("small.circ", f"{SMALL}\nclaim broken: (\n")
            asked = lsp.DocumentSymbolParams(editor.at("small.circ"))
            found = await editor.client.text_document_document_symbol_async(asked)
            symbols = [each for each in found or [] if isinstance(each, lsp.DocumentSymbol)]
            assert [each.name for each in symbols] == ["Char", "m", "f", "g", "Box", "small"]
            inside = [[part.name for part in each.children or []] for each in symbols]
            assert inside[:3] == [["letter", "two words"], [], ["hidden"]]

        drive(tmp_path, act)
