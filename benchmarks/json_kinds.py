"""Repair of one damage of each kind, on documents of packages that nothing was learned from.

    python benchmarks/json_kinds.py FOLDER [KIND ...] [--num 200]

FOLDER is what json_corpus.py wrote; of it dev.jsonl alone is read.
"""

import argparse
import json
import sys
from pathlib import Path
from random import Random

import apmdm
from apmdm.text_repair.damage import damaged
from apmdm.text_repair.json_damages import SHARES

SEED = 2
TRIES = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", nargs="*", default=list(SHARES))
    parser.add_argument("--num", type=int, default=200)
    given = parser.parse_args()
    texts = [json.loads(line)["text"] for line in (given.folder / "dev.jsonl").open(encoding="utf-8")]
    found = {}
    for kind in given.kinds:
        random, right, made = Random(SEED), 0, 0
        for _ in range(TRIES * given.num):
            problem = damaged(random.choice(texts), 1, random, texts, {kind: 1.0})
            if problem is None:
                continue
            made += 1
            text = apmdm.repair(problem.text, min_probability=0.0).text
            right += text is not None and canonical(json.loads(text)) in map(canonical, problem.accepted)
            if made == given.num:
                break
        found[kind] = {"problems": made, "right": round(right / max(made, 1), 4)}
        print(kind, found[kind], file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "json_kinds", "kinds": found}))


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


if __name__ == "__main__":
    main()
