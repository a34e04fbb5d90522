"""The teacher against a slow one written from the rules on lists, and against NetworkX on graphs of every kind."""

from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.graph.data import (
    long_problem,
    scrambled,
    shapes,
    sized,
    teacher_path,
    teacher_run,
    training_problem,
    training_states,
)
from apmdm.tasks.graph.graphs import disguised
from apmdm.tasks.graph.problem import CutProblem, decode, encode
from apmdm.tasks.graph.process import NUM_HINTS, VOCAB, hints, teacher
from apmdm.tasks.graph.verify import is_minimum_cut, minimum_cut_size

MARKS = {"A@head", "A@tail", "H@head", "H@tail", "B@head", "B@tail"}
EDGES = {"E", "F@head", "F@tail"}
OTHER = {"head": "tail", "tail": "head"}


class SlowTeacher:
    """The rules for one state, its symbols and its places (tail, head)."""

    def __init__(self, symbols: list[str], places: list[tuple[int, int]]) -> None:
        self.symbols = symbols
        self.end_of = {"tail": [tail for tail, _ in places], "head": [head for _, head in places]}
        self.beside = [""] * len(symbols)
        for i, place in enumerate(places):
            for j in (i + 1, i - 1):
                if place[0] >= 0 and 0 <= j < len(places) and places[j] == place:
                    self.beside[i] = symbols[j]
        side = {i: symbol.split("@")[1] for i, symbol in enumerate(symbols) if symbol in MARKS}
        self.ends = {i: self.end_of[side[i]][i] for i in side}
        self.starts = {self.end_of[OTHER[side[i]]][i] for i in side}
        self.targets = {self.end_of["tail"][i] for i, symbol in enumerate(symbols) if symbol == "DST"}
        sources = {self.end_of["tail"][i] for i, symbol in enumerate(symbols) if symbol == "SRC"}
        self.reached = sources | set(self.ends.values())
        self.go, self.both = bool({"GO", "GO@both"} & set(symbols)), "GO@both" in symbols
        self.hit = any(symbol.startswith("H") for symbol in symbols)
        self.leaving = {i for i in self.ends if self.go and self.goes(i)}
        self.bare = {i for i, symbol in enumerate(symbols) if self.go and symbol in EDGES and not self.beside[i]}
        settled = self.go and not self.leaving
        self.ready = settled and self.hit
        growing = any(self.grows(i) for i in range(len(symbols)))
        self.done = settled and not self.hit and not self.bare and not growing

    def grows(self, i: int) -> str:
        """The end that a MASK slot adds to the tree, or nothing."""
        for far, near in OTHER.items():
            ways = {"E", f"F@{near}"} if far == "head" or self.both else {f"F@{near}"}
            inside, outside = self.end_of[near][i] in self.reached, self.end_of[far][i] not in self.reached
            if self.symbols[i] == "<mask>" and self.beside[i] in ways and inside and outside:
                return far
        return ""

    def goes(self, i: int) -> bool:
        twin = any(self.ends[j] == self.ends[i] for j in self.ends if j < i)
        return twin or (self.hit and not self.symbols[i].startswith("H") and self.ends[i] not in self.starts)

    def written(self, i: int) -> str:
        kind, _, side = self.beside[i].partition("@")
        if kind in ("A", "H"):
            return f"F@{side}"
        if kind == "B":
            return "E"
        if self.go and not self.hit and (far := self.grows(i)):
            return f"{'B' if kind == 'F' else 'H' if self.end_of[far][i] in self.targets else 'A'}@{far}"
        if self.done and kind == "F":
            leaves = self.end_of[OTHER[side]][i] in self.reached and self.end_of[side][i] not in self.reached
            return "CUT" if leaves else f"B@{OTHER[side]}"
        return "<mask>"

    def becomes(self, i: int) -> str:
        """The symbol that a position has next, or `gone`."""
        symbol, beside = self.symbols[i], self.beside[i]
        if symbol == "<mask>":
            unused = not self.go and (beside in EDGES or not beside)
            return "gone" if beside == "CUT" or unused else self.written(i)
        if symbol in MARKS or symbol == "CUT":
            return "<mask>" if i in self.leaving or beside == "<mask>" or not self.go else symbol
        turned = symbol in EDGES and beside in MARKS and self.ready
        ended = self.done and symbol.startswith(("F", "GO"))
        return "<mask>" if turned or ended else symbol


