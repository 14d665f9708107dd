"""The command `circ`, also reached as `python -m circ`."""

from __future__ import annotations

from circ.runtime.cli import main

if __name__ == "__main__":
    main()
