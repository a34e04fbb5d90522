"""Graphs in METIS, which are not read: they are known by what they say, and told from lists of edges."""

from pathlib import Path

import networkx as nx
import pytest

from apmdm.tasks.graph.files import read_graph
from apmdm.tasks.graph.named import Named

RING = "4 4{}\n2 4\n1 3\n2 4\n1 3\n"
METIS = {
    "plain": RING.format(""),
    "with a comment": "% c\n" + RING.format("") + "\n\n",
    "format 0": RING.format(" 0"),
    "a node alone": "3 1\n2\n1\n\n",
    "weights of nodes": "4 4 010\n1 2 4\n1 1 3\n1 2 4\n1 1 3\n",
    "short format": "4 4 10\n7 2 4\n7 1 3\n7 2 4\n7 1 3\n",
    "counted weights": "%% c\n 4 4 010 2\n 1 5 2 4\n 1 5 1 3\n 1 5 2 4\n 1 5 1 3\n",
    "weights of edges": "4 4 1\n2 9 4 8\n1 9 3 7\n2 7 4 6\n1 8 3 6\n",
    "weights of both": "4 4 011\n1 2 9 4 8\n1 1 9 3 7\n1 2 7 4 6\n1 1 8 3 6\n",
    "sizes": "4 4 100\n3 2 4\n3 1 3\n3 2 4\n3 1 3\n",
}


def read(folder: Path, name: str, text: str, undirected: bool = False) -> Named:
    (folder / name).write_text(text)
    return read_graph(folder / name, "1", "3", undirected)


@pytest.mark.parametrize("text", METIS.values(), ids=METIS)
@pytest.mark.parametrize("name", ["g.txt", "g.adjlist", "g.graph", "g.mgraph", "g.net", "g"])
def test_metis_is_known_by_what_it_says_in_all_forms(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="METIS: it is not read; each of its lines has the neighbours of a node"):
        read(tmp_path, name, text)


@pytest.mark.parametrize("name", ["g.graph", "g.metis", "g.mgraph"])
def test_metis_by_name_may_lack_a_direction(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="METIS: it is not read"):
        read(tmp_path, name, "3 2\n2\n3 1\n1\n")


@pytest.mark.parametrize("name", ["g.graph", "g.txt"])
@pytest.mark.parametrize(
    "text",
    [
        "3 1\n1 2\n2 3\n3 1\n",
        "3 3\n1 2\n2 3\n3 1\n",
        "3 4 100\n1 2 50\n2 3 60\n3 1 70\n",
        "1 3\n3 2\n",
        "4 5 1\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n",
    ],
)
def test_lists_of_edges_between_numbers_are_not_taken_for_metis(name: str, text: str, tmp_path: Path) -> None:
    assert {("1", "2"), ("3", "2")} & set(read(tmp_path, name, text).graph.edges())


def test_what_metis_is_to_be_written_as_leads_to_its_minimum_cut(tmp_path: Path) -> None:
    """The form "weights of both", rewritten as the message says: 1 is cut off by 9 + 8, 3 by 7 + 6."""
    named = read(tmp_path, "g.txt", "1 2 9\n1 4 8\n2 3 7\n3 4 6\n", undirected=True)
    assert nx.minimum_cut_value(named.graph, "1", "3") == 13
