"""Diagnostics as a reader sees them, and as data."""

from __future__ import annotations

import json

from circ.lang.diagnostic import Diagnostic, Fix, Label
from circ.lang.render import WIDEST_EXCERPT, as_data, render
from circ.lang.span import Source, Span

SPEC = """\
space Head = real[8]
circuit detector(x: Resid) -> Resid = x
circuit rule(x: Resid) -> Head = x
claim equal: forall x in D: detector(x) == rule(x)
"""


def span(source: Source, text: str, after: str = "") -> Span:
    """Where `text` first stands in `source`, after the first `after`."""
    start = source.text.index(text, source.text.index(after))
    return Span(source, start, start + len(text))


def test_marks_on_one_line_share_it() -> None:
    """The last mark has its words beside it, those before it below, each under its mark."""
    source = Source("guard.circ", SPEC)
    why = (
        Label(span(source, "detector(x)", "claim"), "detector: Resid = real[8]"),
        Label(span(source, "rule(x)", "claim"), "rule: Head = real[8]"),
    )
    help = "equal sizes are not enough; if this is meant, write `rule(x) as Resid`"
    headline = "`detector` and `rule` return different spaces"
    diagnostic = Diagnostic("E0203", headline, span(source, "=="), "", why, help)

    assert render(diagnostic).split("\n") == [
        "error[E0203]: `detector` and `rule` return different spaces",
        " --> guard.circ:4:41",
        "  |",
        "4 | claim equal: forall x in D: detector(x) == rule(x)",
        "  |                             ----------- ^^ -------  rule: Head = real[8]",
        "  |                             detector: Resid = real[8]",
        "help: equal sizes are not enough; if this is meant, write `rule(x) as Resid`",
    ]


def test_marks_on_other_lines_are_shown_in_order() -> None:
    """Lines between them are left out, and the numbers are aligned."""
    source = Source("long.circ", "first\n" * 8 + "ninth\ntenth\neleventh\n")
    why = (Label(span(source, "first"), "declared here"), Label(span(source, "ninth"), "used"))
    diagnostic = Diagnostic("E0102", "twice", span(source, "tenth"), "again", why)

    assert render(diagnostic).split("\n")[1:] == [
        "  --> long.circ:10:1",
        "   |",
        " 1 | first",
        "   | -----  declared here",
        "...",
        " 9 | ninth",
        "   | -----  used",
        "10 | tenth",
        "   | ^^^^^  again",
    ]


def test_another_source_has_an_excerpt_of_its_own() -> None:
    """A reason may stand in another text."""
    here, there = Source("a.circ", "claim x\n"), Source("b.circ", "\nenum x\n")
    why = (Label(span(there, "x"), "declared here"),)

    assert render(Diagnostic("E0102", "twice", span(here, "x"), "", why)).split("\n")[1:] == [
        " --> a.circ:1:7",
        "  |",
        "1 | claim x",
        "  |       ^",
        " ::: b.circ:2:6",
        "  |",
        "2 | enum x",
        "  |      -  declared here",
    ]


def test_a_span_over_lines_is_marked_to_the_end_of_its_first() -> None:
    """So that the mark never leaves the line it stands under."""
    source = Source("a.circ", "enum A = {\n  a\n}\n")
    whole = Span(source, 0, len(source.text))

    assert render(Diagnostic("E0001", "all", whole)).split("\n")[3:] == [
        "1 | enum A = {",
        "  | ^^^^^^^^^^",
    ]


def test_an_empty_span_is_one_mark_wide() -> None:
    """What is missing at the end of a line is marked just past it."""
    source = Source("a.circ", "claim")

    assert render(Diagnostic("E0001", "stops", Span(source, 5, 5))).split("\n")[-1] == "  |      ^"


def test_marks_stand_under_what_is_seen() -> None:
    """A tab is four columns, a wide character two, an accent that combines none."""
    for before, columns in (("\t", 4), ("字", 2), ("e\u0301", 1), ("é", 1)):
        source = Source("a.circ", f"{before}here")
        mark = render(Diagnostic("E0001", "x", span(source, "here"))).split("\n")[-1]

        assert mark == f"  | {' ' * columns}^^^^"


def test_nothing_a_terminal_obeys_is_printed() -> None:
    """Escape sequences in a spec, in its name or in a message come out as a plain sign."""
    source = Source("a\x1b[2J.circ", "x \x1b[31m\x07 y\r\n")
    text = render(Diagnostic("E0001", "bad \x1b]0;", span(source, "y"), "\x9b", help="\b"))

    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.count("\N{REPLACEMENT CHARACTER}") == 6


def test_a_long_line_is_cut_around_its_first_mark() -> None:
    """However long the line, what is shown is not wider than the window."""
    source = Source("a.circ", "x" * 5000 + "here" + "y" * 5000)
    for place in (span(source, "here"), Span(source, 0, 10_004), Span(source, 10_000, 10_004)):
        _, _, _, line, marks = render(Diagnostic("E0001", "x", place)).split("\n")

        assert len(line) <= WIDEST_EXCERPT + 4
        assert len(marks.rstrip()) <= WIDEST_EXCERPT + 4
        assert "^" in marks
    assert "here" in render(Diagnostic("E0001", "x", span(source, "here")))


def test_without_a_place_there_is_no_excerpt() -> None:
    """A file that is not text has nothing to show."""
    assert render(Diagnostic("E0010", "not text", None, help="save it")) == (
        "error[E0010]: not text\nhelp: save it"
    )


def test_as_data_it_is_json() -> None:
    """The same record, with places as lines, columns and offsets."""
    source = Source("guard.circ", SPEC)
    equals = span(source, "==")
    why = (Label(span(source, "Head"), "declared here"),)
    data = as_data(
        Diagnostic("E0012", "no", equals, "so", why, "help", Fix(equals, "!="), "warning")
    )

    assert json.loads(json.dumps(data)) == data
    place = {
        "file": "guard.circ",
        "line": 4,
        "column": 41,
        "end_line": 4,
        "end_column": 43,
        "start": SPEC.index("=="),
        "end": SPEC.index("==") + 2,
    }
    assert data["place"] == place
    assert data["fix"] == {**place, "replacement": "!="}
    assert data["severity"] == "warning"
    assert data["why"] == [
        {
            "file": "guard.circ",
            "line": 1,
            "column": 7,
            "end_line": 1,
            "end_column": 11,
            "start": 6,
            "end": 10,
            "text": "declared here",
        }
    ]
