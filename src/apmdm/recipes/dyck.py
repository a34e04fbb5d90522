"""Two-sided Dyck-k and brackets from short sequences that show every window; each of two layers looks one token on."""

from dataclasses import dataclass

import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.imitation import imitation_loss
from apmdm.policy import Stochastic
from apmdm.recipes.base import Recipe
from apmdm.tasks.dyck.certify import certify
from apmdm.tasks.dyck.process import ALPHABETS, LANGUAGES, OUTSIDE, REACH, VOCAB, process
from apmdm.tasks.dyck.windows import around, as_state
from apmdm.tasks.dyck.words import draw
from apmdm.train.chunked import seed_of
from apmdm.train.trainer import Settings

CERTIFIED, SAMPLES, LENGTH = "k2", 200, 24


@dataclass(frozen=True)
class Data:
    """batch_size: sequences a step."""

    batch_size: int = 256

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError("data.batch_size is at least 1")


def dyck() -> Recipe:
    """Minutes on a CPU; one model for every language."""
    return Recipe(
        seed=0,
        shape=Shape(width=32, layers=REACH, heads=2, attention="window", span=1, rotary=True),
        training=Settings(steps=3000, evaluate_every=1000, warmup=100),
        vocab=VOCAB,
        batches=_batches,
        evaluate=_evaluate,
        objective=imitation_loss(process),
        data=Data(),
    )


def _batches(recipe: Recipe) -> Batches:
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


def _evaluate(recipe: Recipe, model: Encoder) -> dict[str, float]:
    """The share of windows on which the certificate holds, and of samples that are words of the right length."""
    device = next(model.parameters()).device
    proof = certify(model.cpu(), CERTIFIED)
    valid = sum(word.valid for word in draw(model, CERTIFIED, LENGTH, SAMPLES, recipe.seed))
    model.to(device)
    return {"certified windows": 1 - proof.failures / proof.windows, "valid words": valid / SAMPLES}
