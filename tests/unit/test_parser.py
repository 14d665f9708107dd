"""From text to tree: what is read, where it stands, and what is not read."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import cast

import pytest

from circ.lang.diagnostic import Diagnostics
from circ.lang.format import format_module
from circ.lang.parser import (
    DEEPEST,
    LARGEST_TEXT,
    MOST_ERRORS,
    decode,
    parse,
    parse_expression,
    parse_formula,
)
from circ.lang.span import Source
from circ.lang.syntax import CircuitDecl, Compare, Expr, Module, Name, Number, ParamDecl, Ref
from circ.lang.walk import walk
from tests.outline import shape

QUOTES = """\
## Closes the quote that is still open.

enum Char  = { letter, digit, blank, single, double, eos }
enum Quote = { none, in_single, in_double }

checkpoint m from "model.safetensors"

circuit model(s: Char[8]) -> real[Char] {
  let x      = [ m.embed[c] for c in s ] + m.pos
  let mixed  = (x[-1] + x[0]) * 2
  let hidden = relu(m.blocks.0.mlp.W_in @ mixed + m.blocks.0.mlp.b_in)
  return m.unembed @ (mixed + m.blocks.0.mlp.W_out @ hidden)
}

circuit state[n](s: Char[n]) -> Quote =
  fold q = none over c in s: match (q, c) {
    (none, single)                             => in_single
    (none, double)                             => in_double
    (in_single, single) | (in_double, double)  => none
    _                                          => q
  }

circuit rule(s: Char[8]) -> Char = match state(s) {
  in_single => single
  in_double => double
  none      => eos
}

domain Prompts = { s: Char[8] | count { c in s | c in [single, double] } <= 2 }     # 786,432 words

claim faithful:  forall s in Prompts: argmax(model(s)) == rule(s)
claim invariant: forall s, t in Prompts where state(s) == state(t): argmax(model(s)) == rule(t)
claim needs_mlp: exists s in Prompts: argmax(model(s) do { hidden := 0 }) != rule(s)

patch quiet of model {
  edit     m.blocks.0.mlp.W_out
  require  forall s in Prompts: model(s)[eos] <= 0 within 0.5
  preserve forall s in Prompts where not s[0] == eos: model(s) == old model(s)
}
"""


def read(text: str) -> tuple[Module, list[str]]:
    """The module of a text, and the codes of what is wrong with it."""
    diagnostics = Diagnostics()
    module = parse(Source("spec.circ", text), diagnostics)
    return module, [diagnostic.code for diagnostic in diagnostics]


def names(module: Module) -> list[str]:
    """The names of its items."""
    return [item.name.text for item in module.items]


def nodes(part: object) -> Iterator[object]:
    """Every record in a tree."""
    if isinstance(part, tuple):
        for inner in cast("tuple[object, ...]", part):
            yield from nodes(inner)
    elif is_dataclass(part) and not isinstance(part, Name):
        yield part
        for field in fields(part):
            if field.name != "span":
                yield from nodes(getattr(part, field.name))


class TestATextThatIsASpec:
    """What the grammar takes."""

    def test_is_read_whole(self) -> None:
        """The story of the quotes has a name for every item, and no errors."""
        module, codes = read(QUOTES)

        assert codes == []
        assert module.doc == "Closes the quote that is still open."
        assert names(module) == [
            *("Char", "Quote", "m", "model", "state", "rule", "Prompts"),
            *("faithful", "invariant", "needs_mlp", "quiet"),
        ]

    def test_says_the_same_with_any_line_ends(self) -> None:
        """Windows' line ends change nothing."""
        module, codes = read(QUOTES.replace("\n", "\r\n"))

        assert codes == []
        assert shape(module) == shape(read(QUOTES)[0])

    def test_can_be_empty(self) -> None:
        """Nothing, blanks and comments are modules without items."""
        for text in ("", "\n", "  \t\n\n", "# a comment", "\n# one\n\n  # two\n"):
            module, codes = read(text)

            assert (module.items, codes) == ((), [])

    def test_can_have_indented_items(self) -> None:
        """Where a line starts is a matter of taste."""
        module, codes = read("\n  enum A = { a }\n  param n = 1\n    claim c:\n 1 == 1\n")

        assert codes == []
        assert names(module) == ["A", "n", "c"]


