"""Words of two-sided Dyck-k and brackets, generated at random; learned from short sequences that show every window."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import torch

from apmdm.base_task import option
from apmdm.memory import total_memory
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.imitation import imitation_loss
from apmdm.objective.supervised import Objective
from apmdm.paradigms.comparison import Comparison
from apmdm.policy import Stochastic
from apmdm.prediction import Prediction
from apmdm.recipe import Recipe
from apmdm.sampler import Predictor
from apmdm.solution import Certificate, Solution
from apmdm.state import Sequence, State
from apmdm.task import Task
from apmdm.tasks.dyck.certify import LONGEST, certify
from apmdm.tasks.dyck.compare import compare_dyck
from apmdm.tasks.dyck.process import (
    ALPHABETS,
    CUTOFF,
    LANGUAGES,
    MAX_K,
    OUTSIDE,
    REACH,
    VOCAB,
    decode,
    encode,
    process,
)
from apmdm.tasks.dyck.uniform import num_words
from apmdm.tasks.dyck.verify import is_word
from apmdm.tasks.dyck.windows import around, as_state
from apmdm.training.chunked import seed_of
from apmdm.training.progress import share_done
from apmdm.training.trainer import Settings

CERTIFIED, SAMPLES, LENGTH = "k2", 200, 24
PROVED = ["k1", "k2", "k3", "k4", "brackets"]
"""What `certify` proves without options."""
CERTIFIED_BEFORE = [*PROVED, "k5"]
"""For which languages the weights in the package were certified."""
DRAWN, MEASURED, MEASURED_LENGTH, LONGEST_PROBLEM = 10_000, "k2", 8, 64
WORDS_AT_ONCE, TOKENS_AT_ONCE = 512, 2**16
BYTES_A_LETTER = 70_000
"""What a run takes at most, measured for words of 16,384 and 65,536 letters (docs/tasks.md)."""


class WordRequest(NamedTuple):
    """A problem: which language, and how many letters the word is to have."""

    language: str
    length: int


@dataclass(frozen=True)
class DyckData:
    """batch_size: sequences in a training step."""

    batch_size: int = 256

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError("data.batch_size is at least 1")


@dataclass(frozen=True)
class Dyck(Task):
    """Generate words whose letters cancel, or balanced brackets, of an exact length.

    A problem is a language and a length, an answer is a word. One model serves all languages; trained in minutes.
    """

    name = shipped = "dyck"
    problem_form = "a language and an even length, such as k2 40"
    vocab = VOCAB
    redirected = {"run": "dyck-repair"}  # noqa: RUF012

    k: int | None = option(
        None, "Letters, each with an inverse: a A, b B, ...; 2 if left out.", "generate certify", min=1, max=MAX_K
    )
    brackets: bool = option(False, "Words over ()[]{} instead, opened first.", "generate certify")
    length: int = option(64, "Exact length of every word, an even number.", "generate", min=0)

    def encode(self, problem: WordRequest) -> Sequence:
        if problem.length > LONGEST:
            raise ValueError(f"the promise holds for words of up to {LONGEST:,} letters, not {problem.length:,}")
        if problem.length * BYTES_A_LETTER > total_memory():
            raise ValueError(
                f"a word of {problem.length:,} letters takes about {problem.length * BYTES_A_LETTER / 1e9:,.0f} GB of "
                f"memory, and there is room for {total_memory() // BYTES_A_LETTER:,} letters here"
            )
        return encode(*problem)

    def decode(self, final: Sequence) -> str | None:
        return decode(final)

    def parse(self, text: str) -> WordRequest:
        language, _, length = text.partition(" ")
        if not length.strip().isdecimal():
            raise ValueError(f"a problem is {self.problem_form}, not {text!r}")
        request = WordRequest(language, int(length))
        self.encode(request)
        return request

    def problem(self, random: Random) -> WordRequest:
        return WordRequest(random.choice(LANGUAGES), 2 * random.randint(0, LONGEST_PROBLEM // 2))

    def taken(self, problem: Any) -> WordRequest:
        return super().taken(WordRequest(*problem) if isinstance(problem, tuple) else problem)

    def teacher(self, state: State) -> Prediction:
        return process(state)

    def verify(self, problem: WordRequest, answer: str) -> bool:
        return len(answer) == problem.length and is_word(answer)

    def policy(self, seed: int) -> Stochastic:
        return Stochastic(cutoff=CUTOFF, generator=torch.Generator().manual_seed(seed))

    def solve(self, model: Predictor, problems: Iterable[WordRequest], **options: Any) -> Iterator[Solution]:
        wanted = list(problems)
        longest = max((problem.length for problem in wanted), default=0)
        rows = max(1, min(WORDS_AT_ONCE, TOKENS_AT_ONCE // max(1, longest)))
        options = {"batch_size": rows, "max_steps": 1000 + 100 * longest, **options}
        return super().solve(model, wanted, **options)

    def max_length(self, problems: Iterable[WordRequest]) -> int:
        return 1000 + 2 * max((problem.length for problem in problems), default=0)

    @property
    def objective(self) -> Objective:
        return imitation_loss(process)

    def recipe(self) -> Recipe:
        shape = Shape(width=32, layers=REACH, heads=2, attention="window", span=1, rotary=True)
        return Recipe(self, shape, Settings(steps=3000, evaluate_every=1000, warmup=100), DyckData())

    def batches(self, recipe: Recipe) -> Batches:
        rows, num = [torch.tensor(kinds) for kinds in around()], recipe.data.batch_size
        sequences = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=OUTSIDE)
        first, sizes = (torch.tensor([of(numbers) for numbers in ALPHABETS])[:, None] for of in (min, len))

        def batch(number: int) -> Batch:
            random = torch.Generator().manual_seed(seed_of(recipe.seed, number))
            kinds = sequences[torch.randint(len(sequences), (num,), generator=random)]
            language = torch.randint(len(LANGUAGES), (num,), generator=random)
            letters = first[language] + (torch.rand(kinds.shape, generator=random) * sizes[language]).long()
            state = as_state(kinds, letters, language)
            return Batch(state, Stochastic(generator=random)(process(state), state))

        return batch

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        """The share of windows on which the certificate holds, and of samples that are words of the right length."""
        device = model.embedding.device
        proof = certify(model.cpu(), CERTIFIED)
        words = self.solve(model, [WordRequest(CERTIFIED, LENGTH)] * SAMPLES, seed=recipe.seed)
        valid = sum(word.solved for word in words)
        model.to(device)
        return {"certified windows": 1 - proof.failures / proof.windows, "valid words": valid / SAMPLES}

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[WordRequest]]]:
        yield "", [WordRequest(MEASURED, MEASURED_LENGTH)] * (num or DRAWN)

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        """How many words are valid. If all have one length: how many differ, and how far from uniform they are."""
        counts = Counter(solution.answer for solution in solutions if solution.solved)
        valid, wanted = counts.total(), {solution.problem for solution in solutions}
        found: dict[str, Any] = {"words": len(solutions), "valid": valid, "distinct": len(counts)}
        if len(wanted) == 1:
            total = num_words(*wanted.pop())
            divergence = sum(n / valid * math.log(n / valid * total) for n in counts.values())
            found |= {"all words": total, "KL to uniform (nats)": round(divergence, 4)}
        steps = sum(solution.run.time for solution in solutions)
        stops = dict(Counter(solution.run.stop for solution in solutions))
        return found | {"mean_steps": round(steps / len(solutions), 2), "stops": stops}

    def cautions(self, problem: WordRequest) -> list[str]:
        name = problem.language
        if name in CERTIFIED_BEFORE:
            return []
        return [f"{name} is not certified, only each word is verified; `apmdm certify dyck --k {name[1:]}` proves it"]

    def certify(self, model: Encoder) -> Iterator[Certificate]:
        for language in PROVED if self._language is None else [self._language]:
            with share_done(f"certifying {language}") as progress:
                proof = certify(model, language, progress)
            yield proof

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        return compare_dyck(self, tokens, seed)

    @property
    def _language(self) -> str | None:
        """The language that the options ask for, if any."""
        if self.brackets and self.k is not None:
            raise ValueError("--k is a number of letters; --brackets has letters of its own, so give one of the two")
        return "brackets" if self.brackets else f"k{self.k}" if self.k else None

    def prompted(self) -> WordRequest:
        return WordRequest(self._language or "k2", self.length)

    def told(self, problem: WordRequest) -> dict[str, Any]:
        return problem._asdict()

    def record(self, solution: Solution) -> dict[str, Any]:
        return {"word": solution.answer} | self.told(solution.problem)

    def row(self, solution: Solution, seconds: float) -> str:
        return solution.answer or "(the empty word)" if solution.solved else f"no word; stopped: {solution.run.stop}"


task = Dyck
