"""What each part of repair of JSON gives.

    python benchmarks/json_ablation.py FOLDER [--num 600] [--short 0]

FOLDER is what json_corpus.py wrote; of it dev.jsonl alone is read, packages that nothing was learned from. Right is how
often the best repair has a value that counts as right, found how often one of all that were found has. Times are of one
thread, in milliseconds for 1,024 characters; the mean.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from json_problems import broken

from apmdm.text_repair import ranking, structure
from apmdm.text_repair.costs import PRIOR, read
from apmdm.text_repair.damage import Damaged
from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.ranking import Candidate
from apmdm.text_repair.repair import distinct
from apmdm.text_repair.search import cheapest
from apmdm.text_repair.tokens import tokens_of

SEED = 1
HAND = {kind: list(costs) for kind, costs in PRIOR.items()}
LEARNED = read()["costs"]
Ranked = list[tuple[float, Candidate]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=600)
    parser.add_argument("--short", type=float, default=0.0, help="the share of snippets among the problems")
    given = parser.parse_args()
    documents = [json.loads(line) for line in (given.folder / "dev.jsonl").open(encoding="utf-8")]
    problems = [problem for _, problem in broken(documents, given.num, SEED, given.short)]
    found = {}
    for name, way in WAYS.items():
        found[name] = measured(problems, way)
        print(name, found[name], flush=True)
    print(json.dumps({"benchmark": "json_ablation", "problems": given.num, "ways": found}))


def by_cost(text: str, grammar: Json) -> Ranked:
    """The repairs found, by the costs of the edits alone."""
    return [(each.share, each) for each in distinct(text, cheapest(grammar))]


def compared(text: str, grammar: Json) -> Ranked:
    """The repairs found, whole repairs beside each other."""
    found = distinct(text, cheapest(grammar))
    return list(zip(ranking.compared(text, found), found, strict=True))


def twice(text: str) -> Ranked:
    """Repaired, and once more with the kinds of values that keys have in the first repair."""
    grammar = Json(tokens_of(text))
    draft = max(compared(text, grammar), key=_share, default=None)
    if draft is not None:
        grammar.usual = structure.usual_kinds(tokens_of(draft[1].text))
    return compared(text, grammar)


def _share(pair: tuple[float, Candidate]) -> float:
    return pair[0]


WAYS: dict[str, Callable[[str], Ranked]] = {
    "costs set by hand": lambda text: by_cost(text, Json(tokens_of(text), HAND, {})),
    "costs learned": lambda text: by_cost(text, Json(tokens_of(text), LEARNED, {})),
    "and the structure of documents": lambda text: by_cost(text, Json(tokens_of(text))),
    "and whole repairs compared": lambda text: compared(text, Json(tokens_of(text))),
    "the same, nothing folded": lambda text: compared(text, Json(tokens_of(text), fold=False)),
    "the same, repaired twice": twice,
}


def measured(problems: list[Damaged], way: Callable[[str], Ranked]) -> dict[str, float]:
    right = among = 0
    began = process_time()
    answers = [way(problem.text) for problem in problems]
    spent = process_time() - began
    for problem, ranked in zip(problems, answers, strict=True):
        accepted = {_canonical(value) for value in problem.accepted}
        good = [_canonical(json.loads(each.text)) in accepted for _, each in sorted(ranked, key=_share, reverse=True)]
        right += good[:1] == [True]
        among += any(good)
    size = sum(len(problem.text) for problem in problems) / 1024
    return {
        "right": round(right / len(problems), 4),
        "found": round(among / len(problems), 4),
        "ms/KB": round(1e3 * spent / size, 1),
    }


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


if __name__ == "__main__":
    main()
