"""Correction of errors in sequences that nobody annotated: AP-MDM learns from its own corruptions."""

from collections.abc import Sequence as Seq
from dataclasses import replace
from random import Random

from apmdm.baselines.leave_one_out import LeaveOneOut
from apmdm.baselines.paradigms import ao_mdm, arm, mdm
from apmdm.model.encoder import Shape
from apmdm.objective.batch import Batches
from apmdm.objective.self_supervised import MAX_ERRORS, self_supervised_loss
from apmdm.policy import Correct
from apmdm.recipes.base import Recipe
from apmdm.recipes.comparison import CHUNK, Comparison, Data, Entrant, baselines, within
from apmdm.tasks.words.forms import Words, plain, prompted
from apmdm.train.chunked import seed_of
from apmdm.train.trainer import Settings

HELD_OUT, SPLIT_SEED, MAX_STEPS = 500, 1, 100
TOKENS, BATCH_SIZE = 2_000_000, 64
SHAPE = Shape(width=64, layers=3, heads=4, rotary=True)
TRAINING = Settings(warmup=200, checkpoint_every=1000, precision="auto")
DOUBT = 0.99
"""A mask-only model takes a token back if its probability is below one per cent."""


def compare_words(sequences: Seq[str], tokens: int = TOKENS, seed: int = 0) -> Comparison:
    """0 to MAX_ERRORS random errors in held-out sequences; raises ValueError if there are too few to hold out."""
    if len(sequences) < 2 * HELD_OUT:
        raise ValueError(f"at least {2 * HELD_OUT} different sequences are needed, got {len(sequences)}")
    random = Random(SPLIT_SEED)
    shuffled = random.sample(sequences, len(sequences))
    words = Words(tuple(shuffled[HELD_OUT:]), "".join(sorted(set("".join(sequences)))))
    problems = {
        f"{num} errors": [words.problem(text, num, random) for text in shuffled[:HELD_OUT]]
        for num in range(MAX_ERRORS + 1)
    }
    data, asked = (tokens, BATCH_SIZE, seed), prompted(words)
    _, surest_first = mdm(1)
    by_prompt = baselines(asked, [arm(asked), surest_first, ao_mdm()[-1]], SHAPE, TRAINING, data)
    (mask_only,) = baselines(plain(words), [surest_first], SHAPE, TRAINING, data)
    entrants = [
        *by_prompt,
        replace(mask_only, name="MDM, leave one out", policy=lambda seed: Correct(remask=DOUBT), model=LeaveOneOut),
        Entrant("AP-MDM", _ap_mdm(words, data), words.start, words.verdict, lambda seed: Correct()),
    ]
    longest = 2 * max(map(len, sequences)) + 3 * MAX_ERRORS + 3
    return Comparison(problems, entrants, MAX_STEPS, longest)


def _ap_mdm(words: Words, data: tuple[int, int, int]) -> Recipe:
    tokens, batch_size, seed = data

    def batches(recipe: Recipe) -> Batches:
        return lambda number: words.corrupted(batch_size, Random(seed_of(recipe.seed, number)))

    recipe = Recipe(
        seed=seed,
        shape=SHAPE,
        training=TRAINING,
        vocab=words.vocab,
        batches=batches,
        evaluate=lambda recipe, model: {},
        data=Data("plain", "corruption", batch_size, words.digest),
        objective=self_supervised_loss,
    )
    example = words.corrupted(CHUNK, Random(seed)).state
    return within(tokens, recipe, batch_size * float(example.lengths.float().mean()))
