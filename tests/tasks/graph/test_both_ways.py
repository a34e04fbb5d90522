"""Edges that lead both ways: an edge and its reverse are one, which is told, or refused."""

from pathlib import Path

import pytest

from apmdm.tasks.graph.files import read_graph
from apmdm.tasks.graph.named import Named


def read(folder: Path, name: str, text: str, source: str = "s", target: str = "t", *, undirected: bool = True) -> Named:
    (folder / name).write_text(text)
    return read_graph(folder / name, source, target, undirected)


def test_both_directions_become_one_edge_without_directions_and_it_is_told(tmp_path: Path) -> None:
    assert len(read(tmp_path, "g.txt", "s t\nt s\n", undirected=False).edges) == 2
    problem = read(tmp_path, "g.txt", "s t\nt s\n")
    assert len(problem.edges) == 1
    assert problem.notes == ("1 edge stands in both directions, and counts once since edges lead both ways",)
    problem = read(tmp_path, "g.txt", "s t\ns t\n")
    assert (len(problem.links), problem.notes) == (2, ())


BOTH = ("s t", "t s", "s a", "a s", "a t")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g.txt", "\n".join(BOTH)),
        ("g.adjlist", "s t a\nt s\na s t\n"),
        ("g.col", "p edge 3 5\n" + "\n".join(f"e {edge}" for edge in BOTH).translate(str.maketrans("sat", "123"))),
        ("g.csv", "source,target,type\n" + "".join(f"{edge.replace(' ', ',')},Undirected\n" for edge in BOTH)),
    ],
)
def test_edges_and_their_reverses_are_not_merged_silently(name: str, text: str, tmp_path: Path) -> None:
    ends = ("1", "3") if name == "g.col" else ("s", "t")
    problem = read(tmp_path, name, text, *ends)
    assert problem.counts == (3, 3)
    assert "2 edges stand in both directions, and count once each since edges lead both ways" in problem.notes


@pytest.mark.parametrize("text", ["s t 1\nt s 3\n", "source,target,type,weight\ns,t,Undirected,1\nt,s,Undirected,3\n"])
def test_an_edge_and_its_reverse_of_other_capacity_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="edge t s has another capacity than its reverse"):
        read(tmp_path, "g.csv" if "," in text else "g.txt", text)
