"""Soundness bugs to plant: each is one small wrong change, and the tests that must notice it.

They are listed by the area of the file that is changed.
"""

from __future__ import annotations

from tests.mutants.planted.audit import AUDIT
from tests.mutants.planted.boxes import BOXES
from tests.mutants.planted.circuits import CIRCUITS
from tests.mutants.planted.deciding import DECIDING
from tests.mutants.planted.engines import ENGINES
from tests.mutants.planted.language import LANGUAGE
from tests.mutants.planted.lowering import LOWERING
from tests.mutants.planted.mutant import Mutant
from tests.mutants.planted.parts import PARTS
from tests.mutants.planted.patches import PATCHES
from tests.mutants.planted.readings import READINGS
from tests.mutants.planted.standard import STANDARD
from tests.mutants.planted.words import WORDS

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: tuple[Mutant, ...] = (
    *LANGUAGE,
    *LOWERING,
    *READINGS,
    *WORDS,
    *BOXES,
    *PARTS,
    *AUDIT,
    *STANDARD,
    *ENGINES,
    *PATCHES,
    *CIRCUITS,
    *DECIDING,
)
