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
        ("7\ns a\na t\n", "line 1, '7', has one name, which is read as a node without edges", 4),
        (
            "7\n5\ns a\na t\n",
            "2 lines have one name, which is read as a node without edges; the first is line 1, '7'",
            5,
        ),
    ],
)
def test_counts_before_the_edges_are_not_read_as_nodes_without_a_word(text: str, note: str, nodes: int) -> None:
    found = edge_list(text)
    assert found.graph.number_of_nodes() == nodes
    assert any(note in one for one in found.notes)


@pytest.mark.parametrize("text", ["1 2\n2 3\n", "3\n1 2\n2 3\n3 4\n", "s\na\ns a\na t\n"])
def test_nothing_is_noted_of_nodes_that_cannot_be_counts(text: str) -> None:
    assert not edge_list(text).notes


def test_lines_of_one_name_are_not_read_as_nodes_without_a_word() -> None:
    assert edge_list("# made\nn 5\ne\n1 2\n").notes == (
        "line 3, 'e', has one name, which is read as a node without edges",
    )


def test_a_column_of_numbers_is_no_graph() -> None:
    with pytest.raises(ValueError, match=r"no line has two names, .* no list of nodes, since '24' is there twice"):
        edge_list("24\n37\n24\n")


def test_names_alone_are_nodes_without_edges() -> None:
    found = edge_list("s\nt\n")
    assert (set(found.graph), found.graph.number_of_edges()) == ({"s", "t"}, 0)
    assert found.notes == ("2 lines have one name, which is read as a node without edges; the first is line 1, 's'",)
