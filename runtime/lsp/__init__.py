"""What editors ask of a spec, over the Language Server Protocol; `server.py` is where they ask."""

from __future__ import annotations
