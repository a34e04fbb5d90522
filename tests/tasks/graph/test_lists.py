"""What an edge list begins with: numbers that count nodes and edges, or are nodes."""

import pytest

from apmdm.tasks.graph.lists import edge_list


@pytest.mark.parametrize(
    ("text", "note", "nodes"),
    [
        ("4\ns a\na t\ns b\nb t\n", "begins with is read as a count of nodes", 4),
        ("4\n4\ns a\na t\ns b\nb t\n", "begins with is read as a count of nodes and edges", 4),
        ("3 2\n1 2\n2 3\n", "the first line is read as an edge; take it out if it counts nodes and edges", 3),
        ("9 2\n1 2\n2 3\n", "the first line is read as an edge; take it out if it counts nodes and edges", 4),
        ("7\ns a\na t\n", "numbers alone before the edges are read as nodes: 7, and 3 others", 4),
        ("7\n5\ns a\na t\n", "numbers alone before the edges are read as nodes: 7, 5, and 3 others", 5),
    ],
)
def test_counts_before_the_edges_are_not_read_as_nodes_without_a_word(text: str, note: str, nodes: int) -> None:
    found = edge_list(text)
    assert found.graph.number_of_nodes() == nodes
    assert any(note in one for one in found.notes)


@pytest.mark.parametrize("text", ["1 2\n2 3\n", "3\n1 2\n2 3\n3 4\n", "s\n3\ns a\na t\n"])
def test_nothing_is_noted_of_nodes_that_cannot_be_counts(text: str) -> None:
    assert not edge_list(text).notes
