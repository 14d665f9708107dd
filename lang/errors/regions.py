"""E033x: linear regions that cannot be listed."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span


def not_piecewise(span: Span, why: str) -> Diagnostic:
    """A value that is not affine on pieces of a box, or not seen to be."""
    headline = f"this has no linear regions that can be listed: {why}"
    help = "regions are those of sums, products with constants, `relu`, `max`, `abs`, guards and `cases`"
    return Diagnostic("E0330", headline, span, "not listed", help=help)


def outside_target(folder: str, file: str) -> Diagnostic:
    """Regions to be written where a spec may not name what they are about."""
    headline = f"a spec in `{folder}` cannot use `{file}`, which lies outside that folder"
    help = "write it beside the spec or in a folder above, or give `--allow-outside`, to `prove` as well"
    return Diagnostic("E0332", headline, None, help=help)


def too_many_regions(span: Span, why: str, help: str) -> Diagnostic:
    """More regions than are listed, or than time was given for."""
    headline = f"the linear regions were not all found: {why}"
    return Diagnostic("E0331", headline, span, "", help=help)
