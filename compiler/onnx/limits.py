"""What is read at most: a file is untrusted, and may ask for more than fits in memory."""

from __future__ import annotations

LARGEST_FILE = 1 << 30
"""Bytes of a network, and of each file that it keeps tensors in."""

MOST_NODES = 20_000
"""Uses of operators."""

MOST_ENTRIES = 1 << 22
"""Entries that a wire has; a move of entries lists each one."""

MOST_MOVED = 1 << 24
"""Entries that all moves list together."""

MOST_CHOICES = 1 << 14
"""Entries that are chosen one by one, by a condition on each."""

MOST_COMPUTED = 1 << 16
"""Entries of a constant that is computed exactly while a network is read."""

OPSETS = range(7, 25)
"""Versions of the standard operators whose meaning is known; before 7 some train by default."""
