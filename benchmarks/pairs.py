"""Inflection, one language alone: AP-MDM learned from pairs, and other models of equal size on as many tokens.

Each learns from a part of CoNLL-SIGMORPHON 2018, shared task 1: low, medium or high (100, 1,000 or 10,000 pairs). It is
measured on dev, or on test only if asked to. FOLDER holds files such as german-train-medium: lemma, form and features
between tabs.

    python benchmarks/pairs.py FOLDER [LANGUAGE] [--part PART] [--model NAME] [--tokens N] [--seed N] [--test]

ap-mdm: the recipe of `apmdm train`. Told are one run from the left, one from the right, and the search from both sides.
Means over the words: steps and computed positions of a run from one side, with what is kept of earlier steps.
insertion: the same without the source's places. The copy begins as one MASK, and each that is written inserts the next.
arm: a causal model of the same shape, relations and random stems, greedy. arm-both: half of its lessons are mirrored,
and of the two greedy answers the one is taken whose probability from both sides is higher.
ao-mdm: masked diffusion in any order, the surest MASK first, on a canvas with room for 12 characters more than the
source has. It is filled up with END.
"""

import argparse
import json
from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal

import torch

from apmdm import Task
from apmdm.edits import Edits
from apmdm.from_pairs import FromPairs
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.masked import masked_loss, some_masked
from apmdm.objective.next_token import next_token_loss
from apmdm.objective.supervised import Objective, supervised_loss
from apmdm.pairs.alignment import Column
from apmdm.pairs.lessons import Lesson, Teaching, batches, labelled, lesson
from apmdm.pairs.sequence import END_ID, Code
from apmdm.pairs.table import Pair, read_pairs
from apmdm.pairs.writing import Writer
from apmdm.policy import Unmask
from apmdm.sampler import Predictor, rollouts
from apmdm.state import Sequence, State
from apmdm.training.chunked import seed_of
from apmdm.training.trainer import train
from apmdm.vocab import MASK, PAD

PARTS = "low", "medium", "high"
SAMPLED, ROWS, LONGEST, ROOM = 16, 100, 60, 12
Texts = list[str | None]
Told = tuple[dict[str, Texts], dict[str, float]]
"""The texts of each way to answer, and what all of them cost."""


