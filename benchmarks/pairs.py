"""Inflection, one language alone: AP-MDM learned from pairs, and left-to-right models of equal size on as many tokens.

Each learns from the medium part (1,000 pairs) of CoNLL-SIGMORPHON 2018, shared task 1, and is measured on dev, or on
test only if asked to. FOLDER holds files such as german-train-medium: lemma, form and features between tabs.

    python benchmarks/pairs.py FOLDER [LANGUAGE] [--model NAME] [--tokens N] [--seed N] [--test]

ap-mdm: the recipe of `apmdm train`. Told are one run from the left, one from the right, and the search from both sides.
Means over the words: steps and computed positions of a run from one side, with what is kept of earlier steps.
arm: a causal model of the same shape, relations and random stems, greedy. arm-both: half of its lessons are mirrored,
and of the two greedy answers the one is taken whose probability from both sides is higher.
"""

import argparse
import json
from collections.abc import Sequence as Seq
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

from apmdm import Task
from apmdm.from_pairs import FromPairs
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder
from apmdm.objective.next_token import next_token_loss
from apmdm.objective.supervised import supervised_loss
from apmdm.pairs.alignment import Column
from apmdm.pairs.lessons import Lesson, batches, labelled, lesson
from apmdm.pairs.sequence import END_ID, Code
from apmdm.pairs.table import Pair, read_pairs
from apmdm.pairs.writing import Writer
from apmdm.sampler import Run, rollouts
from apmdm.state import Sequence, State
from apmdm.training.trainer import train

