"""Linear regions as lines for people, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from circ.compiler.obligation import Obligation
from circ.compiler.regions.cell import Cut
from circ.compiler.regions.listed import Region
from circ.runtime.as_data import Data
from circ.runtime.regions import Parted
from circ.runtime.report import Line
from circ.runtime.show import decimal_text, rational_text, tensor_text

DIGITS = 6
"""Of the numbers in lines; data and `.circ` text have all of them."""


def region_lines(found: Parted) -> Iterator[Line]:
    """Every region: what it is, how far inside its middle lies, and what bounds it."""
    inside = sum(not region.flat for region in found.regions)
    text = f"{inside:,} linear region{'s' * (inside != 1)} of {' '.join(found.source.text.split())}"
    flat = len(found.regions) - inside
    if flat:
        text += f", and {flat:,} without an inside, where guards hold with equality"
    if not found.regions:
        yield Line("doubt", "no input is in the domain")
        return
    yield Line("good", text)
    variables = [*entry_names(found.question)]
    for number, region in enumerate(found.regions, 1):
        yield Line("plain", "")
        yield Line("plain", f"{number}  {middle_text(found.question, region)}")
        for name, row in zip(outputs(found), region.map, strict=True):
            yield Line("plain", f"   {name} = {sum_text(row, variables)}")
        for cut in region.cuts:
            yield Line(
                "faint", f"   {cut.kind:<6}  {cut_text(cut, variables)}{slack_text(cut, region)}"
            )


def middle_text(question: Obligation, region: Region) -> str:
    """The middle of a region, and how much room is around it."""
    left = iter(region.middle)
    parts = list[str]()
    for binder in question.binders:
        entries = [decimal_text(next(left), DIGITS) for _ in range(binder.type.entries)]
        parts.append(f"{binder.name} = {tensor_text(entries, binder.type.shape)}")
    where = ", ".join(parts)
    if region.flat:
        return f"without an inside, around {where}"
    return f"around {where}, by {decimal_text(region.radius, DIGITS)} in every entry"


def slack_text(cut: Cut, region: Region) -> str:
    """How far a half-space's side is from holding with equality at the middle of a region."""
    if cut.flat:
        return ""
    value = sum((a * x for a, x in zip(scaled(cut), region.middle, strict=False)), scaled(cut)[-1])
    return f"   ({decimal_text(value, DIGITS)} there)"


def cut_text(cut: Cut, variables: Sequence[str]) -> str:
    """A half-space as an inequality."""
    sign = "==" if cut.flat else ">" if cut.strict else ">="
    return f"{sum_text(scaled(cut), variables)} {sign} 0"


def scaled(cut: Cut) -> tuple[Fraction, ...]:
    """The row of a cut, its largest coefficient between 1 and 2 in size: powers of two keep it exact."""
    size = max((abs(a) for a in cut.row[:-1]), default=1)
    by = Fraction(1 << max(size.bit_length() - 1, 0))
    return tuple(a / by for a in cut.row)


def sum_text(row: Sequence[Fraction], variables: Sequence[str]) -> str:
    """A sum with rounded coefficients; those that are 0 are left out."""
    parts = [
        (a, f"{decimal_text(abs(a), DIGITS)} {v}") for a, v in zip(row, variables, strict=False)
    ]
    parts = [
        (a, text.removeprefix("1 "))
        for a, text in (*parts, (row[-1], decimal_text(abs(row[-1]), DIGITS)))
        if a
    ]
    if not parts:
        return "0"
    first, *rest = parts
    signed = [f" {'-' if a < 0 else '+'} {text}" for a, text in rest]
    return f"{'-' if first[0] < 0 else ''}{first[1]}{''.join(signed)}"


def entry_names(question: Obligation) -> Iterator[str]:
    """`x[0]`, `x[1]`, …: the entries of all binders in order."""
    for binder in question.binders:
        yield from (f"{binder.name}{place}" for place in places(binder.type.shape))


def places(shape: Sequence[int]) -> list[str]:
    """The index of each entry, row-major; nothing for a number."""
    if not shape:
        return [""]
    return [f"[{', '.join(map(str, at))}]" for at in product(*map(range, shape))]


def outputs(found: Parted) -> list[str]:
    """What each entry of the value is called."""
    body = " ".join(found.asked.formula.body.span.text.split())
    shape = found.question.circuit.types[found.question.circuit.outputs["goal"]].shape
    return [f"{body}{place}" for place in places(shape)]


# --- data -------------------------------------------------------------------------------------


def regions_data(found: Parted) -> Data:
    """All of it for `--json`: rationals as text."""
    return {
        "question": " ".join(found.source.text.split()),
        "inputs": [*entry_names(found.question)],
        "outputs": outputs(found),
        "regions": [region_data(region) for region in found.regions],
    }


def region_data(region: Region) -> Data:
    """One region: coefficients and constant of each entry, and of what bounds it."""
    return {
        "flat": region.flat,
        "middle": [rational_text(x) for x in region.middle],
        "radius": rational_text(region.radius),
        "map": [row_data(row) for row in region.map],
        "cuts": [
            {
                "kind": cut.kind,
                "sign": "==" if cut.flat else ">" if cut.strict else ">=",
                **row_data(scaled(cut)),
            }
            for cut in region.cuts
        ],
    }


def row_data(row: Sequence[Fraction]) -> Data:
    """An affine function."""
    return {
        "coefficients": [rational_text(a) for a in row[:-1]],
        "constant": rational_text(row[-1]),
    }
