"""The documentation's commands exist, and the code blocks that it marks as tests run: README.md and docs/**/*.md.

A fence's info string marks its block; a page's marked blocks run in order, in this process and in one folder:
- `bash test`: its `apmdm` commands succeed.
- `python test`: runs, in one namespace with the page's other Python blocks.
- `python test own_task.py`: is saved under this name, for the blocks that follow.
"""

import re
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from apmdm.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?P<info>\w[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(\S*/)?(apmdm|make)\s")
TARGET = re.compile(r"^([\w-]+):(?!=)", re.MULTILINE)
SHELL = "bash", "console"


class Block(NamedTuple):
    """A fenced block: the words of its info string, what is in it, and how many lines of the page precede that."""

    info: list[str]
    body: str
    line: int

    @property
    def tested(self) -> bool:
        return self.info[1:2] == ["test"]


def blocks(text: str) -> list[Block]:
    return [
        Block(found["info"].split(), found["body"], text.count("\n", 0, found.start("body")))
        for found in FENCE.finditer(text)
    ]


def commands(body: str) -> list[list[str]]:
    """The commands of a block without prompts, comments and folders; a trailing \\ joins two lines."""
    lines = (line.removeprefix("$ ") for line in body.replace("\\\n", " ").splitlines())
    shell = (shlex.split(line, comments=True) for line in lines if COMMAND.match(line))
    return [[Path(program).name, *arguments] for program, *arguments in shell]


def script(text: str) -> str:
    """A page's marked blocks as one program, in which Python keeps its line numbers."""
    lines = [""] * (text.count("\n") + 1)
    for block in filter(lambda block: block.tested, blocks(text)):
        language, names = block.info[0], block.info[2:]
        if language in SHELL:
            lines[block.line] = f"_carry_out({programs(block.body)})"
        elif names:
            lines[block.line] = f"_save({names[0]!r}, {block.body!r})"
        else:
            assert language == "python", f"no {language} block can be tested"
            body = block.body.splitlines()
            lines[block.line : block.line + len(body)] = body
    return "\n".join(lines) + "\n"


def programs(body: str) -> list[list[str]]:
    found = commands(body)
    assert found, "a tested block has commands"
    assert {name for name, *_ in found} == {"apmdm"}, "a tested block has apmdm commands only"
    return [arguments for _, *arguments in found]


def carry_out(commands: list[list[str]]) -> None:
    for arguments in commands:
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        assert not exit.value.code, arguments


def save(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Runs a page in an empty folder, from which it can import what it saves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda text: exec(compile(script(text), "page", "exec"), {"_carry_out": carry_out, "_save": save})
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(file.stem, None)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_commands_are_found_in_a_block() -> None:
    body = "$ apmdm solve a.txt \\\n  --watch  # look\nit's solved\n.venv/bin/apmdm --help\nmake demo\n"
    assert commands(body) == [["apmdm", "solve", "a.txt", "--watch"], ["apmdm", "--help"], ["make", "demo"]]


PAGE = """# A page
```python
never run
```
```python test own.py
VALUE = 3
```
```python test
from own import VALUE
```
```bash test
apmdm --help  # look
```
```python test
print(VALUE + 1)
VALUE / 0
```
"""


def test_blocks_of_a_page_run_in_order_and_keep_their_lines(
    run: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError) as error:
        run(PAGE)
    assert traceback.extract_tb(error.tb)[-1].lineno == PAGE.splitlines().index("VALUE / 0") + 1
    usage, four = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert "Usage" in usage
    assert four == "4"


def test_make_targets_exist() -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    shell = [block for page in PAGES for block in blocks(page.read_text(encoding="utf-8")) if block.info[0] in SHELL]
    parsed = [command for block in shell for command in commands(block.body)]
    named = {argument for name, *rest in parsed if name == "make" for argument in rest}
    assert named, "the documentation names no make target"
    assert {argument for argument in named if "=" not in argument} <= targets


TESTED = [page for page in PAGES if any(block.tested for block in blocks(page.read_text(encoding="utf-8")))]


@pytest.mark.slow
@pytest.mark.parametrize("page", TESTED, ids=relative)
def test_marked_blocks_succeed(page: Path, run: Callable[[str], None], tmp_path: Path) -> None:
    """In a folder of links to the repository's files, to keep what is written out of them."""
    for entry in ROOT.iterdir():
        if entry.name != "runs":
            (tmp_path / entry.name).symlink_to(entry)
    run(page.read_text(encoding="utf-8"))
