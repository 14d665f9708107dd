"""Filling in a page: the one door to jinja2."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    autoescape=False,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def filled(page: str, content: object) -> str:
    """The page of this name with `content`, whose fields are lines and literals of Python."""
    return PAGES.get_template(page).render(page=content)