@dataclass(frozen=True)
class Kind:
    """How a model learns and answers. mirrored: half of its lessons are. hidden: shares of the targets are."""

    attention: Literal["written", "causal", "full"]
    lesson: Teaching
    objective: Objective
    answers: Callable[[Encoder, FromPairs, list[Pair]], Told]
    mirrored: bool = False
    hidden: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("language", nargs="?", default="german")
    parser.add_argument("--part", choices=PARTS, default="medium", help="the pairs to learn from")
    parser.add_argument("--model", choices=KINDS, default="ap-mdm")
    parser.add_argument("--tokens", type=int, default=4_000_000, help="training tokens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    learned, dev, test = (given.folder / f"{given.language}-{part}" for part in (f"train-{given.part}", "dev", "test"))
    task = Task.from_pairs(learned, dev=dev)
    pairs = sorted(read_pairs(test if given.test else dev), key=lambda pair: len(pair.source))
    kind, recipe = KINDS[given.model], task.recipe()
    drawn = batches(
        task.code,
        read_pairs(learned),
        given.seed,
        64,
        lesson=kind.lesson,
        share_varied=recipe.data.varied,
        share_mirrored=0.5 if kind.mirrored else 0.0,
    )
    per_step = sum(int(drawn(number).state.lengths.sum()) for number in range(SAMPLED)) / SAMPLED
    settings = replace(recipe.training, steps=round(given.tokens / per_step), evaluate_every=10**9)
    torch.manual_seed(given.seed)
    model = Encoder(task.vocab, replace(recipe.shape, attention=kind.attention))
    began = perf_counter()
    with TemporaryDirectory() as folder:
        shown = masked(drawn, given.seed) if kind.hidden else drawn
        outcome = train(model, shown, lambda model: {}, settings, Path(folder), objective=kind.objective)
    learning, began = perf_counter() - began, perf_counter()
    told, costs = kind.answers(outcome.model.eval(), task, pairs)
    record = {
        "benchmark": "pairs",
        "model": given.model,
        "language": given.language,
        "learned from": given.part,
        "part": "test" if given.test else "dev",
        "problems": len(pairs),
        **{f"accuracy {name}": share(found, pairs) for name, found in told.items()},
        **{name: round(cost / len(pairs), 4) for name, cost in costs.items()},
        "parameters": model.num_parameters(),
        "training_steps": settings.steps,
        "training_tokens": given.tokens,
        "seed": given.seed,
        "training_seconds": round(learning, 1),
        "seconds": round(perf_counter() - began, 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


def share(found: Seq[str | None], pairs: Seq[Pair]) -> float:
    return round(sum(text == pair.target for text, pair in zip(found, pairs, strict=True)) / len(pairs), 4)


def answers(model: Encoder, task: FromPairs, pairs: list[Pair]) -> Told:
    """The texts of one run from each side, and of the search."""
    left, _ = run_texts(Writer(model), task.code, pairs, [task.encode(pair) for pair in pairs])
    mirrored = [task.code.encode(pair.source, pair.features, True) for pair in pairs]
    right, costs = run_texts(Writer(model), task.code, pairs, mirrored)
    began = perf_counter()
    both = [solution.answer for solution in task.solve(model, pairs)]
    return {"left": left, "right": right, "both": both}, costs | {"seconds a word, both": perf_counter() - began}


def run_texts(model: Predictor, code: Code, pairs: list[Pair], starts: Seq[Sequence]) -> tuple[Texts, dict[str, float]]:
    """The texts of greedy runs, and the steps and the positions that were computed."""
    runs = sorted(rollouts(model, starts, max_steps=200), key=lambda run: run.index)
    texts = [code.decode(pair.source, run.final) for pair, run in zip(pairs, runs, strict=True)]
    return texts, {"steps": sum(run.time for run in runs), "computed": sum(len(run.final) + run.time for run in runs)}


def prompted(code: Code, pair: Pair, *, mirrored: bool = False, random: Random | None = None) -> tuple[Sequence, int]:
    """The first state of a pair, and how many of its tokens are the prompt."""
    whole, _ = lesson(code, Pair(pair.source, "", pair.features), mirrored=mirrored, random=random)
    return whole, len(whole) - len(pair.source) - 2


def followed(first: Sequence, prompt: int, tokens: Seq[int], places: Seq[int] | None = None) -> Sequence:
    """The prompt of a first state, and tokens behind it, which belong to places 1, 2, ... or to others."""
    assert first.coordinates is not None
    place = torch.tensor(range(1, len(tokens) + 1) if places is None else places, dtype=torch.long)
    grid = torch.stack((place, place + 1, place - 1), 1)
    ids = torch.cat((first.ids[:prompt], torch.tensor(tokens, dtype=torch.long)))
    return Sequence(ids, torch.cat((first.coordinates[:prompt], grid)))


def insertion_lesson(code: Code, pair: Pair, *, mirrored: bool = False, random: Random | None = None) -> Lesson:
    """In front of every token of the target the MASK that it is written at, and at last one that is deleted."""
    first, prompt = prompted(code, pair, mirrored=mirrored, random=random)
    tokens, wanted = list[int](), list[Column | None]()
    for token in code.target(pair.mirrored() if mirrored else pair):
        tokens += MASK, token
        wanted += Column(token, 0, True), None
    every = [*tokens, MASK]
    return followed(first, prompt, every, [0] * len(every)), [*[None] * prompt, *wanted, Column(None, 0)]


def insertion_answers(model: Encoder, task: FromPairs, pairs: list[Pair]) -> Told:
    starts = [followed(*prompted(task.code, pair), [MASK], [0]) for pair in pairs]
    left, costs = run_texts(Writer(model), task.code, pairs, starts)
    return {"left": left}, costs


def arm_lesson(
    code: Code, pair: Pair, *, mirrored: bool = False, random: Random | None = None, length: int = 0
) -> Lesson:
    """The target and END, each token at the next place of the source. More END follow up to a length."""
    first, prompt = prompted(code, pair, mirrored=mirrored, random=random)
    target = code.target(pair.mirrored() if mirrored else pair)
    target += [END_ID] * max(1, length - len(target))
    return followed(first, prompt, target), [*[None] * prompt, *(Column(token, 0) for token in target)]


def canvas_lesson(code: Code, pair: Pair, *, mirrored: bool = False, random: Random | None = None) -> Lesson:
    return arm_lesson(code, pair, mirrored=mirrored, random=random, length=len(pair.source) + ROOM)


def masked(drawn: Batches, seed: int) -> Batches:
    """Lessons with a random share of the target hidden."""

    def batch(number: int) -> Batch:
        whole = drawn(number)
        ids = whole.state.ids.where(whole.edits.content == PAD, MASK)
        state = State(ids, whole.state.lengths, whole.state.coordinates)
        random = torch.Generator().manual_seed(seed_of(seed, number))
        return some_masked(state, Edits.of(whole.edits.content), random)

    return batch


def any_order_answers(model: Encoder, task: FromPairs, pairs: list[Pair]) -> Told:
    code, prompts = task.code, [prompted(task.code, pair) for pair in pairs]
    starts = [
        followed(*prompt, [MASK] * (len(pair.source) + ROOM)) for prompt, pair in zip(prompts, pairs, strict=True)
    ]
    runs = sorted(rollouts(model, starts, Unmask("confidence")), key=lambda run: run.index)
    texts = [
        ended(code, pair, *prompt, run.final.ids[prompt[1] :].tolist())
        for pair, prompt, run in zip(pairs, prompts, runs, strict=True)
    ]
    return {"any order": texts}, {"steps": sum(run.time for run in runs), "computed": sum(run.work for run in runs)}


def ended(code: Code, pair: Pair, first: Sequence, prompt: int, tokens: list[int]) -> str | None:
    """The text that ends at END."""
    if END_ID not in tokens:
        return None
    return code.decode(pair.source, followed(first, prompt, tokens[: tokens.index(END_ID)]))


def arm_answers(model: Encoder, task: FromPairs, pairs: list[Pair]) -> Told:
    """The texts written greedily from the left."""
    began = perf_counter()
    left, costs = arm_texts(model, task.code, pairs, False)
    return {"left": left}, costs | {"seconds a word": perf_counter() - began}


def arm_both_answers(model: Encoder, task: FromPairs, pairs: list[Pair]) -> Told:
    """The more probable ones of the texts written from the left and from the right."""
    (left, costs), (right, _) = (arm_texts(model, task.code, pairs, mirrored) for mirrored in (False, True))
    scores = [[arm_scores(model, task.code, pairs, texts, side) for side in (False, True)] for texts in (left, right)]
    both = [
        one if scores[0][0][n] + scores[0][1][n] >= scores[1][0][n] + scores[1][1][n] else other
        for n, (one, other) in enumerate(zip(left, right, strict=True))
    ]
    return {"left": left, "right": right, "both": both}, costs


@torch.no_grad()
def arm_texts(model: Encoder, code: Code, pairs: list[Pair], mirrored: bool) -> tuple[Texts, dict[str, float]]:
    """The texts, and the steps and the positions that were computed."""
    found, steps, computed = Texts(), 0, 0
    for first in range(0, len(pairs), ROWS):
        group, cached = pairs[first : first + ROWS], Cached(model)
        prompts = [prompted(code, pair, mirrored=mirrored) for pair in group]
        told: list[list[int]] = [[] for _ in group]
        for _ in range(LONGEST):
            state = State.stack([followed(*prompt, tokens) for prompt, tokens in zip(prompts, told, strict=True)])
            content = cached(state).content
            following = content[torch.arange(len(group)), state.lengths - 1].argmax(-1).tolist()
            for tokens, token in zip(told, following, strict=True):
                if tokens[-1:] != [END_ID]:
                    tokens.append(token)
            if all(tokens[-1] == END_ID for tokens in told):
                break
        found += [ended(code, pair, *prompt, tokens) for pair, prompt, tokens in zip(group, prompts, told, strict=True)]
        steps += sum(map(len, told))
        computed += sum(length + len(tokens) - 1 for (_, length), tokens in zip(prompts, told, strict=True))
    return found, {"steps": steps, "computed": computed}


@torch.no_grad()
def arm_scores(model: Encoder, code: Code, pairs: list[Pair], texts: Texts, mirrored: bool) -> list[float]:
    found: list[float] = []
    for first in range(0, len(pairs), ROWS):
        group = [replace(p, target=t or "") for p, t in zip(pairs, texts, strict=True)][first : first + ROWS]
        batch = labelled([arm_lesson(code, pair, mirrored=mirrored) for pair in group])
        logs, following = model(batch.state).content[:, :-1].log_softmax(-1), batch.edits.content[:, 1:]
        found += logs.gather(-1, following[..., None])[..., 0].masked_fill(following == 0, 0.0).sum(1).tolist()
    return [-1e9 if text is None else score for text, score in zip(texts, found, strict=True)]


KINDS = {
    "ap-mdm": Kind("written", lesson, supervised_loss, answers, mirrored=True),
    "insertion": Kind("written", insertion_lesson, supervised_loss, insertion_answers),
    "arm": Kind("causal", arm_lesson, next_token_loss, arm_answers),
    "arm-both": Kind("causal", arm_lesson, next_token_loss, arm_both_answers, mirrored=True),
    "ao-mdm": Kind("full", canvas_lesson, masked_loss, any_order_answers, hidden=True),
}

if __name__ == "__main__":
    main()