MODELS = "ap-mdm", "arm", "arm-both"
SAMPLED, ROWS, LONGEST = 16, 100, 60
Told = tuple[dict[str, list[str | None]], dict[str, float]]
"""The texts of each way to answer, and what all of them cost."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("language", nargs="?", default="german")
    parser.add_argument("--model", choices=MODELS, default="ap-mdm")
    parser.add_argument("--tokens", type=int, default=4_000_000, help="training tokens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    learned, dev, test = (given.folder / f"{given.language}-{part}" for part in ("train-medium", "dev", "test"))
    task = Task.from_pairs(learned, dev=dev)
    pairs = sorted(read_pairs(test if given.test else dev), key=lambda pair: len(pair.source))
    causal = given.model != "ap-mdm"
    drawn = batches(
        task.code,
        read_pairs(learned),
        given.seed,
        64,
        lesson=arm_lesson if causal else lesson,
        share_mirrored=0.0 if given.model == "arm" else 0.5,
    )
    per_step = sum(int(drawn(number).state.lengths.sum()) for number in range(SAMPLED)) / SAMPLED
    recipe = task.recipe()
    settings = replace(recipe.training, steps=round(given.tokens / per_step), evaluate_every=10**9)
    torch.manual_seed(given.seed)
    model = Encoder(task.vocab, replace(recipe.shape, attention="causal") if causal else recipe.shape)
    began = perf_counter()
    with TemporaryDirectory() as folder:
        objective = next_token_loss if causal else supervised_loss
        outcome = train(model, drawn, lambda model: {}, settings, Path(folder), objective=objective)
    learning, began = perf_counter() - began, perf_counter()
    told, costs = (arm_answers if causal else answers)(outcome.model.eval(), task, pairs, both=given.model != "arm")
    record = {
        "benchmark": "pairs",
        "model": given.model,
        "language": given.language,
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


def answers(model: Encoder, task: FromPairs, pairs: list[Pair], both: bool) -> Told:
    """The texts of one run from each side, and of the search."""
    sides, runs = [], list[Run]()
    for mirrored in (False, True):
        starts = [task.code.encode(pair.source, pair.features, mirrored) for pair in pairs]
        runs = sorted(rollouts(Writer(model), starts, max_steps=200), key=lambda run: run.index)
        sides.append([task.code.decode(pair.source, run.final) for pair, run in zip(pairs, runs, strict=True)])
    began = perf_counter()
    found = list(task.solve(model, pairs))
    costs = {
        "steps": sum(run.time for run in runs),
        "computed": sum(len(run.final) + run.time for run in runs),
        "seconds a word, both": perf_counter() - began,
    }
    texts = [solution.answer for solution in found]
    return dict(zip(("left", "right", "both"), [*sides, texts], strict=True)), costs


def arm_lesson(code: Code, pair: Pair, *, mirrored: bool = False, random: Random | None = None) -> Lesson:
    """The target and END, each token at the next place of the source."""
    whole, _ = lesson(code, Pair(pair.source, "", pair.features), mirrored=mirrored, random=random)
    prompt = len(whole) - len(pair.source) - 2
    target = [*code.target(pair.mirrored() if mirrored else pair), END_ID]
    return written(whole, prompt, target), [*[None] * prompt, *(Column(token, 0) for token in target)]


def written(first: Sequence, prompt: int, tokens: Seq[int]) -> Sequence:
    """The prompt of a first state, and tokens behind it."""
    assert first.coordinates is not None
    place = torch.arange(1, len(tokens) + 1)
    grid = torch.stack((place, place + 1, place - 1), 1)
    ids = torch.cat((first.ids[:prompt], torch.tensor(tokens, dtype=torch.long)))
    return Sequence(ids, torch.cat((first.coordinates[:prompt], grid)))


def arm_answers(model: Encoder, task: FromPairs, pairs: list[Pair], both: bool) -> Told:
    """The texts written greedily from the left, and the more probable of these and of those from the right."""
    began = perf_counter()
    left, costs = arm_texts(model, task.code, pairs, False)
    costs["seconds a word"] = perf_counter() - began
    if not both:
        return {"left": left}, costs
    right, _ = arm_texts(model, task.code, pairs, True)
    scores = [[arm_scores(model, task.code, pairs, texts, side) for side in (False, True)] for texts in (left, right)]
    best = [
        one if scores[0][0][n] + scores[0][1][n] >= scores[1][0][n] + scores[1][1][n] else other
        for n, (one, other) in enumerate(zip(left, right, strict=True))
    ]
    return {"left": left, "right": right, "both": best}, costs


@torch.no_grad()
def arm_texts(
    model: Encoder, code: Code, pairs: list[Pair], mirrored: bool
) -> tuple[list[str | None], dict[str, float]]:
    """The texts, and the steps and the positions that were computed."""
    found, steps, computed = list[str | None](), 0, 0
    for first in range(0, len(pairs), ROWS):
        group, cached = pairs[first : first + ROWS], Cached(model)
        starts = [code.encode(pair.source, pair.features, mirrored) for pair in group]
        prompts = [len(start) - len(pair.source) - 2 for start, pair in zip(starts, group, strict=True)]
        told: list[list[int]] = [[] for _ in group]
        for _ in range(LONGEST):
            state = State.stack([written(*one) for one in zip(starts, prompts, told, strict=True)])
            content = cached(state).content
            following = content[torch.arange(len(group)), state.lengths - 1].argmax(-1).tolist()
            for tokens, token in zip(told, following, strict=True):
                if tokens[-1:] != [END_ID]:
                    tokens.append(token)
            if all(tokens[-1] == END_ID for tokens in told):
                break
        for start, prompt, tokens, pair in zip(starts, prompts, told, group, strict=True):
            ended = tokens[-1] == END_ID
            found.append(code.decode(pair.source, written(start, prompt, tokens[:-1])) if ended else None)
            steps, computed = steps + len(tokens), computed + prompt + len(tokens) - 1
    return found, {"steps": steps, "computed": computed}


@torch.no_grad()
def arm_scores(model: Encoder, code: Code, pairs: list[Pair], texts: Seq[str | None], mirrored: bool) -> list[float]:
    found: list[float] = []
    for first in range(0, len(pairs), ROWS):
        group = [replace(p, target=t or "") for p, t in zip(pairs, texts, strict=True)][first : first + ROWS]
        batch = labelled([arm_lesson(code, pair, mirrored=mirrored) for pair in group])
        logs, following = model(batch.state).content[:, :-1].log_softmax(-1), batch.edits.content[:, 1:]
        found += logs.gather(-1, following[..., None])[..., 0].masked_fill(following == 0, 0.0).sum(1).tolist()
    return [-1e9 if text is None else score for text, score in zip(texts, found, strict=True)]


if __name__ == "__main__":
    main()
