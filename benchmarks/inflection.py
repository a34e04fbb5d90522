"""Inflection: a trained model on CoNLL-SIGMORPHON 2018, shared task 1, language by language, beside simpler answers.

FOLDER holds files such as german-train-medium, german-dev and german-test, and perhaps baseline.tsv, the accuracy of
the organisers' rules, which learned from the medium part. The memoriser gives the form that training has for the same
lemma and features, otherwise the lemma. Unseen are the problems whose lemma training never has. Training is the part
that `apmdm train inflection` learns from, the high one of some languages, so means are told of these and of the others,
too. To measure weights that were learned from medium parts alone, give a folder without high ones. Each language's
figures are told on stderr.

    python benchmarks/inflection.py FOLDER [LANGUAGE ...] [--weights FOLDER] [--part dev] [--num N]
"""

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import torch

import apmdm
from apmdm.pairs.table import Pair, read_pairs
from apmdm.solution import Solution, calibration_error
from apmdm.tasks.inflection.task import PARTS, Inflection

NAMES = "accuracy", "unseen", "among 5", "memoriser", "copy", "rules"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("languages", nargs="*")
    parser.add_argument("--weights", default="inflection")
    parser.add_argument("--part", default="dev")
    parser.add_argument("--num", type=int, help="the first so many pairs of each language")
    given = parser.parse_args()
    model, began = apmdm.load(given.weights), perf_counter()
    rules, files = baseline(given.folder), Inflection(data=given.folder).files
    found, every = {}, list[Solution]()
    for language in given.languages or model.task.spoken:
        learned, pairs = (read_pairs(path) for path in (files[language], given.folder / f"{language}-{given.part}"))
        problems = [replace(pair, features=f"{language};{pair.features}") for pair in pairs[: given.num]]
        problems.sort(key=lambda pair: len(pair.source))
        solutions = list(model.task.solve(model.encoder, problems))
        found[language] = figures(solutions, learned) | ({"rules": rules[language]} if language in rules else {})
        every += solutions
        print(language, json.dumps(found[language]), file=sys.stderr, flush=True)
    high = {language for language in found if files[language].name.endswith(PARTS[-1])}
    record = {
        "benchmark": "inflection",
        "part": given.part,
        "languages": found,
        "mean": means(list(found.values())),
        "mean of languages with a high part": means([found[language] for language in high]),
        "mean of the others": means([found[language] for language in found.keys() - high]),
        "calibration_error": round(error(every), 4),
        "problems": len(every),
        "parameters": model.encoder.num_parameters(),
        "seconds": round(perf_counter() - began, 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


def figures(solutions: list[Solution], learned: list[Pair]) -> dict[str, Any]:
    """The shares of answers that are right, of the model and of simpler ways to answer."""
    forms = {(pair.source, pair.features): pair.target for pair in learned}
    lemmas = {pair.source for pair in learned}
    problems = [solution.problem for solution in solutions]
    remembered = [forms.get((pair.source, pair.features.partition(";")[2]), pair.source) for pair in problems]
    unseen = [solution.solved for solution in solutions if solution.problem.source not in lemmas]
    among = [one.problem.target in [text for text, _ in one.alternatives[:5]] for one in solutions]
    return {
        "problems": len(problems),
        "accuracy": share([solution.solved for solution in solutions]),
        "unseen": share(unseen) if unseen else None,
        "among 5": share(among),
        "steps": round(mean(solution.run.time for solution in solutions), 2),
        "memoriser": share([form == pair.target for form, pair in zip(remembered, problems, strict=True)]),
        "copy": share([pair.source == pair.target for pair in problems]),
    }


def means(languages: list[dict[str, Any]]) -> dict[str, float]:
    values = {name: [one[name] for one in languages if one.get(name) is not None] for name in NAMES}
    return {name: round(mean(known), 4) for name, known in values.items() if known}


def share(right: list[bool]) -> float:
    return round(sum(right) / len(right), 4)


def error(solutions: list[Solution]) -> float:
    sure = [one.alternatives[0][1] if one.alternatives else 0.0 for one in solutions]
    return calibration_error(sure, [one.solved for one in solutions])


def baseline(folder: Path) -> dict[str, float]:
    path = folder / "baseline.tsv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as file:
        return {row["language"]: float(row["medium"]) for row in csv.DictReader(file, delimiter="\t") if row["medium"]}


if __name__ == "__main__":
    main()
