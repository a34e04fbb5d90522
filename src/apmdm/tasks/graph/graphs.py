"""Graphs of many kinds, and what can be controlled in them: size, direction, flow, bottlenecks, flow to take back."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, pairwise, permutations
from random import Random
from typing import TypeVar

from apmdm.tasks.graph.problem import CutProblem, Edge

T = TypeVar("T")
MIN_DETOUR_NODES = 6


def pairs(nodes: Iterable[int], directed: bool) -> list[Edge]:
    """All edges that there can be between the nodes."""
    return list(permutations(nodes, 2) if directed else combinations(nodes, 2))


def anything(nodes: int, edges: int, directed: bool, random: Random) -> CutProblem:
    """Edges drawn uniformly."""
    return CutProblem(nodes, _some(pairs(range(nodes), directed), edges, random), 0, nodes - 1, directed)


def bottleneck(nodes: int, edges: int, flow: int, directed: bool, random: Random) -> CutProblem:
    """At most `flow` edges lead from the part of the source to that of the target; with 0 the target is unreachable."""
    size = random.randint(1, nodes - 1) if nodes < 6 else random.randint(nodes // 3, nodes - nodes // 3)
    source_side, target_side = range(size), range(size, nodes)
    across = [(tail, head) for tail in source_side for head in target_side]
    chosen = _some(across, flow, random)
    inside = pairs(source_side, directed) + pairs(target_side, directed)
    if directed:
        inside += _some([(head, tail) for tail, head in across], edges // 5, random)
    return CutProblem(nodes, chosen + _some(inside, edges - len(chosen), random), 0, nodes - 1, directed)


def detours(nodes: int, edges: int, directed: bool, random: Random) -> CutProblem:
    """A short way s a b t, detours from s to b and from a to t, so that flow over a b may have to be taken back.

    Up to two more ways lead through a node each, a few edges anywhere; the nodes left are spread over groups around
    some of these, with the edges left.
    """
    first = random.randint(1, min(4, nodes - 5))
    second = random.randint(1, min(4, nodes - 4 - first))
    more = random.randint(0, min(2, nodes - 4 - first - second))
    source, a, *inner, target = range(4 + first + second + more)
    b, through = inner.pop(first), [inner.pop() for _ in range(more)]
    ways = [(source, a, b, target), (source, *inner[:first], b), (a, *inner[first:], target)]
    ways += [(source, node, target) for node in through]
    chosen = [edge for way in ways for edge in pairwise(way)]
    chosen += _some(pairs(range(nodes), directed), random.randint(0, nodes // 4), random)
    groups = {node: [node] for node in range(target + 1)}
    centres = _some(list(groups), random.randint(1, 4), random)
    for node in range(target + 1, nodes):
        groups[random.choice(centres)].append(node)
    inside = [edge for members in groups.values() for edge in pairs(members, directed)]
    if directed:
        inside += [(head, tail) for tail, head in pairs(range(target + 1), directed=False)]
    chosen = list(dict.fromkeys(chosen))
    inside = sorted(set(inside) - set(chosen))
    return CutProblem(nodes, chosen + _some(inside, edges - len(chosen), random), source, target, directed)


def layered(layers: int, width: int, directed: bool, random: Random) -> CutProblem:
    """A source, layers of equal width and a target, with most of the edges from each layer to the next."""
    inner = [range(1 + layer * width, 1 + (layer + 1) * width) for layer in range(layers)]
    levels = [range(1), *inner, range(1 + layers * width, 2 + layers * width)]
    possible = [(tail, head) for here, there in pairwise(levels) for tail in here for head in there]
    chosen = _some(possible, round(random.uniform(0.4, 1) * len(possible)), random)
    return CutProblem(levels[-1].stop, chosen, 0, levels[-1].start, directed)


def grid(rows: int, columns: int, directed: bool, random: Random) -> CutProblem:
    """From corner to corner, to the right and down, if directed; else between any two nodes."""
    right = [(node, node + 1) for node in range(rows * columns) if (node + 1) % columns]
    down = [(node, node + columns) for node in range((rows - 1) * columns)]
    source, target = (0, rows * columns - 1) if directed else random.sample(range(rows * columns), 2)
    return CutProblem(rows * columns, right + down, source, target, directed)


def disguised(problem: CutProblem, random: Random) -> CutProblem:
    """The same graph with its nodes renamed, its edges in random order and, if undirected, written either way round."""
    names = random.sample(range(problem.nodes), problem.nodes)
    edges = [(names[tail], names[head]) for tail, head in problem.edges]
    if not problem.directed:
        edges = [edge if random.random() < 0.5 else edge[::-1] for edge in edges]
    random.shuffle(edges)
    return replace(problem, edges=edges, source=names[problem.source], target=names[problem.target])


def _some(things: list[T], num: int, random: Random) -> list[T]:
    return random.sample(things, max(0, min(num, len(things))))
