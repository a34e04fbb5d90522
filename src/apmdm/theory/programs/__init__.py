"""The programs that come with the library: their texts, random inputs and what their answers are, found otherwise.

An input is prepared by laying numbers out in memory; numbers that are no part of the problem (a logarithm, a rounded
size) are named in the program's text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from apmdm.theory.pram import Job, Mode, Program, assemble

FOLDER = Path(__file__).parent
Words = list[int]


@dataclass(frozen=True)
class ProgramProblem:
    """A job, and whether a memory at the end holds the right answer."""

    job: Job
    holds: Callable[[tuple[int, ...]], bool]


@dataclass(frozen=True)
class Entry:
    """A program of the library: its problems of a size, its memory model, its time, and its largest sensible size."""

    name: str
    problem: Callable[[Random, int], ProgramProblem]
    mode: Mode
    time: str
    largest: int


def load(name: str) -> Program:
    return assemble((FOLDER / f"{name}.asm").read_text(encoding="utf-8"))


def about(name: str) -> str:
    """The first sentence of a program's text."""
    return (FOLDER / f"{name}.asm").read_text(encoding="utf-8").partition("\n")[0].strip("; ")


def job(name: str, memory: Words, processors: int, largest: int = 0) -> Job:
    """Words hold addresses up to twice the memory, the processors, the program, and numbers up to `largest`."""
    program = load(name)
    bits = max(2 * len(memory), processors, len(program.instructions) + 1, largest).bit_length()
    return Job(program, tuple(memory), processors, bits)


def _logarithm(n: int) -> int:
    return (n - 1).bit_length()


def _prefix_sum(random: Random, n: int) -> ProgramProblem:
    words = [random.randrange(8) for _ in range(n)]
    sums = [sum(words[: end + 1]) for end in range(n)]
    return ProgramProblem(job("prefix_sum", [n, *words], n, 8 * n), lambda memory: list(memory[1:]) == sums)


def _parity(random: Random, n: int) -> ProgramProblem:
    bits = [random.randrange(2) for _ in range(n)]
    return ProgramProblem(job("parity", [n, *bits], n), lambda memory: memory[1] == sum(bits) % 2)


def _list_ranking(random: Random, n: int) -> ProgramProblem:
    order = random.sample(range(n), n)
    successor, distance = [0] * n, [0] * n
    for place, node in enumerate(order):
        successor[node] = order[min(place + 1, n - 1)]
        distance[node] = n - 1 - place
    return ProgramProblem(
        job("list_ranking", [n, *successor, *[0] * n], n), lambda memory: list(memory[n + 1 :]) == distance
    )


def edges_of(random: Random, n: int) -> list[tuple[int, int]]:
    """About n distinct pairs of vertices, so that components of many sizes occur."""
    edges = (random.sample(range(n), 2) for _ in range(random.randint(n // 2, n)) if n > 1)
    return sorted({(min(edge), max(edge)) for edge in edges})


def _reached(n: int, arcs: list[tuple[int, int]]) -> list[set[int]]:
    """Which vertices each one reaches, by search."""
    found = []
    for start in range(n):
        seen, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            new = {head for tail, head in arcs if tail == here} - seen
            seen |= new
            waiting += new
        found.append(seen)
    return found


def _matrix(n: int, arcs: list[tuple[int, int]]) -> Words:
    size = 2 ** _logarithm(n)
    return [int(i == j or (i, j) in arcs) for i in range(size) for j in range(size)]


def _matrix_closure(random: Random, n: int) -> ProgramProblem:
    arcs = [(i, j) for i in range(n) for j in range(n) if i != j and random.random() < 1.5 / n]
    size, reached = 2 ** _logarithm(n), _reached(n, arcs)

    def holds(memory: tuple[int, ...]) -> bool:
        return all(memory[1 + i * size + j] == (j in reached[i]) for i in range(n) for j in range(n))

    return ProgramProblem(job("matrix_closure", [_logarithm(n), *_matrix(n, arcs)], size**3), holds)


def _connectivity_squaring(random: Random, n: int) -> ProgramProblem:
    edges = edges_of(random, n)
    size, arcs = 2 ** _logarithm(n), edges + [(v, u) for u, v in edges]
    smallest = [min(seen) for seen in _reached(n, arcs)]
    memory = [_logarithm(n), *_matrix(n, arcs), *[0] * (size**2 + size)]
    start = 1 + 2 * size**2
    return ProgramProblem(
        job("connectivity_squaring", memory, size**3), lambda memory: list(memory[start : start + n]) == smallest
    )


LABELS = 3
"""Where connectivity by hooking has the n labels: equal ones for vertices that are connected."""


def hooking(n: int, edges: list[tuple[int, int]]) -> ProgramProblem:
    arcs = edges + [(v, u) for u, v in edges]
    reached = _reached(n, arcs)
    memory = [n, len(arcs), _logarithm(n), *[0] * (3 * n), *(u for u, _ in arcs), *(v for _, v in arcs)]

    def holds(memory: tuple[int, ...]) -> bool:
        labels = memory[LABELS : LABELS + n]
        return all((labels[u] == labels[v]) == (v in reached[u]) for u in range(n) for v in range(n))

    return ProgramProblem(job("connectivity_hooking", memory, max(n, len(arcs))), holds)


def _dyck_membership(random: Random, n: int) -> ProgramProblem:
    """Half of the inputs are balanced; half of those then get one bracket replaced."""
    brackets, open_kinds = [], []
    for place in range(n):
        may_open = len(open_kinds) < n - place
        if open_kinds and (not may_open or random.random() < 0.5):
            brackets.append(2 * open_kinds.pop() + 1)
        else:
            open_kinds.append(random.randrange(2))
            brackets.append(2 * open_kinds[-1])
    if random.random() < 0.5:
        brackets[random.randrange(n)] = random.randrange(4)
    stack: Words = []
    for bracket in brackets:
        if stack and bracket % 2 and stack[-1] == bracket - 1:
            stack.pop()
        else:
            stack.append(bracket)
    table = [0] * (n * (_logarithm(n) + 1))
    memory = [n, 0, *brackets, *table]
    return ProgramProblem(job("dyck_membership", memory, n, 2 * n), lambda memory: memory[1] == (not stack))


def _odd_even_sort(random: Random, n: int) -> ProgramProblem:
    words = [random.randrange(2 * n) for _ in range(n)]
    return ProgramProblem(job("odd_even_sort", [n, *words], n), lambda memory: list(memory[1:]) == sorted(words))


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("prefix_sum", _prefix_sum, "CREW", "O(log n)", 1024),
        Entry("parity", _parity, "CREW", "O(log n)", 1024),
        Entry("list_ranking", _list_ranking, "CREW", "O(log n)", 1024),
        Entry("connectivity_squaring", _connectivity_squaring, "common-CRCW", "O(log n)", 16),
        Entry(
            "connectivity_hooking", lambda random, n: hooking(n, edges_of(random, n)), "common-CRCW", "O(log^2 n)", 256
        ),
        Entry("matrix_closure", _matrix_closure, "common-CRCW", "O(log n)", 16),
        Entry("dyck_membership", _dyck_membership, "common-CRCW", "O(log n)", 1024),
        Entry("odd_even_sort", _odd_even_sort, "CREW", "O(n)", 256),
    )
}
