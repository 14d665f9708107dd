"""SMT-LIB text as others read it: z3's own parser, and cvc5."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from typing import cast

import cvc5  # type: ignore[import-untyped]
import z3  # type: ignore[import-untyped]

MILLISECONDS = 20_000


def z3_says(text: str) -> str:
    """`sat`, `unsat` or `unknown`; raises where the text does not parse."""
    solver = z3.Solver(ctx=z3.Context())
    solver.set("timeout", MILLISECONDS)
    solver.from_string(text)
    return str(solver.check())


def cvc5_says(text: str) -> str:
    """`sat`, `unsat` or `unknown`; raises where the text is not strictly SMT-LIB 2.6."""
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("strict-parsing", "true")
    solver.setOption("tlimit-per", str(MILLISECONDS))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += cast("str", command.invoke(solver, parser.getSymbolManager()))
    return said.split()[0]
