"""How many edits the repair model makes, by language, length and errors of a word, beside the least possible.

python benchmarks/repair_limits.py [WEIGHTS]
"""

import json
import sys
from random import Random

import apmdm
from apmdm.tasks.dyck.uniform import damaged, random_word
from apmdm.tasks.dyck.verify import distance, distance_to_language

KINDS = [
    ("k2", 20, 1),
    ("k2", 20, 4),
    ("k2", 100, 1),
    ("k2", 100, 4),
    ("k2", 400, 4),
    ("k8", 60, 4),
    ("brackets", 100, 3),
]
WORDS = 100


def measured(model: apmdm.Model, language: str, length: int, errors: int) -> dict[str, object]:
    random = Random(f"{language} {length} {errors}")
    words = [damaged(random_word(language, length, random), errors, language, random) for _ in range(WORDS)]
    solutions = apmdm.generate(model, words, record=False)
    valid = [solution for solution in solutions if solution.solved]
    return {
        "language": language,
        "letters": length,
        "errors": errors,
        "valid": f"{len(valid)} of {WORDS}",
        "edits": round(sum(distance(one.problem, one.answer) for one in valid) / len(valid), 2),
        "least": round(sum(distance_to_language(one.problem) for one in valid) / len(valid), 2),
        "steps": round(sum(one.run.time for one in valid) / len(valid)),
    }


def main() -> None:
    model = apmdm.load(sys.argv[1] if len(sys.argv) > 1 else "dyck-repair")
    rows = []
    for kind in KINDS:
        rows.append(measured(model, *kind))
        print(rows[-1], file=sys.stderr)
    print(json.dumps({"benchmark": "repair_limits", "rows": rows}))


if __name__ == "__main__":
    main()
