"""Hostile files, made anew whenever they are needed: small ones that take all time or memory, or say two
things at once.
"""

from tests.fuzz.hostile import ods, others, xls, xlsx
from tests.fuzz.hostile.case import SOURCE, Hostile

CASES: dict[str, Hostile] = {each.name: each for each in (*xlsx.CASES, *xls.CASES, *ods.CASES, *others.CASES)}

__all__ = ["CASES", "SOURCE", "Hostile"]