def assert_as_slow(sequence: Sequence) -> None:
    state = State.stack([sequence])
    edits = teacher(state)
    assert sequence.coordinates is not None
    symbols, places = VOCAB.decode(sequence.ids.tolist()), [tuple(place) for place in sequence.coordinates.tolist()]
    slow = SlowTeacher(symbols, places)
    for i in range(len(symbols)):
        masked, remasked = symbols[i] == "<mask>", bool(edits.remask[0, i])
        found = "<mask>" if remasked else symbols[i]
        if masked and bool(edits.delete[0, i]):
            found = "gone"
        elif masked and not remasked:
            found = VOCAB.decode([int(edits.content[0, i])])[0]
        assert (found, bool(edits.insert[0, i])) == (slow.becomes(i), i in slow.bare)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_agrees_with_the_slow_teacher(seed: int) -> None:
    random, draw = Random(seed), torch.Generator().manual_seed(seed)
    state = State.stack([encode(training_problem(random))])
    for met, _ in teacher_path(state):
        assert_as_slow(met.sequence(0))
        assert_as_slow(scrambled(met, draw).sequence(0))


def all_of(kinds: dict[str, list[CutProblem]]) -> list[CutProblem]:
    return [problem for problems in kinds.values() for problem in problems]


@pytest.mark.parametrize(
    "problems",
    [
        all_of(sized(range(4, 11), 120, Random(1))),
        all_of(sized(range(20, 21), 24, Random(2))),
        all_of(shapes(20, Random(3))),
        [long_problem(Random(seed)) for seed in range(8)],
    ],
    ids=["4 to 10 nodes", "20 nodes", "shapes", "long ways"],
)
def test_ends_in_a_minimum_cut_and_takes_no_more_room_than_stated(problems: list[CutProblem]) -> None:
    steps = teacher_run(problems)[0].tolist()
    for run in rollouts(teacher, map(encode, problems), batch_size=64):
        problem, left = problems[run.index], decode(run.final)
        assert run.stop == "fixed point"
        assert left is not None
        assert is_minimum_cut(problem, left, minimum_cut_size(problem))
        assert (run.space, run.time) == (problem.space, steps[run.index])


def test_rows_do_not_depend_on_their_batch() -> None:
    states = training_states(4, seed=0)[::7]
    together = teacher(State.stack(states))
    for row, alone in enumerate(states):
        edits, length = teacher(State.stack([alone])), len(alone)
        for name in ("content", "remask", "insert", "delete"):
            assert torch.equal(getattr(together, name)[row, :length], getattr(edits, name)[0])


def test_names_of_nodes_change_nothing() -> None:
    problem = training_problem(Random(5))
    renamed = disguised(problem, Random(6))
    assert minimum_cut_size(problem) == minimum_cut_size(renamed)
    assert hints(State.stack([encode(problem)])).shape == (1, 3 + len(problem.edges), NUM_HINTS)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ((3, [(0, 1)], 1, 1), "same node"),
        ((3, [(1, 1)], 0, 2), "self-loops"),
        ((3, [(0, 1), (1, 0)], 0, 2), "parallel"),
        ((2, [(0, 2)], 0, 1), "nodes are 0 to 1"),
    ],
)
def test_what_is_no_problem_is_refused(problem: tuple[int, list[tuple[int, int]], int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CutProblem(*problem, directed=False)


def test_states_without_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match="coordinates"):
        teacher(State.stack([Sequence(torch.tensor(VOCAB.encode(["GO"])))]))
