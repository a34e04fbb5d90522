"""The layout's promises: imports point one way, pieces are small, loading runs no code, import is quick."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from apmdm import tasks

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/apmdm"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PYTHON = [path for folder in ("src", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]

# A component imports from the rows above its own; those in one row do not know each other.
LAYERS = (
    (
        "vocab",
        "belief",
        "text_repair",
        "memory",
        "lines",
        "finding",
        "file_mode",
        "terminal",
        "card",
        "hub",
        "processes",
        "user_file",
    ),
    ("state", "drawing", "tokenizer"),
    ("edits",),
    ("step", "prediction"),
    ("trace",),
    ("model", "policy"),
    ("objective", "sampler"),
    ("training", "beam", "corrections", "odds"),
    ("recipe", "weights", "solution"),
    ("outputs", "paradigms"),
    ("pool", "process", "pairs", "sequences"),
    ("base_task",),
    ("several_answers",),
    ("from_process", "from_pairs", "from_sequences"),
    ("task",),
    ("tasks",),
    ("naming",),
    ("theory", "registry"),
    ("fit",),
    ("trained",),
    ("diagnosis", "contest"),
    ("__init__",),
    ("viewer",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
# Learning and generating know nothing of each other: they meet in state, prediction and edits.
LEARNING, GENERATING = {"model", "objective", "training"}, {"policy", "sampler"}
APART = {
    "model": GENERATING | {"step"},
    "objective": GENERATING,
    "training": GENERATING,
    "policy": LEARNING | {"step"},
    "sampler": LEARNING,
}

MAX_LINES = 500
MAX_FUNCTION_LINES = 59
MAX_CONSTRUCTOR_ARGUMENTS = 9
CODE_RUNNING_FORMATS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
PUBLIC_HOSTS = {"arxiv.org", "doi.org", "keepachangelog.com", "semver.org", "www.apache.org", "www.w3.org"}
LOCAL_HOSTS = {"127.0.0.1", "localhost"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def component(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))


@cache
def imported_modules(path: Path) -> list[str]:
    """Dotted names of everything imported anywhere in a file: `from a import b` gives a.b."""
    found = list[str]()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return found


def imported_components(path: Path) -> set[str]:
    components = set()
    for module in imported_modules(path):
        package, *names = module.split(".")
        if package == "apmdm":
            is_component = names and ((PACKAGE / names[0]).is_dir() or (PACKAGE / f"{names[0]}.py").is_file())
            components.add(names[0] if is_component else "__init__")
    return components


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_point_one_way(path: Path) -> None:
    own = component(path)
    assert own in RANK, f"give {own} a place in LAYERS"
    for other in imported_components(path) - {own}:
        assert other in RANK, f"give {other} a place in LAYERS"
        assert RANK[other] < RANK[own], f"{own} may not import {other}, which comes after or beside it"
        assert other not in APART.get(own, ()), f"{own} and {other} do not know each other"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def test_modules_import_each_other_in_no_circle() -> None:
    """Imports inside functions count as well."""
    modules = {module_name(path): path for path in SOURCES}
    graph = {}
    for name, path in modules.items():
        imported = {module if module in modules else module.rpartition(".")[0] for module in imported_modules(path)}
        graph[name] = (imported & modules.keys()) - {name}
    circles = []
    while (circle := one_circle(graph)) is not None:
        circles.append(" -> ".join(circle))
        graph[circle[0]].discard(circle[1])
    assert not circles, "\n".join(circles)


def one_circle(graph: dict[str, set[str]]) -> list[str] | None:
    """Modules of which each imports the next, the first of them again at the end."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return None


COMMANDS = [path for path in SOURCES if component(path) == "cli"]


@pytest.mark.parametrize("path", COMMANDS, ids=relative)
def test_the_command_line_knows_no_task_by_name(path: Path) -> None:
    """Docstrings aside. The theory's commands have programs of their own, some of which are called like a task."""
    assert not [module for module in imported_modules(path) if module.startswith("apmdm.tasks.")]
    if path.stem == "theory":
        return
    name = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, tasks.names()))})(?![\w-])")
    whole = list(nodes(path))
    docstrings = {
        id(node.body[0].value)
        for node in whole
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    for node in whole:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            assert not name.search(node.value), f"line {node.lineno} names a task: {node.value!r}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_are_absolute(path: Path) -> None:
    assert not [module for module in imported_modules(path) if module.startswith(".")]


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_pieces_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"
        elif isinstance(node, ast.ClassDef):
            count = num_constructor_arguments(node)
            assert count <= MAX_CONSTRUCTOR_ARGUMENTS, f"{node.name} takes {count} arguments"


def num_constructor_arguments(node: ast.ClassDef) -> int:
    """Those of __init__ after self; of a dataclass, its fields."""
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            parameters = member.args
            return len(parameters.posonlyargs + parameters.args + parameters.kwonlyargs) - 1
    if not any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return 0
    declared = [member for member in node.body if isinstance(member, ast.AnnAssign)]
    return sum(
        "ClassVar" not in ast.unparse(field.annotation) and "init=False" not in ast.unparse(field) for field in declared
    )


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_annotations_stay_checkable(path: Path) -> None:
    assert "__future__.annotations" not in set(imported_modules(path))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_loading_runs_no_code(path: Path) -> None:
    assert not {module.split(".")[0] for module in imported_modules(path)} & CODE_RUNNING_FORMATS
    assert not {"torch.load", "torch.save"} & set(imported_modules(path))
    used = {ast.unparse(node) for node in nodes(path) if isinstance(node, ast.Attribute)}
    assert not {"torch.load", "torch.save"} & used
    assert not [node for node in nodes(path) if isinstance(node, ast.keyword) and node.arg == "allow_pickle"]


@pytest.mark.parametrize("module", ["apmdm", "apmdm.cli"])
def test_importing_is_quick(module: str) -> None:
    program = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=3)
    assert done.returncode == 0, done.stderr or f"{module} imports torch: import it where it is used"


def repository_texts() -> Iterator[tuple[str, str]]:
    """Name and content of every text file that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def test_files_name_no_machine() -> None:
    private = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt)/\w")
    host = re.compile(r"https?://([\w.-]+)")
    for name, text in repository_texts():
        paths = private.findall(text)
        assert not paths, f"{name} has an absolute path of some machine"
        unknown = set(host.findall(text)) - PUBLIC_HOSTS - LOCAL_HOSTS
        assert not unknown, f"{name} links to {unknown}; add a public reference to PUBLIC_HOSTS, drop the rest"


def test_a_public_class_has_one_meaning() -> None:
    names = [
        node.name
        for path in SOURCES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []
