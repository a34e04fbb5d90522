"""Repair of broken Python: files of packages with 1 to 3 mistakes each, beside repair of their brackets alone.

    python benchmarks/broken_python.py PACKAGE ... [--num 100] [--brackets]

PACKAGE is an installed package. Files of 300 to 60,000 characters are damaged with a fixed seed, `--num` with 1, 2 and
3 mistakes each. Right is a repair with the syntax tree of the original. Answered is the largest share of the problems,
the surest first, of which 98 % are right. Times are of one thread, in milliseconds for 1,024 characters; the median.
"""

import argparse
import json
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from broken_json import answered
from python_costs import same

from apmdm.solution import calibration_error
from apmdm.text_repair.python_damages import damaged
from apmdm.text_repair.python_tokens import parses, tree_of
from apmdm.text_repair.repair import repair

SEED = 3
SHORTEST, LONGEST = 300, 60_000
MISTAKES = 1, 2, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--num", type=int, default=100)
    parser.add_argument("--brackets", action="store_true", help="measure repair of brackets alone as well")
    given = parser.parse_args()
    texts = [text for name in given.packages for text in files_of(name)]
    print(f"{len(texts)} files", file=sys.stderr)
    found = {}
    for language in ["python", "brackets"][: 1 + given.brackets]:
        for number in MISTAKES:
            found[f"{language}, {number}"] = figures = measured(texts, number, given.num, language)
            print(language, number, json.dumps(figures), file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "broken_python", "packages": given.packages, "num": given.num, "found": found}))


def files_of(package: str) -> list[str]:
    """The modules of an installed package, in order of their paths, without tests."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is no installed package")
    (folder,) = map(Path, spec.submodule_search_locations)
    texts = list[str]()
    for path in sorted(folder.rglob("*.py")):
        if not {"test", "tests", "testing"} & set(path.relative_to(folder).parts):
            text = path.read_text(encoding="utf-8", errors="replace")
            if SHORTEST <= len(text) <= LONGEST and parses(text):
                texts.append(text)
    return texts


def measured(texts: list[str], mistakes: int, num: int, language: str) -> dict[str, Any]:
    random, sure, right, times = Random(SEED), list[float](), list[bool](), list[float]()
    kinds, right_of = Counter[str](), Counter[str]()
    while len(sure) < num:
        text = random.choice(texts)
        problem = damaged(text, mistakes, random)
        if problem is None:
            continue
        broken, names = problem
        began = perf_counter()
        found = repair(broken, language=language, min_probability=0.0)
        times.append((perf_counter() - began) * 1000 / (len(broken) / 1024))
        tree = None if found.text is None else tree_of(found.text)
        sure.append(found.probability)
        right.append(tree is not None and same(tree, tree_of(text)))
        kinds.update(names)
        right_of.update(names if right[-1] else ())
    return {
        "right": round(sum(right) / num, 4),
        "answered": answered(sure, right),
        "calibration error": round(calibration_error(sure, right), 4),
        "milliseconds": round(median(times), 1),
        "kinds": {kind: f"{right_of[kind]} of {kinds[kind]}" for kind in sorted(kinds)},
    }


if __name__ == "__main__":
    main()