class TestSpans:
    """Every node knows the characters that it was read from."""

    def test_of_expressions_read_as_the_same_expression(self) -> None:
        """The text under an expression's span, read by itself, is that expression."""
        module, _ = read(QUOTES)
        found = [part for part in nodes(module) if isinstance(part, Expr)]

        for e in found:
            again = parse_expression(Source("part", e.span.text), Diagnostics())
            assert again is not None and shape(again) == shape(e), e.span.text
        assert len(found) > 100

    def test_of_items_reach_from_their_first_word_to_their_end(self) -> None:
        """Comments and blanks around an item are not part of it."""
        module, _ = read(QUOTES)
        starts = {item.span.text.split()[0] for item in module.items}
        ends = {item.span.text[-1] for item in module.items}

        assert starts == {"enum", "checkpoint", "circuit", "domain", "claim", "patch"}
        assert ends <= {"}", '"', ")"}

    def test_of_operators_take_their_brackets_in(self) -> None:
        """A product of a bracket starts at the bracket; the sum inside starts inside."""
        e = parse_expression(Source("line", "(a + b) * c"), Diagnostics())

        assert e is not None
        assert next(part.span.text for part in walk(e)) == "(a + b) * c"
        assert "a + b" in {part.span.text for part in walk(e)}

    def test_of_sizes_take_their_brackets_in(self) -> None:
        """As those of operators: `(n) * 2` starts at its bracket, though only a name is inside."""
        source = Source("test.circ", "circuit f[n](x: real[(n) * 2]) -> real = 0")
        declared = parse(source, Diagnostics()).items[0]

        assert isinstance(declared, CircuitDecl)
        assert [size.span.text for size in declared.params[0].type.dims] == ["(n) * 2"]

    def test_of_names_are_the_names(self) -> None:
        """A declaration's name and a path's part can be pointed at."""
        module, _ = read("param first = m.second")
        (item,) = module.items

        assert isinstance(item, ParamDecl)
        assert item.name.span.text == "first"
        assert item.value.span.place == "spec.circ:1:15"


class TestTheCommandLineAndTheRepl:
    """One expression or one formula by itself."""

    def test_read_an_expression(self) -> None:
        """Over several lines too."""
        e = parse_expression(Source("<repl>", "\nx\n  + 1 <= 2\n"), Diagnostics())

        assert isinstance(e, Compare)

    def test_read_a_name_and_a_number(self) -> None:
        """The smallest expressions are single words."""
        assert isinstance(parse_expression(Source("<repl>", "x"), Diagnostics()), Ref)
        assert isinstance(parse_expression(Source("<repl>", " 12.5 "), Diagnostics()), Number)

    def test_read_a_formula(self) -> None:
        """With or without a quantifier."""
        quantified = parse_formula(Source("<repl>", "exists x in D: p(x)"), Diagnostics())
        closed = parse_formula(Source("<repl>", "1 < 2"), Diagnostics())

        assert quantified is not None and quantified.quantifier == "exists"
        assert closed is not None and closed.binders == ()

    @pytest.mark.parametrize("text", ["", "x +", "x y", "1e9999", "claim a: 1 == 1", "(" * 500])
    def test_say_why_when_it_is_none(self, text: str) -> None:
        """What is not read is reported, once."""
        for whole in (parse_expression, parse_formula):
            diagnostics = Diagnostics()

            assert whole(Source("<repl>", text), diagnostics) is None
            assert len(diagnostics.found) == 1


class TestAnError:
    """It is reported where it stands, and spoils as little as possible."""

    def test_spoils_one_item(self) -> None:
        """Whatever one line of the spec is replaced by, items on other lines are read."""
        lines = QUOTES.split("\n")
        whole = names(read(QUOTES)[0])
        for number, line in enumerate(lines):
            if line.startswith(("enum", "checkpoint", "domain", "claim")):
                broken = [*lines[:number], f"{line.split(' ')[0]} (] = ?", *lines[number + 1 :]]
                module, codes = read("\n".join(broken))

                assert len(codes) == 1
                spoilt = line.split(" ")[1].rstrip(":")
                assert names(module) == [name for name in whole if name != spoilt]

    def test_is_counted_up_to_a_bound(self) -> None:
        """A text that is no spec at all does not fill the screen for ever."""
        _, codes = read("claim\n" * 5000)

        assert len(codes) == MOST_ERRORS + 1
        assert codes[-1] == "E0017"

    def test_is_a_text_too_large(self) -> None:
        """Up to the bound a text is read, beyond it is not."""
        comment = "#" * LARGEST_TEXT
        assert read(comment)[1] == []
        assert read(comment + "#")[1] == ["E0011"]

    def test_is_a_file_that_is_not_text(self) -> None:
        """The first byte that is not UTF-8 is named; a byte order mark is no part of the text."""
        diagnostics = Diagnostics()
        source = decode("spec.circ", b"\xef\xbb\xbfenum A = { a }", diagnostics)

        assert source is not None and source.text == "enum A = { a }"
        assert decode("spec.circ", "é".encode("latin-1") + b" ", diagnostics) is None
        assert [d.code for d in diagnostics] == ["E0010"]
        assert "byte 0" in diagnostics.found[0].headline


