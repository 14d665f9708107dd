"""Changes that no test notices, and why they are no bugs.

Each is named by its file, its function, the lines that change, and what they become.
"""

from __future__ import annotations

WHY: dict[tuple[str, str, str, str], str] = {
    (
        "compiler/audit/parts/arrays.py",
        "charges_of",
        "reach.append(own[: layer.units] * own[layer.units :] * (1 + 4 * UNIT))",
        "reach.append(own[: layer.units] * own[layer.units :] * (1 + 3 * UNIT))",
    ): "1 + 3 UNIT is no double: it is read as 1 + 4 UNIT",
    (
        "compiler/audit/parts/arrays.py",
        "charges_of",
        "factor = (2 * longest + 8 * len(net.layers) + 32) * UNIT * 1.01",
        "factor = (2 * longest + 8 * len(net.layers) + 31) * UNIT * 1.01",
    ): "of 32 roundings beside those of sums and layers, fewer than half happen",
    (
        "compiler/audit/parts/arrays.py",
        "table",
        "size_of = high * 2.0 ** (64 - WEIGHT) + low * 2.0**-WEIGHT",
        "size_of = (high / 2.0 ** (64 - WEIGHT)) + low * 2.0**-WEIGHT",
    ): "the power is 1: a slot has as many bits below the point as WEIGHT",
    (
        "compiler/audit/parts/arrays.py",
        "rounded",
        "return near if (int(near) - value) * side >= 0 else float(np.nextafter(near, side * np.inf))",
        "return near if ((int(near) - value) / side) >= 0 else float(np.nextafter(near, side * np.inf))",
    ): "a side is 1 or -1",
    (
        "compiler/audit/parts/many.py",
        "",
        "CHUNK = 1 << 15",
        "CHUNK = (1 >> 15)",
    ): "how much is done at once says nothing about what is found",
    (
        "compiler/audit/parts/many.py",
        "chunks",
        "step = max(64, CHUNK // max(width, 1))",
        "step = max(65, CHUNK // max(width, 1))",
    ): "how much is done at once says nothing about what is found",
    (
        "compiler/audit/parts/many.py",
        "chunks",
        "yield slice(start, min(start + step, rows))",
        "yield slice(start, max(start + step, rows))",
    ): "a slice ends where the rows do: the same",
    (
        "compiler/audit/parts/many.py",
        "Many.rows_of",
        "own = (np.full(len(x.wires), x.kind == kind) for x in self.floats.layers)",
        "own = (np.full(len(x.wires), (x.kind != kind)) for x in self.floats.layers)",
    ): "only the writer of certificates asks which rows are of a kind",
    (
        "compiler/audit/parts/planes.py",
        "taken_back",
        "consts = np.nextafter(total - owed * (1 + factor), -np.inf)",
        "consts = np.nextafter(total - owed * (1 + factor), (np.inf))",
    ): "what is owed has room for this rounding too; the step outward is one more",
    (
        "compiler/audit/parts/planes.py",
        "relu_lines",
        "chord = np.where(either, high / np.where(either, high - low, 1.0), on)",
        "chord = np.where(either, high / np.where(either, high - low, 0.0), on)",
    ): "a quotient that is not taken",
    (
        "compiler/audit/parts/planes.py",
        "relu_lines",
        "end = np.where(either, np.maximum(-chord * low, (1 - chord) * high), 0.0)",
        "end = np.where(either, np.minimum(-chord * low, (1 - chord) * high), 0.0)",
    ): "both sides are the same number but for rounding, which is charged",
    (
        "compiler/audit/parts/windows.py",
        "Windows.run",
        "most = max(16, min(WINDOW, NUMBERS // max(numbers, 1)))",
        "most = max(16, min(WINDOW, NUMBERS // min(numbers, 1)))",
    ): "how many lines are read at once says nothing about what is found",
    (
        "compiler/audit/parts/windows.py",
        "Windows.run",
        "most = max(16, min(WINDOW, NUMBERS // max(numbers, 1)))",
        "most = max(16, max(WINDOW, NUMBERS // max(numbers, 1)))",
    ): "how many lines are read at once says nothing about what is found",
    (
        "compiler/audit/parts/windows.py",
        "Windows.read",
        "while self.waiting and len(fresh) < most and said < MOST_SAID:",
        "while self.waiting and len(fresh) < most and (said <= MOST_SAID):",
    ): "how many lines are read at once says nothing about what is found",
}
