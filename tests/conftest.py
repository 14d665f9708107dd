"""Collects the tests that are written as documents; see `tests/mdtest.py`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests import mdtest
from tests.views import VIEWS

# What a test is told has to be found by it: no verdict is kept, but by the tests of keeping them.
os.environ["CIRC_NO_CACHE"] = "1"

settings.register_profile("same_every_time", derandomize=True, database=None, deadline=None)
settings.register_profile(
    "no_shrinking",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("same_every_time")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: write what the views print now into the documents."""
    parser.addoption("--update-golden", action="store_true", help="rewrite golden blocks in place")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A document under a folder `spec` is a file of tests."""
    if file_path.suffix == ".md" and "spec" in file_path.parts:
        return Document.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]
    return None


class Document(pytest.File):
    """A document of tests."""

    def collect(self) -> Iterator[Chapter]:
        """One test a heading."""
        if self.config.getoption("--update-golden"):
            mdtest.update(self.path, VIEWS)
        for section in mdtest.sections(self.path.read_text()):
            yield Chapter.of(self, section)


class Chapter(pytest.Item):
    """One test of a document."""

    section: mdtest.Section

    @classmethod
    def of(cls, document: Document, section: mdtest.Section) -> Chapter:
        """The test of one section."""
        chapter = cls.from_parent(document, name=section.title)  # pyright: ignore[reportUnknownMemberType]
        chapter.section = section
        return chapter

    def runtest(self) -> None:
        """Compare what the views print with what the document says."""
        mdtest.check(self.section, VIEWS)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        """The difference between the document and the views; other failures as pytest shows them."""
        error = excinfo.value
        if isinstance(error, mdtest.Mismatch):
            expected, actual = error.expected.splitlines(), error.actual.splitlines()
            difference = difflib.unified_diff(expected, actual, "golden", "actual", lineterm="")
            return f"{self.path}:{self.section.line} [{error.view}]\n" + "\n".join(difference)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.path, self.section.line - 1, self.section.title
