"""`apmdm solve graph` and `eval graph`, with a flawless model and one that does nothing."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
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
from apmdm.tasks.graph.graphs import disguised, grid
from apmdm.tasks.graph.process import VOCAB, teacher
from apmdm.trace import Trace
from apmdm.trained import load
from apmdm.vocab import MASK

Ends = Callable[..., tuple[int, str, str]]
BRIDGE = "s a\ns b\na c\nb c\nc t\nc d\nd c\n"


class Model(Encoder):
    """Does what a function says."""

    def __init__(self, process: Callable[[State], Edits]) -> None:
        super().__init__(VOCAB, Shape(width=8, layers=1, heads=1))
        self.process = process

    def forward(self, state: State) -> Edits:  # pyrefly: ignore[bad-override]
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
    assert said.startswith("minimum cut, 1 of 7 directed edges (verified; ")
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


@pytest.mark.usefixtures("flawless")
@pytest.mark.parametrize("text", ["s\nt\n", "s s\nt\n"], ids=["no edges", "self-loops only"])
def test_in_a_graph_without_edges_nothing_has_to_be_cut(apmdm: Ends, text: str, tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text(text)
    code, said, _ = apmdm("solve", "graph", tmp_path / "g.txt", "--source", "s", "--target", "t")
    assert code == 0
    assert said.startswith("0 edges to delete")


@pytest.mark.usefixtures("flawless")
def test_the_direction_of_edges_is_told_and_what_hides_behind_it(apmdm: Ends, bridge: Path) -> None:
    arguments = ["solve", "graph", bridge, "--source", "t", "--target", "s"]
    _, said, noted = apmdm(*arguments)
    assert "along directed edges (verified" in said
    assert noted == "note: directed edges do not lead to the target; read both ways, by --undirected, they would\n"
    _, said, noted = apmdm(*arguments, "--undirected")
    assert said.startswith("minimum cut, 1 of 6 undirected edges (verified")
    assert noted == "note: 1 edge stands in both directions, and counts once since edges lead both ways\n"


@pytest.mark.usefixtures("flawless")
def test_weights_are_honoured_or_left_out_on_request(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("source,target,weight\na,b,10\nb,c,1\nb,d,1\nc,e,1\nd,e,1\n")
    arguments = ["solve", "graph", tmp_path / "g.csv", "--source", "a", "--target", "e"]
    code, said, noted = apmdm(*arguments)
    assert code == 0
    assert said.startswith("minimum cut of capacity 2, 2 of 5 directed edges (verified; ")
    assert "--unweighted counts every edge as one" in noted
    code, said, noted = apmdm(*arguments, "--unweighted")
    assert said.endswith(" steps): a b\n")
    assert (code, noted) == (0, "")


def answers(remaining: list[tuple[int, int]]) -> Callable[[State], Edits]:
    """A model whose runs end with these edges, which it reaches in one step."""

    def process(state: State) -> Edits:
        places = [] if state.coordinates is None else state.coordinates[0, 3:].tolist()
        keep = torch.tensor([[True, True, *(tuple(place) in remaining for place in places)]])
        ids, never = state.ids, torch.zeros_like(state.ids, dtype=torch.bool)
        begun = bool((ids == VOCAB.ids["GO"]).any() | (ids == MASK).any())
        gone = torch.cat([torch.full((1, 1), begun), ~keep], 1) if begun else never
        return Edits(ids, gone & (ids != MASK), never, gone & (ids == MASK))

    return process


def test_a_valid_cut_that_is_not_minimum_is_shown_with_its_gap(
    apmdm: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "g.txt").write_text("s a\ns b\na t\nb t\nb u\nt v\n")
    arguments = ["solve", "graph", tmp_path / "g.txt", "--source", "s", "--target", "v"]
    monkeypatch.setattr(weights, "load_encoder", lambda name, *vocabs: Model(answers([(1, 3), (2, 3), (2, 4), (3, 5)])))
    code, said, _ = apmdm(*arguments, "--out", tmp_path / "left.txt")
    assert code == 1
    assert said == "valid cut, 2 of 6 directed edges, not minimum (1; 2 steps): s a, s b\n"
    assert not (tmp_path / "left.txt").exists()
    found = json.loads(apmdm(*arguments, "--json")[1])
    assert (found["cut"], found["size"], found["minimum"], found["verified"]) == ([["s", "a"], ["s", "b"]], 2, 1, False)
    monkeypatch.setattr(weights, "load_encoder", lambda name, *vocabs: Model(answers([(0, 1), (1, 3), (3, 5)])))
    code, said, _ = apmdm(*arguments)
    assert code == 1
    assert said == "no cut: without 2 edges a path still leads to the target (2 steps)\n"
    assert json.loads(apmdm(*arguments, "--json")[1])["cut"] is None


@pytest.mark.usefixtures("flawless")
def test_a_graph_beyond_what_was_measured_is_told_before_it_is_cut(
    apmdm: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "DEPTH", 2)
    (tmp_path / "g.txt").write_text("s a\na b\nb t\n")
    code, _, noted = apmdm("solve", "graph", tmp_path / "g.txt", "--source", "s", "--target", "t")
    assert code == 0
    assert noted.startswith("note: the search goes 3 deep among 3 edges; the model is known to be right up to 2 deep")


@pytest.mark.usefixtures("flawless")
def test_a_graph_from_a_pipe_is_read_once(apmdm: Ends, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(BRIDGE,))
    writer.start()
    code, said, _ = apmdm("solve", "graph", pipe, "--source", "s", "--target", "t")
    writer.join()
    assert code == 0
    assert said.endswith("c t\n")


@pytest.mark.parametrize(("rows", "columns", "directed"), [(1, 100, True), (2, 35, False)])
def test_the_model_in_the_package_searches_deep(rows: int, columns: int, directed: bool) -> None:
    problem = grid(rows, columns, directed, Random(0))
    problem = disguised(replace(problem, source=0, target=problem.nodes - 1), Random(1))
    model = load("graph").encoder
    (solution,) = graph.Graph().solve(model, [problem])
    assert solution.solved


def test_what_cannot_be_written_is_refused_before_the_work(
    refused: Callable[..., str], bridge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["solve", "graph", bridge, "--source", "s", "--target", "t", "--out"]
    assert "graphs are written as GraphML" in refused(*arguments, tmp_path / "g.dot")
    out = tmp_path / "g.json"
    out.write_text("precious")
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK or path != out)
    assert "read-only" in refused(*arguments, out)
    assert out.read_text() == "precious"


@pytest.mark.usefixtures("flawless")
def test_names_beyond_ascii_are_found_in_any_locale(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("ä ö\nö ü\n", "utf-8")
    typed = [name.encode().decode("ascii", "surrogateescape") for name in ("ä", "ü")]
    code, said, _ = apmdm("solve", "graph", tmp_path / "g.txt", "--source", typed[0], "--target", typed[1])
    assert code == 0
    assert said.endswith(": ä ö\n")


@pytest.mark.usefixtures("flawless")
def test_names_of_several_words_are_shown_in_quotes(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("new york,b\nb,c\n")
    _, said, _ = apmdm("solve", "graph", tmp_path / "g.txt", "--source", "new york", "--target", "c")
    assert said.endswith(': "new york" b\n')


@pytest.mark.parametrize(
    ("text", "source", "target", "message"),
    [
        (BRIDGE, "s", "s", "source and target are the same node"),
        (BRIDGE, "s", "x", "there is no node 'x'; the nodes are s, a, b, c, t, d"),
        ("s t 2.5\n", "s", "t", "edge s t has capacity 2.5; capacities are whole numbers from 0 on"),
        (BRIDGE, "s", "", "no node is given as the target: give its name by --target"),
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
