"""Minimum cuts as prompt and answer: `directed S 1 T 6 : 1 2 ; 1 3 ; 2 6 ?`, then the edges to delete in their order.

With thought, the answer first tells augmenting paths, each the shortest in the residual graph, then the nodes that can
still be reached. Nodes are random ones of NAMES, so that a name by itself means nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.paradigms.form import END, Form, Verdict, asked
from apmdm.state import Sequence, State
from apmdm.tasks.graph.data import training_problem
from apmdm.tasks.graph.problem import CutProblem, Edge
from apmdm.tasks.graph.verify import is_minimum_cut, minimum_cut_size
from apmdm.vocab import MASK, Vocab

NAMES = 64
DIRECTIONS = {True: "directed", False: "undirected"}
_nodes = [str(name) for name in range(NAMES)]
VOCAB = Vocab.of(*DIRECTIONS.values(), "S", "T", ":", ";", "?", "path", "reached", "cut", END, _nodes)


def forms() -> list[Form]:
    """The answer alone, and with thought before it."""
    return [
        Form(
            name,
            VOCAB,
            lambda num, random, thought=thought: examples(num, random, thought),
            lambda problem, thought=thought: _start(problem, thought),
            verdict,
        )
        for name, thought in (("cut", False), ("thought and cut", True))
    ]


def named(problem: CutProblem, random: Random) -> CutProblem:
    """The same graph on NAMES nodes, most of them without an edge."""
    names = random.sample(range(NAMES), problem.nodes)
    edges = [(names[tail], names[head]) for tail, head in problem.edges]
    return replace(problem, nodes=NAMES, edges=edges, source=names[problem.source], target=names[problem.target])


def to_text(problem: CutProblem) -> str:
    edges = " ; ".join(f"{tail} {head}" for tail, head in problem.edges)
    return f"{DIRECTIONS[problem.directed]} S {problem.source} T {problem.target} : {edges} ?"


def parse(text: str) -> CutProblem:
    """The problem of a prompt."""
    head, _, tail = text.removesuffix("?").partition(":")
    direction, _, source, _, target = head.split()
    edges = [(int(a), int(b)) for a, b in (edge.split() for edge in tail.split(";") if edge.strip())]
    return CutProblem(NAMES, edges, int(source), int(target), direction == DIRECTIONS[True])


def answer(problem: CutProblem, thought: bool) -> list[str]:
    """What comes after the prompt, as symbols."""
    *paths, reached = augmented(problem)
    inside = set(reached)
    ways = [edge for edge in problem.edges if _leaves(edge, inside, problem.directed)]
    told = [symbol for tail, head in ways for symbol in (str(tail), str(head))]
    if not thought:
        return [*told, END]
    aloud = [symbol for path in paths for symbol in ("path", *map(str, path))]
    return [*aloud, "reached", *map(str, reached), "cut", *told, END]


def augmented(problem: CutProblem) -> Iterator[list[int]]:
    """Shortest augmenting paths in turn (Edmonds and Karp), and at last the nodes in reach of the source."""
    both = problem.edges if problem.directed else [*problem.edges, *((head, tail) for tail, head in problem.edges)]
    room = dict.fromkeys(both, 1) | {(head, tail): 0 for tail, head in both if (head, tail) not in both}
    neighbours: dict[int, list[int]] = {}
    for tail, head in room:
        neighbours.setdefault(tail, []).append(head)
    while True:
        came_from, order = {problem.source: problem.source}, [problem.source]
        for node in order:
            for head in neighbours.get(node, []):
                if room[node, head] and head not in came_from:
                    came_from[head] = node
                    order.append(head)
        if problem.target not in came_from:
            yield order
            return
        path = [problem.target]
        while path[-1] != problem.source:
            path.append(came_from[path[-1]])
            room[path[-1], path[-2]] -= 1
            room[path[-2], path[-1]] += 1
        yield path[::-1]


def _leaves(edge: Edge, inside: set[int], directed: bool) -> bool:
    tail, head = (end in inside for end in edge)
    return tail and not head if directed else tail != head


def examples(num: int, random: torch.Generator, thought: bool) -> tuple[State, Edits]:
    draw = Random(int(torch.randint(2**62, (), generator=random)))
    problems = [named(training_problem(draw), draw) for _ in range(num)]
    prompts = [VOCAB.encode(to_text(problem).split()) for problem in problems]
    return asked(prompts, [VOCAB.encode(answer(problem, thought)) for problem in problems])


def _start(text: str, thought: bool) -> Sequence:
    """A canvas as long as the right answer: more than ARM is told, which has to end by itself."""
    room = len(answer(parse(text), thought))
    return Sequence(torch.tensor(VOCAB.encode(text.split()) + [MASK] * room))


def verdict(text: str, final: Sequence) -> Verdict:
    """Valid are edges of the prompt and END; the share is that of the right answer's edges that were told."""
    problem, symbols = parse(text), VOCAB.decode(final.ids.tolist())
    told = symbols[len(text.split()) :]
    told = told[1 + told.index("cut") :] if "cut" in told else told
    whole = END in told
    told = told[: told.index(END)] if whole else told
    pairs = list(zip(told[::2], told[1::2], strict=False))
    whole &= len(told) % 2 == 0 and all(a.isdecimal() and b.isdecimal() for a, b in pairs)
    edges = [(int(a), int(b)) for a, b in pairs if a.isdecimal() and b.isdecimal()]
    valid = whole and set(edges) <= set(problem.edges) and len(set(edges)) == len(edges)
    left = [edge for edge in problem.edges if edge not in edges]
    expected = answer(problem, thought=False)[:-1]
    wanted = set(zip(expected[::2], expected[1::2], strict=True))
    share = len(wanted & set(pairs)) / len(wanted) if wanted else float(not pairs)
    return Verdict(valid and is_minimum_cut(problem, left, minimum_cut_size(problem)), valid, share)
