"""Repair of brackets, measured on the brackets of Python files into which errors are put."""

import io
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from apmdm.tasks.dyck.process import BRACKETS
from apmdm.tasks.dyck_repair.task import Broken, DyckRepair, broken

LONGEST_CODE = 600


@dataclass(frozen=True)
class Brackets(DyckRepair):
    """Repair the brackets of programs, with the model of dyck-repair. Fresh problems come from Python's library."""

    name = "brackets"
    shipped = "dyck-repair"

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[Broken]]]:
        yield "", broken(standard_library(LONGEST_CODE)[:num], "brackets", Random(seed))


def brackets_of(source: str) -> str:
    """The brackets of a program, in order, without those in strings and comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "".join(token.string for token in tokens if token.type == tokenize.OP and token.string in BRACKETS)


def standard_library(longest: int) -> list[str]:
    """The brackets of each module of Python's standard library that has 1 to `longest` of them, in order of names."""
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    found = [brackets_of(path.read_text(encoding="utf-8")) for path in modules]
    return [brackets for brackets in found if 0 < len(brackets) <= longest]


task = Brackets
