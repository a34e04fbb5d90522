"""Brackets of Python files: a language that opens before it closes, as people write it."""

import io
import sysconfig
import tokenize
from pathlib import Path

from apmdm.tasks.dyck.process import BRACKETS


def brackets_of(source: str) -> str:
    """Those of a program, in order, without the ones in strings and comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "".join(token.string for token in tokens if token.type == tokenize.OP and token.string in BRACKETS)


def standard_library(longest: int) -> list[str]:
    """Brackets of each module of the running interpreter's own library that has some and at most so many, by name."""
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    found = [brackets_of(path.read_text(encoding="utf-8")) for path in modules]
    return [brackets for brackets in found if 0 < len(brackets) <= longest]
