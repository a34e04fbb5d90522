"""`apmdm solve graph` and `eval graph`, with a flawless model and one that does nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import networkx as nx
import pytest
import torch

from apmdm import weights
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.state import State
from apmdm.tasks.graph import task as graph
from apmdm.tasks.graph.data import shapes, sized
from apmdm.tasks.graph.process import VOCAB, teacher
from apmdm.trace import Trace

Ends = Callable[..., tuple[int, str, str]]
BRIDGE = "s a\ns b\na c\nb c\nc t\nc d\nd c\n"


class Model(Encoder):
    """Does what a function says."""

    def __init__(self, process: Callable[[State], Edits]) -> None:
        super().__init__(VOCAB, Shape(width=8, layers=1, heads=1))
        self.process = process

    def forward(self, state: State) -> Edits:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.process(state)


def idle(state: State) -> Edits:
    never = torch.zeros_like(state.ids, dtype=torch.bool)
    return Edits(state.ids, state.masked, never, never)


@pytest.fixture
def flawless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load_encoder", lambda name, *vocabs: Model(teacher))


@pytest.fixture
def bridge(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.txt"
    path.write_text(BRIDGE)
    return path


@pytest.mark.usefixtures("flawless")
def test_the_cut_is_told_saved_and_traced(apmdm: Ends, bridge: Path, tmp_path: Path) -> None:
    out, trace = tmp_path / "left.graphml", tmp_path / "trace.json"
    arguments = ["solve", "graph", bridge, "--source", "s", "--target", "t"]
    code, said, _ = apmdm(*arguments, "--out", out, "--trace", trace)
    assert code == 0
    assert said.startswith("minimum cut, 1 of 7 edges (verified; ")
    assert said.endswith("c t\n")
    left = nx.read_graphml(out)
    assert not nx.has_path(left, "s", "t")
    assert left.number_of_edges() == 6
    states = Trace.from_json(trace.read_text()).states()
    assert max(map(len, states)) == 3 + 2 * 7
    assert len(states[-1]) == 2 + 6


@pytest.mark.usefixtures("flawless")
def test_json_has_the_cut_by_name_and_its_cost(apmdm: Ends, bridge: Path) -> None:
    code, said, _ = apmdm("solve", "graph", bridge, "--source", "t", "--target", "s", "--undirected", "--json")
    found = json.loads(said)
    assert (code, found["cut"], found["verified"]) == (0, [["c", "t"]], True)
    assert (found["nodes"], found["edges"], found["directed"], found["stop"]) == (6, 6, False, "fixed point")


@pytest.mark.usefixtures("flawless")
def test_a_target_that_cannot_be_reached_needs_no_cut(apmdm: Ends, bridge: Path) -> None:
    code, said, _ = apmdm("solve", "graph", bridge, "--source", "t", "--target", "s")
    assert code == 0
    assert said.startswith("0 edges to delete: the target cannot be reached")


def test_a_run_that_fails_saves_nothing(
    apmdm: Ends, bridge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "load_encoder", lambda name, *vocabs: Model(idle))
    out = tmp_path / "left.json"
    code, said, _ = apmdm("solve", "graph", bridge, "--source", "s", "--target", "t", "--out", out)
    assert code == 1
    assert said == "no minimum cut found; stopped: fixed point after 0 steps\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "source", "target", "message"),
    [
        (BRIDGE, "s", "s", "source and target are the same node"),
        (BRIDGE, "s", "x", "there is no node 'x'; the nodes are s, a, b, c, t, d"),
        ("s t 2\n", "s", "t", "edge s t has capacity 2; every edge has capacity 1 here"),
        ("s t\ns t\n", "s", "t", "edge s t is there twice"),
    ],
)
def test_bad_graphs_are_told_in_one_line(
    refused: Callable[..., str], text: str, source: str, target: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "g.txt").write_text(text)
    assert message in refused("solve", "graph", tmp_path / "g.txt", "--source", source, "--target", target)


def test_files_that_are_not_there_and_folders_to_write_are_refused(
    refused: Callable[..., str], bridge: Path, tmp_path: Path
) -> None:
    ends = ["--source", "s", "--target", "t"]
    assert "there is no file" in refused("solve", "graph", tmp_path / "none.txt", *ends)
    assert "cannot write" in refused("solve", "graph", bridge, *ends, "--out", tmp_path)


@pytest.mark.usefixtures("flawless")
def test_eval_counts_by_kind_and_property(apmdm: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "SIZES", {"6 nodes": (range(6, 7), 12)})
    monkeypatch.setattr(graph, "SHAPES", 5)
    code, said, _ = apmdm("eval", "graph", "--json", "--seed", "3")
    found = json.loads(said)
    assert code == 0
    assert found["6 nodes"]["all"] == "12 of 12"
    assert found["6 nodes"]["undo"] == "4 of 4"
    assert found["6 nodes"]["mean_steps"] == found["6 nodes"]["mean_teacher_steps"]
    assert found["shapes"]["complete"] == "1 of 1"
    assert found["shapes"]["space_as_stated"] == 1
    assert "all 12 of 12, " in apmdm("eval", "graph", "--seed", "3")[1]


def test_sets_have_the_kinds_that_are_asked_for() -> None:
    kinds = sized(range(15, 16), 12, Random(0)) | shapes(10, Random(0))
    assert {name: len(problems) for name, problems in kinds.items()} == {
        **dict.fromkeys(("uniform", "bottleneck", "undo"), 4),
        **dict.fromkeys(("grid", "layered", "path", "complete", "disconnected"), 2),
    }
    assert all(sum(problem.directed for problem in problems) * 2 == len(problems) for problems in kinds.values())
