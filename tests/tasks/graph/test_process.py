"""The teacher against a slow one written from the rules on lists, and against NetworkX on graphs of every kind."""

from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.sampler import generate
from apmdm.state import Sequence, State
from apmdm.tasks.graph.data import path, scrambled, shapes, sized, teacher_run, training_problem, training_states
from apmdm.tasks.graph.graphs import disguised
from apmdm.tasks.graph.problem import Problem, decode, encode
from apmdm.tasks.graph.process import NUM_HINTS, VOCAB, hints, teacher
from apmdm.tasks.graph.verify import is_minimum_cut, minimum_cut_size

MARKS = {"A@head", "A@tail", "H@head", "H@tail", "B@head", "B@tail"}
EDGES = {"E", "F@head", "F@tail"}
OTHER = {"head": "tail", "tail": "head"}
Action = tuple[str, bool]


def slow_step(symbols: list[str], places: list[tuple[int, int]]) -> list[Action]:
    """For each position what becomes of it (a symbol, `<mask>` or `gone`), and whether a MASK comes after it."""
    end_of = {"tail": [tail for tail, _ in places], "head": [head for _, head in places]}
    beside = [""] * len(symbols)
    for i, place in enumerate(places):
        for j in (i + 1, i - 1):
            if place[0] >= 0 and 0 <= j < len(places) and places[j] == place:
                beside[i] = symbols[j]
    go, both = bool({"GO", "GO@both"} & set(symbols)), "GO@both" in symbols
    ends = {i: end_of[s.split("@")[1]][i] for i, s in enumerate(symbols) if s in MARKS}
    starts = {i: end_of[OTHER[s.split("@")[1]]][i] for i, s in enumerate(symbols) if s in MARKS}
    sources = {end_of["tail"][i] for i, s in enumerate(symbols) if s == "SRC"}
    targets = {end_of["tail"][i] for i, s in enumerate(symbols) if s == "DST"}
    reached = sources | set(ends.values())
    hit = any(s.startswith("H") for s in symbols)

    def grows(i: int) -> str:
        """The end that a MASK slot adds to the tree, or nothing."""
        if symbols[i] != "<mask>":
            return ""
        for far, near in OTHER.items():
            ways = {"E", f"F@{near}"} if far == "head" or both else {f"F@{near}"}
            if beside[i] in ways and end_of[near][i] in reached and end_of[far][i] not in reached:
                return far
        return ""

    def goes(i: int) -> bool:
        twin = any(ends[j] == ends[i] for j in ends if j < i)
        return twin or (hit and not symbols[i].startswith("H") and ends[i] not in starts.values())

    leaving = {i for i in ends if goes(i)} if go else set()
    bare = {i for i, s in enumerate(symbols) if s in EDGES and not beside[i]}
    ready = go and hit and not leaving
    done = go and not hit and not leaving and not bare and not any(grows(i) for i in range(len(symbols)))

    def written(i: int) -> str:
        kind, _, side = beside[i].partition("@")
        if kind in ("A", "H"):
            return f"F@{side}"
        if kind == "B":
            return "E"
        if go and not hit and grows(i):
            far = grows(i)
            return f"{'B' if kind == 'F' else 'H' if end_of[far][i] in targets else 'A'}@{far}"
        if done and kind == "F":
            leaves = end_of[OTHER[side]][i] in reached and end_of[side][i] not in reached
            return "CUT" if leaves else f"B@{OTHER[side]}"
        return "<mask>"

    def becomes(i: int, symbol: str) -> str:
        if symbol == "<mask>":
            unused = not go and (beside[i] in EDGES or not beside[i])
            return "gone" if beside[i] == "CUT" or unused else written(i)
        if symbol in MARKS or symbol == "CUT":
            return "<mask>" if i in leaving or beside[i] == "<mask>" or not go else symbol
        turned = symbol in EDGES and beside[i] in MARKS and ready
        ended = done and (symbol.startswith("F") or symbol.startswith("GO"))
        return "<mask>" if turned or ended else symbol

    return [(becomes(i, symbol), go and i in bare) for i, symbol in enumerate(symbols)]


def assert_as_slow(sequence: Sequence) -> None:
    state = State.stack([sequence])
    edits = teacher(state)
    assert sequence.coordinates is not None
    symbols, places = VOCAB.decode(sequence.ids.tolist()), [tuple(place) for place in sequence.coordinates.tolist()]
    for i, (becomes, inserts) in enumerate(slow_step(symbols, places)):
        masked, remasked = symbols[i] == "<mask>", bool(edits.remask[0, i])
        found = "<mask>" if remasked else symbols[i]
        if masked and bool(edits.delete[0, i]):
            found = "gone"
        elif masked and not remasked:
            found = VOCAB.decode([int(edits.content[0, i])])[0]
        assert (found, bool(edits.insert[0, i])) == (becomes, inserts)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_agrees_with_the_slow_teacher(seed: int) -> None:
    random, draw = Random(seed), torch.Generator().manual_seed(seed)
    state = State.stack([encode(training_problem(random))])
    for met, _ in path(state):
        assert_as_slow(met.sequence(0))
        assert_as_slow(scrambled(met, draw).sequence(0))


def all_of(kinds: dict[str, list[Problem]]) -> list[Problem]:
    return [problem for problems in kinds.values() for problem in problems]


@pytest.mark.parametrize(
    "problems",
    [
        all_of(sized(range(4, 11), 120, Random(1))),
        all_of(sized(range(20, 21), 24, Random(2))),
        all_of(shapes(20, Random(3))),
    ],
    ids=["4 to 10 nodes", "20 nodes", "shapes"],
)
def test_ends_in_a_minimum_cut_and_takes_no_more_room_than_stated(problems: list[Problem]) -> None:
    steps = teacher_run(problems)[0].tolist()
    for run in generate(teacher, map(encode, problems), batch_size=64):
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
        Problem(*problem, directed=False)


def test_states_without_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match="coordinates"):
        teacher(State.stack([Sequence(torch.tensor(VOCAB.encode(["GO"])))]))
