"""Sudoku, learned from 100 puzzles: a small encoder carries out the search of its teacher."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.base_task import option
from apmdm.edits import Edits, edits_between
from apmdm.lines import Numbered
from apmdm.model.attention import BEFORE, Relations
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.graphed import Graphed
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import LossWeights, Objective, accuracy, supervised_loss
from apmdm.paradigms.comparison import Comparison
from apmdm.policy import Greedy
from apmdm.processes import WHOLE
from apmdm.recipe import Recipe
from apmdm.sampler import Predictor, Run
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.task import Task
from apmdm.tasks.sudoku import formats, levels
from apmdm.tasks.sudoku.compare import compare_sudoku
from apmdm.tasks.sudoku.data import (
    EASY,
    HARD,
    LARGE,
    MIXED,
    PLAIN,
    ROUGH,
    Step,
    answers_of,
    drawn_states,
    generated,
    path,
    training_puzzles,
)
from apmdm.tasks.sudoku.grid import BOARDS, FAIL, R1, SIXTEEN, Board, Puzzle, as_state, decode, encode, to_text
from apmdm.tasks.sudoku.hints import detailed_hints, hints, num_conclusions, num_detailed_hints, num_hints
from apmdm.tasks.sudoku.process import next_ids, teacher
from apmdm.tasks.sudoku.puzzles import count_within, generated_puzzle
from apmdm.tasks.sudoku.report import PATIENCE, backtracks, has_several_solutions, reason, report
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.tasks.sudoku.view import drawing
from apmdm.training.chunked import Chunked, seed_of
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab

CHUNK = 2**16
VALIDATION_SEED, FRESH_PUZZLES = 7, 1000
BATCH_SIZE, GPU_BATCH_SIZE = 128, 1024
LOOKED_AT = 1000
"""Puzzles of a file that tell its size."""
ROW = "{:>6}  {:<10}  {:>6}  {:>10}  {:>8}  {}"
FEWEST_CLUES = {"9x9": 8, "16x16": 120}
"""Down to so many the models solved all puzzles that were measured (docs/tasks.md)."""
LARGE_WEIGHTS = LossWeights(31, 400)
"""16x16 averages over more positions and hints than 9x9, so both weigh more."""


Drawn = tuple[Int[Tensor, "num length"], Int[Tensor, "num length"]]
"""States, and the state that follows each."""


@dataclass(frozen=True)
class SudokuData:
    """How training states are drawn.

    batch_size: states in a training step.
    plain, mixed: how many chunks of CHUNK states of the kinds PLAIN, and then MIXED, come before those of the kinds
    HARD. For 16x16 the kinds are ROUGH and then LARGE.
    validation: fresh puzzles that are solved now and then during training.
    """

    batch_size: int = 64
    plain: int = 6
    mixed: int = 1000
    validation: int = 300

    def __post_init__(self) -> None:
        if min(self.batch_size, self.validation) < 1 or self.batch_size > CHUNK:
            raise ValueError(f"data.batch_size is 1 to {CHUNK}, data.validation at least 1")
        if min(self.plain, self.mixed) < 0:
            raise ValueError("data.plain and data.mixed are not negative")


@dataclass(frozen=True)
class Sudoku(Task):
    """Solve Sudoku puzzles of 9x9 or 16x16 cells, written in lines, as grids or in a table.

    A puzzle should have one solution. Of several, any counts as solved, and it is said that there are others.

    A problem and an answer are the values of the cells in reading order, 0 for an empty cell.

    preset: "laptop" takes about an hour on a CPU, "full" has twice the steps. "refine" goes on from trained weights;
    each step learns from the least probable eighth of its states (16x16: from the least probable quarter).
    board: 16x16 has one more layer, lower learning rates, smaller batches and more hints; its heads start on one unit
    each, and training starts with scrambled grids (docs/log.md).
    step, symmetric: for ablations. step is the process whose paths are learned; symmetric adds symmetry copies.
    """

    name = "sudoku"
    problem_form = "a puzzle (81 characters, 1 to 9 and . or 0 for an empty cell, or 256 with 1 to 9 and A to G)"
    header = ROW.format("puzzle", "status", "steps", "backtracks", "seconds", "answer")
    ordered = False
    max_steps = 20_000
    demo = Path(__file__).with_name("demo_puzzles.txt")

    preset: Literal["laptop", "full", "refine"] = option("laptop", "How long, and from what, it is trained.", "train")
    board: Literal["4x4", "9x9", "16x16"] = option("9x9", "Size of the grid.", "train")
    step: Step = next_ids
    symmetric: bool = True

    @property
    def size(self) -> Board:
        return BOARDS[self.board]

    @property
    def vocab(self) -> Vocab:  # pyrefly: ignore[bad-override]
        return self.size.vocab

    @property
    def variant(self) -> str:  # pyrefly: ignore[bad-override]
        return f"of {self.board}"

    @property
    def shipped(self) -> str | None:  # pyrefly: ignore[bad-override]
        return {"9x9": "sudoku", "16x16": "sudoku-16x16"}.get(self.board)

    def encode(self, problem: list[int]) -> Sequence:
        return encode(torch.tensor([problem])).sequence(0)

    def decode(self, final: Sequence) -> list[int] | None:
        return decode(final.ids[None])[0].tolist() if len(final) == self.size.length else None

    def parse(self, text: str) -> list[int]:
        found = formats.puzzle(text)
        if len(found) != self.size.cells:
            raise ValueError(f"a puzzle of {_board(found).name} among those of {self.board}; they need other weights")
        return found

    def split(self, lines: Iterable[str]) -> Numbered:
        return formats.puzzles_in(lines)

    def is_problem(self, text: str) -> bool:
        return formats.is_puzzle(text)

    def suited(self, texts: Iterable[str]) -> "Sudoku":
        """With the size of most puzzles that have a clue, or of most if none has, among the first few."""
        boards, without_clues = Counter[str](), Counter[str]()
        for text in islice(texts, LOOKED_AT):
            try:
                values = formats.puzzle(text)
            except ValueError:
                continue
            (boards if any(values) else without_clues)[_board(values).name] += 1
        counted = boards or without_clues
        return replace(self, board=counted.most_common(1)[0][0]) if counted else self

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> "Sudoku":
        for board in BOARDS.values():
            if board.vocab == vocab:
                return replace(self, board=board.name)
        raise ValueError("they are of another task: their vocabulary is that of no grid")

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        return drawing(self.size, sequence.ids.tolist())

    def problem(self, random: Random) -> list[int]:
        return generated_puzzle(np.random.default_rng(random.getrandbits(32)), self.size)

    def teacher(self, state: State) -> Edits:
        return teacher(state)

    def verify(self, problem: list[int], answer: list[int]) -> bool:
        return is_solution(problem, answer)

    def judge(self, problem: list[int], run: Run) -> tuple[list[int], str]:
        """The status is "unsolvable" if the run ends with FAIL and an exact solver finds no solution either."""
        answer = self.decode(run.final) or [0] * self.size.cells
        if is_solution(problem, answer):
            return answer, "solved"
        failed = run.final.ids[R1 : R1 + 1].tolist() == [FAIL] and count_within(PATIENCE, problem, limit=1) == 0
        return answer, "unsolvable" if failed else "unsolved"

    def solve(self, model: Predictor, problems: Iterable[list[int]], **options: Any) -> Iterator[Solution]:
        """A run that has used up all levels goes on as `levels` says; it comes after all others."""
        on_gpu = torch.device(options.get("device", "cpu")).type == "cuda"
        options = {"batch_size": GPU_BATCH_SIZE if on_gpu else BATCH_SIZE, **options}
        begun = ((solution, solution.problem) for solution in super().solve(model, problems, **options))
        while True:
            stuck: list[tuple[Solution, list[int]]] = []
            for solution, clues in begun:
                more = None if solution.solved else levels.kept(solution.run, self.size, clues)
                if more is None:
                    yield solution
                else:
                    stuck.append((solution, more))
            if not stuck:
                return
            begun = self._gone_on(model, stuck, {**options, "share": WHOLE})

    def _gone_on(
        self, model: Predictor, stuck: list[tuple[Solution, list[int]]], options: dict[str, Any]
    ) -> Iterator[tuple[Solution, list[int]]]:
        for again in super().solve(model, [clues for _, clues in stuck], **options):
            earlier, clues = stuck[again.run.index]
            run = levels.joined(earlier.run, again.run)
            yield Solution(earlier.problem, *self.judge(earlier.problem, run), run), clues

    def decoder(self, model: Predictor, device: str) -> Predictor:
        """On a GPU an encoder runs as CUDA graphs."""
        on_gpu = torch.device(device).type == "cuda" and isinstance(model, Encoder)
        return Graphed(model) if on_gpu else model

    def max_length(self, problems: Iterable[Any]) -> int:
        return self.size.length

    @property
    def hints(self) -> Hints:  # pyrefly: ignore[bad-override]
        if self.size is SIXTEEN:
            return Hints(num_detailed_hints(SIXTEEN), detailed_hints, num_conclusions(SIXTEEN))
        return Hints(num_hints(self.size), hints)

    @property
    def objective(self) -> Objective:
        return partial(supervised_loss, weights=LARGE_WEIGHTS) if self.size is SIXTEEN else supervised_loss

    def recipe(self) -> Recipe:
        large = self.size is SIXTEEN
        training = Settings(steps=12_000, evaluate_every=4000, warmup=200, precision="auto")
        data = SudokuData()
        if large:
            training = replace(training, steps=12_000, matrix_rate=0.01, other_rate=0.005)
            data = SudokuData(batch_size=16, plain=1, validation=60)
        if self.preset == "full":
            training = replace(training, steps=2 * training.steps)
        if self.preset == "refine":
            training = replace(training, steps=3000, evaluate_every=1500, focus=8, matrix_rate=0.004, other_rate=0.002)
            if large:
                training = replace(training, steps=5500, focus=4, matrix_rate=0.006, other_rate=0.003)
            data = replace(data, plain=0, mixed=0)
        shape = Shape(
            width={"4x4": 32, "9x9": 64, "16x16": 120}[self.board],
            layers=6 if large else 5,
            heads=4,
            relations=((0, 0), (1, 1), (2, 2), BEFORE),
            absolute=self.size.length,
        )
        return Recipe(self, shape, training, data)

    def initialise(self, model: Encoder) -> None:
        """On 16x16, heads start by attending within one unit each, except in the first layer: it finds candidates."""
        if self.size is SIXTEEN:
            for module in model.layers[1:].modules():
                if isinstance(module, Relations):
                    module.start_apart()

    def batches(self, recipe: Recipe) -> Batches:
        """States that `drawn_states` draws, chunk by chunk, with the edits of the process."""
        data, size = recipe.data, recipe.data.batch_size * recipe.training.focus
        draw = partial(_chunk, recipe.seed, data, self.step, self.symmetric, self.board)
        per_chunk = CHUNK // size

        def batch(chunk: Drawn, number: int) -> Batch:
            ids, following = (as_state(part[number % per_chunk * size :][:size]) for part in chunk)
            return Batch(ids, edits_between(ids, following))

        return Chunked(draw, batch, per_chunk)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        """Teacher-forced accuracy on the teacher's states, and free-running rollouts, on puzzles never trained on."""
        puzzles = generated(recipe.data.validation, VALIDATION_SEED, self.size)
        device = model.embedding.device
        random = torch.Generator().manual_seed(VALIDATION_SEED)
        states = path(puzzles, random)
        state = as_state(states[torch.randperm(len(states), generator=random)[:4096]]).to(device)
        with torch.no_grad():
            forced = accuracy(Greedy()(model(state), state), state, teacher(state))
        solutions = list(self.solve(model, puzzles.tolist(), max_steps=500, device=str(device)))
        solved = sum(solution.solved for solution in solutions)
        steps = sum(solution.run.time for solution in solutions)
        return forced | {"solved": solved / len(solutions), "steps": steps / len(solutions)}

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[list[int]]]]:
        yield "", generated(num or FRESH_PUZZLES, seed, self.size).tolist()

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        figures = report(solutions, self.size)
        if isinstance(model, Encoder):
            work = model.multiply_adds(self.size.length) * (1 + figures["mean_steps"])
            figures["mean_multiply_adds"] = round(work)
        return figures

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        return compare_sudoku(self, tokens, seed)

    def cautions(self, problem: list[int]) -> list[str]:
        clues, fewest = len(problem) - problem.count(0), FEWEST_CLUES.get(self.board, 0)
        if clues >= fewest:
            return []
        return [f"fewer than {fewest} clues on {self.board}, where the model does not always find an answer"]

    def told(self, problem: list[int]) -> dict[str, Any]:
        return {"puzzle": _written(problem, problem)}

    def record(self, solution: Solution) -> dict[str, Any]:
        """`unique` is false if there are other answers."""
        answer = _written(solution.problem, solution.answer) if solution.solved else None
        told = self.told(solution.problem) | {"status": solution.status, "answer": answer}
        told |= {"unique": False} if has_several_solutions(solution) else {}
        return told | ({"backtracks": backtracks(solution)} if solution.steps else {})

    def row(self, solution: Solution, seconds: float) -> str:
        run = solution.run
        if solution.status == "unsolvable":
            answer = "proved to have no solution"
        elif solution.solved:
            several = "  one of several solutions" if has_several_solutions(solution) else ""
            answer = _written(solution.problem, solution.answer) + several
        else:
            answer = f"no answer; {reason(solution)}stopped: {run.stop}"
        return ROW.format(run.index + 1, solution.status, run.time, backtracks(solution), f"{seconds:.2f}", answer)


def _board(values: list[int]) -> Board:
    return next(board for board in BOARDS.values() if board.cells == len(values))


def _written(problem: list[int], values: list[int]) -> str:
    """In the symbols of the problem."""
    return problem.write(values) if isinstance(problem, Puzzle) else to_text(values)


def _chunk(seed: int, data: SudokuData, step: Step, symmetric: bool, board: str, number: int) -> Drawn:
    """The states of a chunk, and the state that follows each."""
    random = torch.Generator().manual_seed(seed_of(seed, number))
    shares = PLAIN if number < data.plain else MIXED if number < data.plain + data.mixed else HARD
    shares = {"4x4": EASY, "16x16": ROUGH if number < data.plain else LARGE}.get(board, shares)
    ids = drawn_states(CHUNK, random, *_puzzles_and_answers(board), shares, step, symmetric)
    return ids, step(ids)


@lru_cache
def _puzzles_and_answers(board: str) -> tuple[Int[Tensor, "N cells"], Int[Tensor, "N cells"]]:
    puzzles = training_puzzles(BOARDS[board])
    return puzzles, answers_of(puzzles)


task = Sudoku
