"""The task that Task.from_sequences makes."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Seq
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import exp, log
from random import Random
from typing import Any

import torch

from apmdm.base_task import BaseTask
from apmdm.belief import Belief
from apmdm.corrections import Corrector
from apmdm.finding import Finding
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.pretrained import Pretrained, PretrainedEncoder, read_tokenizer
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.correction import correction
from apmdm.objective.self_supervised import MAX_ERRORS, labelled
from apmdm.objective.supervised import Objective
from apmdm.objective.writing import writing_loss
from apmdm.paradigms.comparison import Comparison
from apmdm.policy import Correct, Policy
from apmdm.processes import WHOLE, Share
from apmdm.recipe import Recipe
from apmdm.sampler import Observation, Predictor, Run, again
from apmdm.sequences import BLANK, HELD_OUT, SPLIT_SEED, Characters, Corpus, CorpusData, compared_on
from apmdm.several_answers import SeveralAnswers
from apmdm.solution import Solution
from apmdm.state import Sequence
from apmdm.tokenizer import Tokenizer
from apmdm.training.chunked import seed_of
from apmdm.training.trainer import Settings
from apmdm.vocab import MASK, Vocab

COMPARED_TOKENS = 2_000_000
BATCH, PASSES, LEAST, MOST = 64, 16, 500, 4000
"""Sequences in a step; how often each is learned from, since a model of few sequences soon knows them by heart; and the
fewest and most steps."""
MOST_FITTED, LEAST_CHANCE = 200, 1e-9
"""Sequences held out that the telling of probabilities is fitted on, and the least chance of what was not tried."""
STEPS, STEPS_A_CHARACTER = 32, 4
"""What a run without a search may take."""


@dataclass(frozen=True, eq=False)
class FromSequences(SeveralAnswers):
    """Correct and complete plain sequences, learned from right ones.

    A problem is a sequence with errors, or with `_` where a character is to be filled in, unless `_` is in a sequence
    learned from. A tab and the right sequence may follow. The tokens of a sequence are its characters, or those of a
    pretrained encoder, and then what is to be filled in is written by the encoder's own name for it, such as [MASK].
    """

    name: str = "sequences"  # pyrefly: ignore[bad-override]
    given: tuple[str, ...] = ()
    characters: str = ""
    training: Settings | None = None
    encoder: str | None = None
    tokenizer: Tokenizer | None = None

    problem_form = "a sequence, such as those that were learned"
    comment = ""
    has_runs = False
    loaded_as = "words"
    usual = Belief(0.0, 0.0, 1.0)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return self.given

    @cached_property
    def _split(self) -> tuple[list[str], list[str], Random]:
        """The sequences that are held out, those that are learned from, and a random generator for what follows."""
        random = Random(SPLIT_SEED)
        shuffled = random.sample(self.texts, len(self.texts))
        held_out = HELD_OUT if len(shuffled) >= 2 * HELD_OUT else len(shuffled) // 4
        return shuffled[:held_out], shuffled[held_out:], random

    @cached_property
    def corpus(self) -> Corpus:
        if not self.texts and not self.characters and not self.tokenizer:
            raise ValueError(f"{self.name} has no sequences to learn from: give a file of them by --data")
        if self.texts and len(self.texts) < 4:
            raise ValueError(f"at least 4 different sequences are needed to learn from, got {len(self.texts)}")
        corpus = Corpus(tuple(self._split[1]), self._code)
        corpus.refuse_too_long(self.texts)
        return corpus

    @property
    def _code(self) -> Characters | Tokenizer:
        if self._pretrained is not None:
            return read_tokenizer(self._pretrained)
        return self.tokenizer or Characters(self.characters or "".join(sorted(set("".join(self.texts)) - {"\t"})))

    @cached_property
    def _pretrained(self) -> Pretrained | None:
        return None if self.encoder is None else Pretrained.of(self.encoder)

    @property
    def vocab(self) -> Vocab:  # pyrefly: ignore[bad-override]
        return self.corpus.vocab

    def encode(self, problem: str) -> Sequence:
        return self.corpus.start(problem)

    def decode(self, final: Sequence) -> str | None:
        tokens = final.ids.tolist()
        return None if MASK in tokens else self.corpus.decode(tokens)

    def question(self, problem: str) -> str:
        return problem.partition("\t")[0]

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        symbols = self.vocab.decode(sequence.ids.tolist())[1 : len(sequence) - len(self.corpus.code.end)]
        return {"kind": "string", "symbols": symbols, "positions": range(1, len(symbols) + 1)}

    def problem(self, random: Random) -> str:
        return self._broken(self._split[1], random)

    def test_problem(self, random: Random) -> str:
        return self._broken(self._split[0], random)

    def _broken(self, texts: list[str], random: Random) -> str:
        if not texts:
            raise ValueError(f"{self.name} has no sequences to draw problems from: give the file by --data")
        text = random.choice(texts)
        return text if "\t" in text else self.corpus.problem(text, random.randint(0, MAX_ERRORS), random)

    def verify(self, problem: str, answer: str) -> bool | None:
        _, known, right = problem.partition("\t")
        return answer == self.corpus.decode(self.corpus.encode(right)) if known else None

    def most_steps(self, problems: Iterable[str]) -> int:
        """Several times what it takes to write everything anew: a model that has learned little never stops."""
        return STEPS + STEPS_A_CHARACTER * max((len(text.partition("\t")[0]) for text in problems), default=0)

    def max_length(self, problems: Iterable[str]) -> int:
        usual = 64 + 8 * max(map(len, problems), default=0)
        return min(usual, self.corpus.code.positions or usual)

    def policy(self, seed: int) -> Policy:
        return Correct()

    def recipe(self) -> Recipe:
        attention = "written" if self.corpus.written else "full"
        shape = self._pretrained or Shape(width=64, layers=3, heads=4, attention=attention, rotary=True)
        passes = PASSES * len(self.corpus.sequences) // BATCH
        steps = min(MOST, max(LEAST, passes)) if self.corpus.written else MOST
        usual = Settings(steps=steps, warmup=200, precision="auto")
        fine = Settings(steps=1000, matrix_rate=1e-4, other_rate=1e-3, average=0.99, precision="auto")
        training = self.training or (usual if self._pretrained is None else fine)
        return Recipe(self, shape, training, CorpusData(self.corpus.digest, BATCH if self._pretrained is None else 16))

    def batches(self, recipe: Recipe) -> Batches:
        data, attention = recipe.data, getattr(recipe.shape, "attention", "full")
        if self.corpus.written and attention != "written":
            told = "plain sequences are learned with shape.attention=written"
            raise ValueError(f"{told}, not {attention}; a run with another one cannot be resumed")
        return lambda number: self.corpus.batch(data.batch_size, Random(seed_of(recipe.seed, number)))

    @property
    def objective(self) -> Objective:
        return writing_loss if self.corpus.written else super().objective

    def initialise(self, model: Encoder) -> None:
        """A pretrained encoder's new content head begins with how often each token occurs."""
        if isinstance(model, PretrainedEncoder):
            occurring = torch.tensor([token for text in self.corpus.right for token in self.corpus.encode(text)[1:]])
            counts = 1 + occurring.bincount(minlength=len(model.vocab))
            model.bias.data.copy_((counts / counts.sum()).log())

    def learned_from(self) -> str:
        held_out, learned, _ = self._split
        errors = f"with {'given' if self.corpus.given_wrong else 'random'} errors"
        how = "written from either end" if self.corpus.written else errors
        what = f"{len(learned):,} sequences (digest {self.corpus.digest}), {how}"
        return f"{what}. {len(held_out):,} others are held out to measure on."

    def solve(
        self,
        model: Predictor,
        problems: Iterable[str],
        *,
        max_steps: int | None = None,
        on_step: Callable[[Observation], Any] | None = None,
        record: bool = False,
        device: str = "cpu",
        share: Share = WHOLE,
        **options: Any,
    ) -> Iterator[Solution]:
        """Take the most probable outcome of a search if the model writes sequences. Its run is watched afterwards."""
        decoder = self.decoder(model, device)
        if not isinstance(decoder, Corrector):
            options |= {"max_steps": max_steps, "on_step": on_step}
            yield from super().solve(model, problems, record=record, device=device, share=share, **options)
            return
        shown = on_step is not None or max_steps is not None
        own = [(index, problem) for index, problem in enumerate(problems) if share.has(index)]
        found = decoder.runs((self.encode(problem) for _, problem in own), record=record or shown, device=device)
        for (index, problem), runs in zip(own, found, strict=True):
            best = replace(runs[0], index=index)
            if shown:
                best = again(best, self.encode(problem), max_steps, on_step)
            told = self._scored(runs)
            chances = self.chances([score for _, score in told])
            answers = tuple((text, chance) for (text, _), chance in zip(told[:-1], chances, strict=False))
            yield Solution(problem, *self.judge(problem, best), best, answers)

    def _scored(self, runs: list[Run]) -> list[tuple[str | None, float]]:
        """The answers with their scores, and the score of all that was only thought of."""
        rest = max(1 - sum(exp(run.log_probability) for run in runs), LEAST_CHANCE)
        return [*((self.decode(run.final), run.log_probability) for run in runs), (None, log(rest))]

    def fitted_on(self) -> list[str]:
        random, held_out = Random(SPLIT_SEED), self._split[0] if self.corpus.written else []
        return [self._broken([text], random) for text in held_out[:MOST_FITTED]]

    def scored(self, model: Encoder, problems: list[str]) -> Iterator[list[tuple[str | None, float]]]:
        code, device = self.corpus.written, str(model.embedding.device)
        assert code is not None
        yield from map(self._scored, code.corrector(model).runs(map(self.encode, problems), device=device))

    def decoder(self, model: Predictor, device: str) -> Predictor:
        code = self.corpus.written
        if code is None or not isinstance(model, Encoder) or model.shape.attention != "written":
            return super().decoder(model, device)
        return code.corrector(model)

    @property
    def _blank_is_learned(self) -> bool:
        code = self.corpus.code
        return isinstance(code, Characters) and BLANK in code.alphabet

    def notes(self) -> list[str]:
        num = sum(BLANK in text for text in self.texts)
        found = f"{BLANK} is in {num} of {len(self.texts)} sequences, so it is learned as a character and marks no gap"
        return [found] if self._blank_is_learned else []

    def cautions(self, problem: str) -> list[str]:
        marked = self._blank_is_learned and BLANK in problem.partition("\t")[0]
        return [f"{BLANK} is a character of the sequences learned from, so it marks no gap"] if marked else []

    def examined(self, problems: Seq[str]) -> tuple[list[Finding], list[str]]:
        remedy = f"nothing, or write another character for {BLANK} in the sequences"
        return [Finding(note, remedy, False) for note in self.notes()], list(problems)

    def paths(self, problems: Seq[str]) -> Iterator[Batch]:
        """The right sequences with random errors, labelled with the edits that undo these."""
        right = tuple(problem if self.corpus.given_wrong else problem.partition("\t")[2] for problem in problems)
        random = Random(0)
        if self.corpus.written is None:
            yield replace(self.corpus, sequences=right).batch(len(right), random)
            return
        wrong = [self.corpus.with_errors(text, random.randint(0, MAX_ERRORS), random) for text in right]
        whole = zip(wrong, map(self.corpus.encode, right), strict=True)
        yield labelled([row for before, after in whole for row in correction(before, after)])

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        code = self.corpus.written
        if code is None:
            raise ValueError("a comparison is between models that learn from right sequences alone, and from nothing")
        if len(self.texts) < 2 * HELD_OUT:
            found = f"at least {2 * HELD_OUT} different sequences are needed, got {len(self.texts)}"
            raise ValueError(f"{found}; give a file of them by --data")
        held_out, _, random = self._split
        own = replace(self.recipe(), seed=seed)
        return compared_on(self.corpus, code, held_out, copy(random), own, tokens or COMPARED_TOKENS)

    def saved(self) -> dict[str, Any]:
        code = self.corpus.code
        if isinstance(code, Characters):
            return {"characters": code.alphabet, "odds": asdict(self.belief or self.usual)}
        return {"tokenizer": code.whole, "mask": code.mask, "pad": code.pad, "positions": code.positions}

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> BaseTask:
        tokenizer = None
        if "tokenizer" in saved:
            tokenizer = Tokenizer(*(saved[name] for name in ("tokenizer", "mask", "pad", "positions")))
        belief = Belief(**saved["odds"]) if "odds" in saved else None
        characters = saved.get("characters", "")
        known = replace(self, characters=characters, encoder=None, tokenizer=tokenizer, belief=belief)
        return super(FromSequences, known).restored(vocab, saved)

    def described(self) -> dict[str, Any]:
        return {}

    def told(self, problem: str) -> dict[str, Any]:
        return {"sequence": problem.partition("\t")[0]}
