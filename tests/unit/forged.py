"""A patched checkpoint and its receipt, changed so that every hash fits and the file carries what the receipt says."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circ.runtime.patches.plan import header_bytes, header_of, parsed
from circ.runtime.patches.receipt import METADATA_KEY, receipt_path

Numbers = NDArray[np.float32]


def forged(checkpoint: Path, tensor: str, values: Numbers) -> None:
    """Put other numbers in the place of a tensor of floats of four bytes, and have all that is said of it fit."""
    with checkpoint.open("rb") as stream:
        notes, entries = parsed(header_of(stream))
        data = bytearray(stream.read())
    begin, end = entries[tensor]["data_offsets"]
    data[begin:end] = values.astype("<f4").tobytes()
    told: dict[str, Any] = json.loads(receipt_path(checkpoint).read_text())
    told["data"] = sha256(data).hexdigest()
    for change in told["changes"]:
        if change["tensor"] == tensor:
            change["after"] = sha256(data[begin:end]).hexdigest()
    carried = json.dumps(told | {"sha256": None})
    checkpoint.write_bytes(header_bytes(entries, notes | {METADATA_KEY: carried}) + data)
    told["sha256"] = sha256(checkpoint.read_bytes()).hexdigest()
    receipt_path(checkpoint).write_text(json.dumps(told))
