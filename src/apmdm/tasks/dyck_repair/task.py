"""Repair of broken words and brackets, learned from states of runs on short words."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from apmdm.lines import visible
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.skipping import Skipping
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.imitation import imitation_loss
from apmdm.objective.supervised import Objective
from apmdm.policy import GreedyOrBestSingle, Stochastic
from apmdm.prediction import Prediction
from apmdm.recipe import Recipe
from apmdm.sampler import Predictor
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.task import Task
from apmdm.tasks.dyck.process import ALPHABETS, LANGUAGES, LETTERS
from apmdm.tasks.dyck.task import DyckData
from apmdm.tasks.dyck.uniform import damaged, random_word
from apmdm.tasks.dyck.verify import distance, distance_to_language, is_word
from apmdm.tasks.dyck_repair.process import CUTOFF, DONE_ID, REACH, VOCAB, decode, encode, process
from apmdm.training.chunked import Chunked, seed_of
from apmdm.training.trainer import Settings

WORDS, PER_CHUNK, LONGEST, MOST_ERRORS, SCRIBBLED = 400, 64, 30, 4, 0.25
VALIDATION, LENGTH, VALIDATION_STEPS = 200, 100, 1000
MIX = [*LANGUAGES, *["k1", "k2"] * 3]
"""The languages of training words. Those with few letters come often, since they show windows that others rarely do."""
MEASURED, MEASURED_LENGTH, TESTS = "k2", 100, 1000


class Broken(str):
    """A broken word that remembers the word it was made from."""

    original: str = ""


@dataclass(frozen=True)
class DyckRepair(Task):
    """Edit a broken word, or broken brackets, into one that cancels, with few edits.

    One model serves all languages; trained in minutes.
    """

    name = shipped = "dyck-repair"
    problem_form = "a word of letters and brackets"
    vocab = VOCAB
    batch_size = 256

    def encode(self, problem: str) -> Sequence:
        return encode(problem)

    def decode(self, final: Sequence) -> str | None:
        return decode(final)

    def is_problem(self, text: str) -> bool:
        return set(text) <= set(LETTERS)

    def problem(self, random: Random) -> str:
        """A word with a few errors; some are random letters instead, for which many edits in a row are needed."""
        if random.random() < SCRIBBLED:
            alphabet = random.choice([*ALPHABETS, range(len(LETTERS))])
            return "".join(LETTERS[random.choice(alphabet)] for _ in range(random.randint(1, LONGEST)))
        return broken_word(2 * random.randint(1, LONGEST // 2), random)

    def teacher(self, state: State) -> Prediction:
        return process(state)

    def verify(self, problem: str, answer: str) -> bool:
        return is_word(answer)

    def policy(self, seed: int) -> GreedyOrBestSingle:
        return GreedyOrBestSingle(CUTOFF)

    def decoder(self, model: Predictor, device: str) -> Predictor:
        """Matched letters are hidden from the model, so that the letters around them become neighbours."""
        return Skipping(super().decoder(model, device), DONE_ID)  # pyrefly: ignore[bad-argument-type]

    @property
    def objective(self) -> Objective:
        return imitation_loss(process)

    def recipe(self) -> Recipe:
        shape = Shape(width=64, layers=2, heads=8, attention="window", span=REACH, rotary=True)
        return Recipe(self, shape, Settings(steps=6000, evaluate_every=2000, warmup=100), DyckData(128))

    def batches(self, recipe: Recipe) -> Batches:
        def chunk(number: int) -> list[Sequence]:
            random = Random(seed_of(recipe.seed, number))
            states = self.open_states([self.problem(random) for _ in range(WORDS)])
            random.shuffle(states)
            return sorted(states, key=len)

        def batch(states: list[Sequence], number: int) -> Batch:
            random = torch.Generator().manual_seed(seed_of(recipe.seed, number))
            first = int(torch.randint(len(states), (), generator=random))
            state = State.stack(states[first : first + recipe.data.batch_size])
            return Batch(state, Stochastic(generator=random)(process(state), state))

        return Chunked(chunk, batch, PER_CHUNK)

    def open_states(self, words: Iterable[str]) -> list[Sequence]:
        """The open part of every state of the process's runs, each once, the last states included."""
        done = set(DONE_ID.tolist())
        found = dict[tuple[int, ...], None]()
        for fixed in self.solve(process, words, record=True):
            for tokens in (*(step.tokens for step in fixed.steps), fixed.run.final.ids.tolist()):
                found[tuple(token for token in tokens if token not in done)] = None
        return [Sequence(torch.tensor(tokens)) for tokens in found]

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        """The share of broken words, longer than any trained on, that become valid ones."""
        random = Random(recipe.seed)
        words = [broken_word(LENGTH, random) for _ in range(VALIDATION)]
        solutions = self.solve(model, words, max_steps=VALIDATION_STEPS, device=str(model.embedding.device))
        return {"repaired": sum(solution.solved for solution in solutions) / VALIDATION}

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[Broken]]]:
        """Uniformly random words over two letters, each with 1 to 4 errors."""
        random = Random(seed)
        words = [random_word(MEASURED, MEASURED_LENGTH, random) for _ in range(num or TESTS)]
        yield "", broken(words, MEASURED, random)

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        valid = [solution for solution in solutions if solution.solved]

        def mean(of: Callable[[Solution], int], among: list[Solution]) -> float:
            return round(sum(map(of, among)) / max(1, len(among)), 3)

        known = {}
        if all(isinstance(solution.problem, Broken) for solution in solutions):
            known = {
                "longest": max(len(s.problem.original) for s in solutions),
                "restored": sum(s.answer == s.problem.original for s in valid),
                "mean distance to the original": mean(lambda s: distance(s.problem.original, s.answer), valid),
            }
        return {
            "words": len(solutions),
            "valid": len(valid),
            **known,
            "mean edits": mean(lambda s: distance(s.problem, s.answer), valid),
            "least possible": mean(lambda s: distance_to_language(s.problem), valid),
            "mean_steps": mean(lambda s: s.run.time, solutions),
            "max_steps": max(s.run.time for s in solutions),
            "stops": dict(Counter(s.run.stop for s in solutions)),
        }

    def told(self, problem: str) -> dict[str, Any]:
        return {"broken": problem}

    def record(self, solution: Solution) -> dict[str, Any]:
        edits = distance(solution.problem, solution.answer) if solution.answer is not None else None
        return self.told(solution.problem) | {"word": solution.answer, "edits": edits}

    def row(self, solution: Solution, seconds: float) -> str:
        told = f"no word; stopped: {solution.run.stop}"
        if solution.solved:
            told = f"{visible(solution.answer)}  edits {distance(solution.problem, solution.answer)}"
        return f"{told}  from {solution.problem}"


def broken_word(length: int, random: Random) -> str:
    language = random.choice(MIX)
    return damaged(random_word(language, length, random), random.randint(0, MOST_ERRORS), language, random)


def broken(words: Iterable[str], language: str, random: Random) -> list[Broken]:
    """Each word with 1 to MOST_ERRORS errors."""
    found = []
    for word in words:
        found.append(Broken(damaged(word, random.randint(1, MOST_ERRORS), language, random)))
        found[-1].original = word
    return found


task = DyckRepair
