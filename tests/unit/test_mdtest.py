"""The harness of literate tests tests what it says it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]

from tests import mdtest

DOCUMENT = """\
# Title

```json checkpoint model.safetensors
{"W": [[1, 0.5]], "b": {"dtype": "float16", "data": [2]}}
```

## First

```circ
## a comment, not a heading
one
```

```circ
two
```

```upper
ONE
```

## No source

## Second

```text
for the reader
```

```circ
three
```

```text file notes.txt
a note
```

```files
model.safetensors notes.txt
```
"""


def upper(text: str, folder: Path) -> str:
    """The last word of a text in capitals."""
    return text.upper()


def files(text: str, folder: Path) -> str:
    """The files that are there."""
    return " ".join(sorted(path.name for path in folder.iterdir())) + "\n"


VIEWS: dict[str, mdtest.View] = {"upper": upper, "files": files}


def test_a_heading_with_a_source_is_a_test() -> None:
    """Blocks of source are one text; a line in a block that looks like a heading is none."""
    first, second = mdtest.sections(DOCUMENT)

    assert (first.title, first.line) == ("First", 7)
    assert first.source == "## a comment, not a heading\none\ntwo\n"
    assert [block.tag for block in second.expectations] == ["files"]


def test_a_view_that_prints_something_else_fails() -> None:
    """And one that prints what is written passes."""
    first, second = mdtest.sections(DOCUMENT)

    with pytest.raises(mdtest.Mismatch):
        mdtest.check(first, VIEWS)
    mdtest.check(second, VIEWS)


def test_the_last_digits_of_a_sum_by_pytorch_are_not_compared() -> None:
    """They depend on the order in which a machine adds; the first twelve, and Circ's own, do not."""
    text = mdtest.comparable("share = 0.0980681935944… (PyTorch: 0.0980681935944571)")
    assert text == mdtest.comparable("share = 0.0980681935944… (PyTorch: 0.0980681935944572)")
    assert text != mdtest.comparable("share = 0.0980681935944… (PyTorch: 0.0980681935934571)")
    assert text != mdtest.comparable("share = 0.0980681935943… (PyTorch: 0.0980681935944571)")


def test_updating_writes_what_the_views_print(tmp_path: Path) -> None:
    """After it every test passes, and nothing but the blocks of views has changed."""
    path = tmp_path / "spec.md"
    path.write_text(DOCUMENT)
    mdtest.update(path, VIEWS)

    for section in mdtest.sections(path.read_text()):
        mdtest.check(section, VIEWS)
    expected = "## A COMMENT, NOT A HEADING\nONE\nTWO\n"
    assert path.read_text() == DOCUMENT.replace("```upper\nONE\n", f"```upper\n{expected}")


def test_a_checkpoint_block_is_a_safetensors_file(tmp_path: Path) -> None:
    """Tensors are float32 unless the block says otherwise."""
    first, _ = mdtest.sections(DOCUMENT)
    mdtest.write_files(first.files, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")

    assert tensors["W"].dtype == "float32" and tensors["W"].tolist() == [[1, 0.5]]
    assert tensors["b"].dtype == "float16" and tensors["b"].tolist() == [2]
