"""Changes that no test notices, and why they are no bugs."""

from __future__ import annotations

WHY: dict[tuple[str, str, str, str], str] = {}
