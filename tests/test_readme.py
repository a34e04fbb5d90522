"""The README's commands exist, and those in blocks marked `bash test` succeed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(?P<info>(?:bash|console)[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(\S*/)?(apmdm|make)\s")
TARGET = re.compile(r"^([\w-]+):(?!=)", re.MULTILINE)


def blocks() -> list[tuple[str, list[list[str]]]]:
    """Every shell block: its info string and the arguments of its `apmdm` and `make` commands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return [(found["info"], commands(found["body"])) for found in FENCE.finditer(readme)]


def commands(body: str) -> list[list[str]]:
    """The commands of a block without prompts, comments and folders; a trailing \\ joins two lines."""
    lines = (line.removeprefix("$ ") for line in body.replace("\\\n", " ").splitlines())
    shell = (shlex.split(line, comments=True) for line in lines if COMMAND.match(line))
    return [[Path(program).name, *arguments] for program, *arguments in shell]


TESTED = [parsed for info, parsed in blocks() if "test" in info.split()]


def test_commands_are_found_in_a_block() -> None:
    body = "$ apmdm solve a.txt \\\n  --watch  # look\nit's solved\n.venv/bin/apmdm --help\nmake demo\n"
    assert commands(body) == [["apmdm", "solve", "a.txt", "--watch"], ["apmdm", "--help"], ["make", "demo"]]


def test_make_targets_exist() -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {argument for _, parsed in blocks() for name, *rest in parsed if name == "make" for argument in rest}
    assert named, "the README names no make target"
    assert {argument for argument in named if "=" not in argument} <= targets


@pytest.mark.parametrize("block", TESTED, ids=lambda block: " && ".join(map(shlex.join, block)))
def test_marked_commands_succeed(block: list[list[str]], tmp_path: Path) -> None:
    """Run a block in a folder of links to the repository's files, to keep what it writes out of them."""
    for entry in ROOT.iterdir():
        if entry.name != "runs":
            (tmp_path / entry.name).symlink_to(entry)
    for name, *arguments in block:
        assert name == "apmdm", "a tested block has apmdm commands only"
        program = Path(sys.executable).parent / name
        done = subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{shlex.join([name, *arguments])}\n{done.stdout}{done.stderr}"
