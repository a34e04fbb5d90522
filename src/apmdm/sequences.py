"""Learning from plain sequences. AP-MDM corrects errors in place; the other paradigms write the right sequence anew.

A problem is a sequence with errors, a tab, and the right sequence. A MASK is written `_` and is filled.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from random import Random

import torch

from apmdm.corrections import Corrector
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder
from apmdm.objective.batch import Batch
from apmdm.objective.correction import correction
from apmdm.objective.self_supervised import MAX_ERRORS, Spot, corrupted, labelled, with_errors
from apmdm.objective.writing import writing
from apmdm.paradigms.comparison import Budget, Comparison, Entrant, baselines, within
from apmdm.paradigms.form import END, Form, Verdict, asked, share_of
from apmdm.paradigms.leave_one_out import LeaveOneOut
from apmdm.paradigms.paradigm import ao_mdm, arm, mdm
from apmdm.policy import Correct
from apmdm.recipe import Recipe
from apmdm.state import Sequence, State
from apmdm.tokenizer import Tokenizer
from apmdm.vocab import MASK, Vocab, spelling

BEGIN, EQUALS = "BEGIN", "EQUALS"
BLANK = "_"
"""How a MASK is written, unless the sequences contain this character."""
HELD_OUT, SPLIT_SEED, MAX_STEPS, DRAWN, SHOWN = 500, 1, 100, 1024, 100
OCCURRING = 2000
"""Tokens drawn from the sequences that stand for all that errors put in."""
DOUBT = 0.99
"""A mask-only model takes a token back if its probability is below one per cent."""


@dataclass(frozen=True)
class CorpusData:
    """digest: tells apart different training sequences. batch_size: sequences in a training step."""

    digest: str
    batch_size: int = 64


@dataclass(frozen=True)
class Characters:
    """Texts as tokens of one character each. Raises ValueError if there are none to learn from."""

    alphabet: str

    positions = 0
    end = ()

    def __post_init__(self) -> None:
        if len(self.alphabet) < 2:
            raise ValueError("sequences to learn from need at least two different characters")

    @cached_property
    def vocab(self) -> Vocab:
        return Vocab.of(BEGIN, EQUALS, END, list(map(spelling, self.alphabet)))

    @cached_property
    def tokens(self) -> list[int]:
        return self.vocab.encode(map(spelling, self.alphabet))

    @property
    def last(self) -> int:
        """The token that a sequence begins with when it is read from its end."""
        return self.vocab.ids[END]

    def encode(self, text: str) -> list[int]:
        """BEGIN and the characters; raises ValueError for one that is not in the alphabet."""
        ids = dict(zip(self.alphabet, self.tokens, strict=True))
        ids.setdefault(BLANK, MASK)
        unknown = next((character for character in text if character not in ids), None)
        if unknown is not None:
            more = f" and {len(self.alphabet) - SHOWN:,} more" if len(self.alphabet) > SHOWN else ""
            known = f"{self.alphabet[:SHOWN]!r}{more}"
            raise ValueError(f"{unknown!r} is in none of the sequences that were learned; known are {known}")
        return [self.vocab.ids[BEGIN], *(ids[character] for character in text)]

    def mirrored(self, tokens: Seq[int]) -> list[int]:
        """A sequence read from its end."""
        return [self.last, *tokens[:0:-1]]

    def corrector(self, model: Encoder) -> Corrector:
        return Corrector(model, self.tokens, self.last)

    def decode(self, tokens: Seq[int]) -> str:
        names = dict(zip(self.tokens, self.alphabet, strict=True))
        return "".join(names.get(token, BLANK) for token in tokens[1:])


@dataclass(frozen=True)
class Corpus:
    """The sequences to learn from, and how they become tokens.

    They are right sequences, or each is a wrong one, a tab, and the right one. Raises ValueError if one is empty.
    """

    sequences: tuple[str, ...]
    code: Characters | Tokenizer

    def __post_init__(self) -> None:
        if not all(self.sequences):
            raise ValueError("a sequence to learn from has at least one character")
        tabs = {text.count("\t") for text in self.sequences}
        if tabs - {0, 1} or len(tabs) > 1:
            raise ValueError(
                "sequences to learn from have no tab, or all of them one, between what is wrong and what is right"
            )

    @property
    def vocab(self) -> Vocab:
        return self.code.vocab

    @cached_property
    def given_wrong(self) -> bool:
        """Whether the sequences show errors themselves."""
        return any("\t" in text for text in self.sequences)

    @property
    def right(self) -> list[str]:
        """The right sequences alone."""
        return [text.rpartition("\t")[2] for text in self.sequences]

    @property
    def digest(self) -> str:
        return sha256("\n".join(self.sequences).encode()).hexdigest()[:12]

    @cached_property
    def wrong(self) -> list[int]:
        """The tokens that errors are drawn from: all characters, or of other tokens as often as they occur."""
        if isinstance(self.code, Characters):
            return self.code.tokens
        occurring = [token for text in self.right for token in self.code.encode(text)[1:]]
        return Random(SPLIT_SEED).sample(occurring, min(OCCURRING, len(occurring)))

    def encode(self, text: str) -> list[int]:
        """The token that sequences begin with, and those of the text, without what follows them."""
        return self.code.encode(text)

    def decode(self, tokens: Seq[int]) -> str:
        return self.code.decode(tokens)

    def with_errors(self, text: str, num: int, random: Random) -> list[int]:
        return [spot.token for spot in with_errors(self.encode(text), num, self.wrong, random)]

    def problem(self, text: str, num: int, random: Random) -> str:
        """A problem: the text with `num` errors, a tab, and the text."""
        return self.decode(self.with_errors(text, num, random)) + "\t" + text

    @property
    def written(self) -> Characters | None:
        """The characters, if a model learns to write right sequences, for a search among them (see corrections).

        Otherwise it learns to correct sequences, with errors that are given or random.
        """
        return self.code if isinstance(self.code, Characters) and not self.given_wrong else None

    def batch(self, num: int, random: Random) -> Batch:
        """A training batch of random sequences: how they are written from either end, or how errors are undone."""
        if self.written is not None:
            texts = [self.encode(text) for text in random.choices(self.sequences, k=num)]
            return writing([self.written.mirrored(text) if random.random() < 0.5 else text for text in texts])
        if self.given_wrong:
            pairs = [text.split("\t") for text in random.choices(self.sequences, k=num)]
            rows = [random.choice(correction(self.encode(wrong), self.encode(right))) for wrong, right in pairs]
            return labelled([[*row, *map(Spot, self.code.end)] for row in rows])
        sequences = [self.encode(text) for text in random.choices(self.sequences, k=num)]
        return corrupted(sequences, self.wrong, random, self.code.end)

    def start(self, problem: str) -> Sequence:
        """The first state; raises ValueError for more tokens than an encoder takes."""
        return Sequence(torch.tensor(self._fitting(problem.partition("\t")[0])))

    def refuse_too_long(self, texts: Iterable[str]) -> None:
        """Raise ValueError unless the encoder can take each of the texts with MAX_ERRORS tokens more."""
        for text in texts if self.code.positions else ():
            for part in text.split("\t"):
                self._fitting(part, MAX_ERRORS)

    def _fitting(self, text: str, spare: int = 0) -> list[int]:
        tokens, most = [*self.encode(text), *self.code.end], self.code.positions
        if most and len(tokens) + spare > most:
            room = f"; {spare} are kept free for errors" if spare else ""
            raise ValueError(f"{text[:SHOWN]!r} has {len(tokens)} tokens; the encoder takes at most {most}{room}")
        return tokens

    def verdict(self, problem: str, final: Sequence) -> Verdict:
        return _verdict(self.encode(problem.partition("\t")[2])[1:], final.ids.tolist()[1:])


def plain(corpus: Corpus) -> Form:
    """Sequences without a prompt, which mask-only models learn from. Problems are corrected in place."""

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        texts = _random(random).choices(corpus.sequences, k=num)
        return asked([corpus.encode("")] * num, [corpus.encode(text)[1:] for text in texts])

    return Form("plain", corpus.vocab, examples, corpus.start, corpus.verdict, corpus.digest)


def prompted(corpus: Corpus) -> Form:
    """The prompt is a sequence with 0 to MAX_ERRORS errors; the answer is the right one, filled up with END."""
    equals, end = corpus.vocab.encode([EQUALS, END])

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        own = _random(random)
        texts = own.choices(corpus.sequences, k=num)
        wrong = [corpus.with_errors(text, own.randint(0, MAX_ERRORS), own) for text in texts]
        answers = [[*corpus.encode(text)[1:]] for text in texts]
        ends = [[end] * (len(before) + MAX_ERRORS - len(after)) for before, after in zip(wrong, answers, strict=True)]
        return asked([[*tokens, equals] for tokens in wrong], [a + b for a, b in zip(answers, ends, strict=True)])

    def start(problem: str) -> Sequence:
        wrong = corpus.encode(problem.partition("\t")[0])
        return Sequence(torch.tensor([*wrong, equals, *[MASK] * (len(wrong) + MAX_ERRORS)]))

    def verdict(problem: str, final: Sequence) -> Verdict:
        wrong, _, right = problem.partition("\t")
        told = [*final.ids.tolist()[len(wrong) + 2 :], end]
        return _verdict(corpus.encode(right)[1:], told[: told.index(end)])

    return Form("prompt", corpus.vocab, examples, start, verdict, corpus.digest)


def _verdict(right: list[int], told: list[int]) -> Verdict:
    return Verdict(told == right, MASK not in told, share_of(right, told))


def _random(random: torch.Generator) -> Random:
    return Random(int(torch.randint(2**62, (), generator=random)))


def compared_on(
    corpus: Corpus, code: Characters, held_out: Seq[str], random: Random, own: Recipe, tokens: int
) -> Comparison:
    """The comparison on held-out sequences with 0 to MAX_ERRORS errors. The other paradigms get these as a prompt."""
    problems = {
        f"{num} errors": [corpus.problem(text, num, random) for text in held_out] for num in range(MAX_ERRORS + 1)
    }
    asked, budget = prompted(corpus), Budget(tokens, own.data.batch_size, own.seed)
    _, surest_first = mdm(1)
    by_prompt = baselines(asked, [arm(asked), surest_first, ao_mdm()[-1]], own.shape, own.training, budget)
    (mask_only,) = baselines(plain(corpus), [surest_first], own.shape, own.training, budget)
    example = corpus.batch(DRAWN, Random(own.seed)).state
    recipe = within(tokens, own, budget.batch_size * float(example.lengths.float().mean()))
    entrants = [
        *by_prompt,
        replace(mask_only, name="MDM, leave one out", policy=lambda seed: Correct(remask=DOUBT), model=LeaveOneOut),
        Entrant("AP-MDM", recipe, corpus.start, corpus.verdict, model=code.corrector, search=Corrector.runs),
    ]
    longest = 2 * max(map(len, (*corpus.sequences, *held_out))) + 3 * MAX_ERRORS + 3
    return Comparison(problems, entrants, MAX_STEPS, longest)
