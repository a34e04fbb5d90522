"""Inflection as pairs: lemma and features to form, one language of CoNLL-SIGMORPHON 2018, shared task 1.

Learned from the medium part (1,000 pairs) and measured on dev, in free-running rollouts; on test only if asked to.
FOLDER holds files such as german-train-medium: lemma, form and features between tabs.

    python benchmarks/pairs.py FOLDER [LANGUAGE] [--steps N] [--test]     german, the recipe's own steps if left out
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

from apmdm import Task
from apmdm.fit import Fitting
from apmdm.pairs.table import read_pairs

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("language", nargs="?", default="german")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    train, dev, test = (given.folder / f"{given.language}-{part}" for part in ("train-medium", "dev", "test"))
    task = Task.from_pairs(train, dev=dev)
    recipe = task.recipe()
    recipe = replace(recipe, training=replace(recipe.training, steps=given.steps or recipe.training.steps))
    began = perf_counter()
    with TemporaryDirectory() as folder:
        fitting = Fitting(recipe, Path(folder), DEVICE, say=lambda text: print(text, file=sys.stderr), validated=False)
        outcome = fitting.begin()
    seconds = perf_counter() - began
    found = task.evaluate(outcome.model.eval(), read_pairs(test if given.test else dev), device=DEVICE)
    record = {
        "benchmark": "pairs",
        "language": given.language,
        "part": "test" if given.test else "dev",
        **{name: found[name] for name in ("problems", "right", "accuracy", "mean_steps", "stops", "parameters")},
        "training_steps": outcome.step,
        "training_seconds": round(seconds, 1),
        "seconds": found["seconds"],
        "device": DEVICE,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