NESTINGS = {
    "brackets": ("(", "x", ")"),
    "calls": ("f(", "x", ")"),
    "lists": ("[1, ", "x", "]"),
    "indices": ("x[", "0", "]"),
    "slices": ("x[0:", "1", "]"),
    "negations": ("not ", "x", ""),
    "signs": ("-", "x", ""),
    "sums": ("", "x", " + x"),
    "implications": ("x implies ", "x", ""),
    "paths": ("", "x", ".a"),
    "matches": ("match x { _ => ", "x", " }"),
    "subjects": ("match (", "x", ") { _ => y }"),
    "cases": ("cases { x => ", "x", "\n }"),
    "folds": ("fold q = 0 over c in s: ", "x", ""),
    "interventions": ("f(x) do { a := ", "x", " }"),
    "chained interventions": ("", "f(x)", " do { a := 1 }"),
    "comprehensions": ("[ ", "x", " for c in s ]"),
    "counts": ("count { c in s | ", "x", " }"),
}


@pytest.mark.parametrize("nesting", NESTINGS)
class TestDepth:
    """A text may nest to a fixed depth, so that no pass over it runs out of stack."""

    def test_within_the_bound_is_read_and_written(self, nesting: str) -> None:
        """Reading and writing the deepest text that is read stays within Python's own bound."""
        opener, middle, closer = NESTINGS[nesting]
        fails = bisect_left(
            range(DEEPEST + 1),
            True,
            key=lambda n: bool(read(f"param a = {opener * n}{middle}{closer * n}")[1]),
        )
        depth = fails - 1
        module, _ = read(f"param a = {opener * depth}{middle}{closer * depth}")

        assert sys.getrecursionlimit() == 1000
        assert depth >= DEEPEST // 3
        assert shape(read(format_module(module))[0].items[0]) == shape(module.items[0])

    def test_beyond_the_bound_is_an_error(self, nesting: str) -> None:
        """However deep, it is one diagnostic."""
        opener, middle, closer = NESTINGS[nesting]
        for depth in (2 * DEEPEST, 1200):
            _, codes = read(f"param a = {opener * depth}{middle}{closer * depth}\nparam b = 1")

            assert codes == ["E0007"]


def test_groups_of_a_word_pattern_nest_no_deeper() -> None:
    """They are levels like any other."""
    for closer in (")", ")*", " b | c)"):
        for depth, expected in ((DEEPEST // 4, []), (2 * DEEPEST, ["E0007"]), (1200, ["E0007"])):
            text = f"param a = s matches {'(' * depth}a{closer * depth}"
            module, codes = read(text)

            assert codes == expected
            if not codes:
                assert shape(read(format_module(module))[0].items[0]) == shape(module.items[0])


@pytest.mark.parametrize("text", ["1e399", "1e-399", "0." + "1" * 399, "1" * 400, "0e-99"])
def test_a_number_of_many_digits_is_exact(text: str) -> None:
    """Up to 400 digits, written out, a decimal is the rational it writes."""
    module, codes = read(f"param a = {text}")

    assert codes == []
    assert shape(read(format_module(module))[0].items[0]) == shape(module.items[0])


@pytest.mark.parametrize("text", ["1e400", "1e-400", "1" * 401, "1e9" + "9" * 5000, "1" * 9000])
def test_a_number_of_too_many_digits_is_an_error(text: str) -> None:
    """No exponent makes reading a spec slow."""
    assert read(f"param a = {text}")[1] == ["E0013"]
    assert read(f"enum A = {{ a }}\nparam a = match n {{ {text} => 1 }}")[1] in (
        ["E0013"],
        ["E0001"],
    )
