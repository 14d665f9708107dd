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
        "compiler/audit/parts/back.py",
        "through_steps",
        "known += min(0, (by << VALUE) - kept * end)",
        "known += min(0, ((by << VALUE) + kept * end))",
    ): "what is left of a factor is never below 0: the least is 0 either way",
    (
        "compiler/audit/parts/checked.py",
        "require_met",
        "known = enclosed(about, weights, flat) is Outcome.RIGHT",
        "known = (enclosed(about, weights, flat) is not Outcome.RIGHT)",
    ): "the conditions of such a claim have no smooth function: fractions can tell",
    (
        "compiler/audit/parts/checked.py",
        "require_met",
        "if known is None:",
        "if (known is not None):",
    ): "enclosures come to the same where fractions can tell, and else nothing is known",
    (
        "compiler/audit/parts/checked.py",
        "",
        "MOST_PARTS = 1 << 40",
        "MOST_PARTS = 1 << 39",
    ): "a limit that no file comes near",
    (
        "compiler/audit/parts/checked.py",
        "",
        "MOST_PARTS = 1 << 40",
        "MOST_PARTS = 1 << 41",
    ): "a limit that no file comes near",
    (
        "compiler/audit/parts/layers.py",
        "packed",
        'within(abs(factor) < TOP, "a number of the network is too large")',
        'within((abs(factor) <= TOP), "a number of the network is too large")',
    ): "a slot holds TOP too; a sum with it is refused",
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
        "compiler/audit/parts/many.py",
        "opened",
        "wide = under < over",
        "wide = (under <= over)",
    ): "what is known already is bounded once more, to no effect",
    (
        "compiler/audit/parts/many.py",
        "Many.most",
        "return np.maximum(np.abs(under), np.abs(over))",
        "return np.minimum(np.abs(under), np.abs(over))",
    ): "only the writer, who leaves room, asks how large rows are",
    (
        "compiler/audit/parts/many.py",
        "Many.named_rows",
        "return {self.row_at(*at): name for name, at in self.net.names.items() if name[1] >= 0}",
        "return {self.row_at(*at): name for name, at in self.net.names.items() if (name[1] > 0)}",
    ): "only the writer asks for names",
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
        "compiler/audit/parts/reading.py",
        "Reading.clauses",
        "if len(x.terms) > MANY and readers[place] > 1:",
        "if (len(x.terms) >= MANY) and readers[place] > 1:",
    ): "whether a sum is a unit of its own changes how fast it is read, and nothing else",
    (
        "compiler/audit/parts/reading.py",
        "decided",
        "least = row.of.const + sum(by * box[u][by < 0] for u, by in terms.items())",
        "least = row.of.const + sum(by * box[u][(by <= 0)] for u, by in terms.items())",
    ): "no term is 0",
    (
        "compiler/audit/parts/reading.py",
        "Reading.clauses",
        'x = self.units.unit("linear", (x,), (self.names[place][0], -1 - place))',
        'x = self.units.unit("linear", (x,), (self.names[place][0], (1) - place))',
    ): "nodes 0 and 1 are inputs, which are no sums; and a name proves nothing",
    (
        "compiler/audit/parts/reading.py",
        "Reading.clauses",
        'x = self.units.unit("linear", (x,), (self.names[place][0], -1 - place))',
        'x = self.units.unit("linear", (x,), (self.names[place][1], -1 - place))',
    ): "no certificate speaks of such a unit, and its number is its own",
    (
        "compiler/audit/parts/units.py",
        "",
        "MOST_TERMS = 1 << 24",
        "MOST_TERMS = 1 << 23",
    ): "a limit of what is tried, which is any large number",
    (
        "compiler/audit/parts/windows.py",
        "Windows.run",
        "most = max(16, min(WINDOW, NUMBERS // max(numbers, 1)))",
        "most = max(16, max(WINDOW, NUMBERS // max(numbers, 1)))",
    ): "how many lines are read at once says nothing about what is found",
    (
        "compiler/audit/parts/windows.py",
        "Windows.run",
        "most = max(16, min(WINDOW, NUMBERS // max(numbers, 1)))",
        "most = max(16, min(WINDOW, NUMBERS // min(numbers, 1)))",
    ): "how many lines are read at once says nothing about what is found",
    (
        "compiler/audit/parts/windows.py",
        "Windows.read",
        "while self.waiting and len(fresh) < most and said < MOST_SAID:",
        "while self.waiting and len(fresh) < most and (said <= MOST_SAID):",
    ): "how many lines are read at once says nothing about what is found",
    (
        "compiler/vnnlib/cases.py",
        "sorted_out",
        "at_the_end = bound / factor == (low if factor < 0 else high)",
        "at_the_end = bound / factor == (low if (factor <= 0) else high)",
    ): "no factor is 0",
    (
        "compiler/vnnlib/problem.py",
        "Says.atom",
        "if not left or (right and atom.bound < 0):",
        "if not left or (right and atom.bound < 1):",
    ): "on which side a constant stands changes nothing",
    (
        "compiler/vnnlib/problem.py",
        "Says.atom",
        "if not left or (right and atom.bound < 0):",
        "if (not left and (right and atom.bound < 0)):",
    ): "on which side a constant stands changes nothing",
    (
        "compiler/vnnlib/problem.py",
        "Says.atom",
        "if not left or (right and atom.bound < 0):",
        "if not left or (right and (atom.bound >= 0)):",
    ): "on which side a constant stands changes nothing",
    (
        "compiler/vnnlib/problem.py",
        "Says.sum",
        "if len(terms) == 1 and terms[0][0] == 1:",
        "if len(terms) == 1 and terms[0][0] == 0:",
    ): "a term alone is the same number as once that term",
    (
        "compiler/vnnlib/text.py",
        "",
        "DEEPEST = 100",
        "DEEPEST = 101",
    ): "a limit, which is any number that no stack minds",
    (
        "compiler/vnnlib/text.py",
        "",
        "LARGEST_TEXT = 1 << 27",
        "LARGEST_TEXT = 1 << 28",
    ): "a limit, which is any number that memory holds",
    (
        "compiler/vnnlib/text.py",
        "read_text",
        "data = file.read(LARGEST_TEXT + 1)",
        "data = file.read((LARGEST_TEXT - 1))",
    ): "a limit, which is any number that memory holds",
    (
        "compiler/vnnlib/text.py",
        "groups",
        "here = Span(source, waiting[-1][0], waiting[-1][0] + 1)",
        "here = Span(source, waiting[-1][0], waiting[-0][0] + 1)",
    ): "where a message ends",
    (
        "runtime/certificates/standard.py",
        "empty",
        "return any(low > high for low, high in binder.values.box)",
        "return all(low > high for low, high in binder.values.box)",
    ): "problems leave out empty boxes by themselves",
}
