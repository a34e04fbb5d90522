"""Graphs with capacities and parallel edges as problems: their minimum cuts are those that NetworkX finds."""

from random import Random

import networkx as nx
import pytest

from apmdm.sampler import rollouts
from apmdm.tasks.graph.named import Named, both_ways, from_networkx
from apmdm.tasks.graph.problem import Cut, decode, encode
from apmdm.tasks.graph.process import teacher

NAMED = nx.DiGraph([("s", "a b"), ("a b", "t#1"), ("s", 7), (7, "t#1")])
TRAP = nx.Graph()
TRAP.add_edge("a", "b", weight=10)
TRAP.add_edges_from([("b", "c"), ("b", "d"), ("c", "e"), ("d", "e")], weight=1)


def cut_of(problem: Named) -> Cut:
    """The cut that the process finds."""
    (run,) = rollouts(teacher, [encode(problem)])
    remaining = decode(run.final)
    assert remaining is not None
    return problem.cut(remaining)


def test_networkx_graphs_of_any_names_become_problems_and_lose_the_cut() -> None:
    problem = from_networkx(NAMED, "s", 7)
    assert (problem.counts, problem.directed, problem.weighted) == ((4, 4), True, False)
    cut = cut_of(problem)
    assert cut == Cut([("s", 7)], 1)
    left = problem.without(cut)
    assert set(left.edges) == set(NAMED.edges) - {("s", 7)}
    assert set(left) == set(NAMED)


def test_weights_and_capacities_are_honoured() -> None:
    assert cut_of(from_networkx(TRAP, "a", "e")).size == 2
    assert cut_of(from_networkx(TRAP, "a", "e", unweighted=True)) == Cut([("a", "b")], 1)
    both = nx.DiGraph([("s", "t", {"weight": 1, "capacity": "3.0"})])
    assert cut_of(from_networkx(both, "s", "t")) == Cut([("s", "t")], 3)


def test_parallel_edges_count_each_and_self_loops_and_capacity_0_do_not() -> None:
    graph = nx.MultiDiGraph([("s", "t"), ("s", "t"), ("s", "s"), ("s", "t", {"capacity": 0})])
    problem = from_networkx(graph, "s", "t")
    assert problem.counts == (2, 2)
    cut = cut_of(problem)
    assert cut == Cut([("s", "t", 0), ("s", "t", 1)], 2)
    assert problem.without(cut).number_of_edges() == 2


@pytest.mark.parametrize("directed", [True, False])
def test_edges_on_no_way_to_the_target_are_kept_without_being_given_to_the_model(directed: bool) -> None:
    graph: nx.Graph = nx.DiGraph() if directed else nx.Graph()
    nx.add_path(graph, ["s", "a", "t"], capacity=2)
    nx.add_path(graph, ["a", "b", "c"], capacity=500)
    nx.add_path(graph, ["x", "y"], capacity=3000)
    problem = from_networkx(graph, "s", "t")
    assert (problem.counts, [link.edge for link in problem.links]) == ((7, 5), [("s", "a"), ("a", "t")])
    cut = cut_of(problem)
    assert cut.size == 2
    assert set(problem.without(cut).edges) == set(graph.edges) - set(cut.edges)


@pytest.mark.parametrize("directed", [True, False])
def test_no_edges_matter_where_no_way_leads_to_the_target_however_many_there_are(directed: bool) -> None:
    graph: nx.Graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_edges_from([("s", node) for node in range(2600)], capacity=2)
    graph.add_edge("t", 0 if directed else "u")
    problem = from_networkx(graph, "s", "t")
    assert (problem.edges, problem.counts[1]) == ((), 2601)
    assert any("read both ways" in note for note in problem.notes) == directed
    left = problem.without(cut_of(problem))
    assert set(left.edges) == set(graph.edges)


@pytest.mark.parametrize("directed", [True, False])
def test_weighted_minimum_cuts_are_those_of_networkx(directed: bool) -> None:
    for seed in range(12):
        random = Random(seed)
        graph = nx.gnm_random_graph(7, 14, seed=seed, directed=directed)
        nx.set_edge_attributes(graph, {edge: random.randint(0, 4) for edge in graph.edges}, "capacity")
        problem = from_networkx(graph, 0, 6)
        cut = cut_of(problem)
        assert cut.size == nx.minimum_cut_value(graph, 0, 6)
        assert cut.size == sum(graph.edges[edge]["capacity"] for edge in cut.edges)
        assert nx.maximum_flow_value(problem.without(cut), 0, 6) == 0


@pytest.mark.parametrize("capacity", [2.5, -1, float("inf"), float("nan"), "many", None])
def test_capacities_that_are_no_whole_numbers_are_refused(capacity: object) -> None:
    graph = nx.DiGraph([("s", "t", {"weight": capacity})])
    with pytest.raises(ValueError, match=f"edge s t has weight {capacity}; capacities are whole numbers"):
        from_networkx(graph, "s", "t")
    assert from_networkx(graph, "s", "t", unweighted=True).counts == (2, 1)


def test_capacities_beyond_memory_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to 1000000, and at most 2500 is possible; --unweighted"):
        from_networkx(nx.DiGraph([("s", "t", {"capacity": 10**6})]), "s", "t")


@pytest.mark.parametrize("unweighted", [False, True])
def test_a_refusal_of_many_edges_speaks_of_edges(unweighted: bool) -> None:
    graph = nx.DiGraph([("s", node) for node in range(1300)] + [(node, "t") for node in range(1300)] + [("t", "end")])
    with pytest.raises(ValueError, match="2600 of 2601 edges matter, and at most 2500 are possible"):
        from_networkx(graph, "s", "t", unweighted)


def test_both_ways_an_edge_and_its_reverse_are_one_if_their_capacities_agree() -> None:
    graph = nx.DiGraph([("s", "t", {"capacity": 2}), ("t", "s", {"capacity": 2})])
    both, notes = both_ways(graph)
    assert (len(notes), cut_of(from_networkx(both, "s", "t"))) == (1, Cut([("s", "t")], 2))
    graph["t"]["s"]["capacity"] = 3
    with pytest.raises(ValueError, match="edge t s has another capacity than its reverse"):
        both_ways(graph)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no node 'x'; the nodes are s, a b, t#1, 7"):
        from_networkx(NAMED, "x", "s")
