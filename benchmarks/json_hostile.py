"""Repair of valid, long and hostile JSON: what is valid comes back byte for byte, and nothing hangs or crashes.

    python benchmarks/json_hostile.py FOLDER [--seconds 60]

FOLDER is what json_corpus.py wrote. Its documents, laid out in several ways, are valid; random bytes, random structure
and damaged documents follow, and last single long texts.
"""

import argparse
import json
import resource
from pathlib import Path
from random import Random
from time import perf_counter

import apmdm
from apmdm.text_repair.languages import is_json

VALID = 10_000
UNUSUAL = (
    '{"a": 1, "a": 2}',
    "1e400",
    "[" + "7" * 400 + "]",
    '"\\ud800"',
    "\ufeff[1.10]\r\n",
    "[0.1000000000000000000001]",
)
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    "'",
    "\\",
    '\\"',
    "a",
    "12",
    "null",
    " ",
    "\n",
    "//",
    "/*",
    "*/",
    "...",
    "```",
]
MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    parts = [(given.folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines() for part in ("train", "dev")]
    texts = [json.loads(line)["text"] for part in parts for line in part]
    print(json.dumps({"benchmark": "json_hostile"} | valid(texts) | fuzzed(texts, given.seconds) | long()))


def valid(texts: list[str]) -> dict[str, object]:
    laid_out = [*texts, *UNUSUAL]
    for indent in (None, 1, 2, "\t"):
        laid_out += [json.dumps(json.loads(text), indent=indent, ensure_ascii=indent != 1) for text in texts]
    laid_out = laid_out[:VALID] if len(laid_out) > VALID else laid_out
    return {"valid": len(laid_out), "valid, changed": sum(apmdm.repair(text).text != text for text in laid_out)}


def fuzzed(texts: list[str], seconds: float) -> dict[str, object]:
    random, number, invalid, slowest, began = Random(0), 0, 0, 0.0, perf_counter()
    while perf_counter() - began < seconds:
        number += 1
        match number % 3:
            case 0:
                text = random.randbytes(random.randint(1, 2000)).decode("latin-1")
            case 1:
                text = "".join(random.choices(PIECES, k=random.randint(1, 400)))
            case _:
                text = random.choice(texts)
                for _ in range(random.randint(1, 10)):
                    at = random.randrange(len(text))
                    text = text[:at] + random.choice(PIECES) + text[at + random.randint(0, 3) :]
        start = perf_counter()
        found = apmdm.repair(text, min_probability=0.0)
        slowest = max(slowest, perf_counter() - start)
        invalid += found.text is not None and not is_json(found.text)
    return {"fuzzed": number, "fuzzed, not parsing": invalid, "slowest, seconds": round(slowest, 1)}


def long() -> dict[str, object]:
    rows = [
        {"id": number, "name": f"item {number}", "tags": ["a", "b"], "at": {"x": number / 7, "y": 2}}
        for number in range(12_000)
    ]
    text = json.dumps(rows)
    place = text.index('"item 6000"')
    problems = {
        "1 MB, a quote missing": text[:place] + text[place + 1 :],
        "a million quotes": '"' * MILLION,
        "a million brackets": "[" * MILLION,
        "depth 10,000, cut off": "[" * 10_000,
        "depth 10,000, valid": "[" * 10_000 + "]" * 10_000,
    }
    found = dict[str, object]()
    for name, problem in problems.items():
        began = perf_counter()
        repaired = apmdm.repair(problem, min_probability=0.0).text
        found[name] = {
            "KB": len(problem) >> 10,
            "seconds": round(perf_counter() - began, 1),
            "repaired": repaired is not None,
        }
    found["1 MB, right"] = json.loads(apmdm.repair(problems["1 MB, a quote missing"]).text or "null") == rows
    found["most memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return found


if __name__ == "__main__":
    main()
