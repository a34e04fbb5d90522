"""Repair of broken JSON beside other tools, in one run.

    python benchmarks/broken_json.py FILE.jsonl ... [--node FOLDER]

Each line of a file has `input`, the broken text, `accepted`, the values that count as right, and `kinds`, what is wrong
with it. Other tools are measured if they are installed: json-repair, jsonmend and fast-json-repair from PyPI, and the
npm package jsonrepair in FOLDER/node_modules. Wrong are answers that parse and are not right; ours are given whatever
their probability. Times are of one thread, in milliseconds for 1,024 characters; the median. Answered is the largest
share of the problems, the surest first, of which 98 % are right.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import apmdm
from apmdm.solution import calibration_error

NODE = """
const { jsonrepair } = require('jsonrepair')
const out = JSON.parse(require('fs').readFileSync(0)).map(text => {
  const began = process.hrtime.bigint()
  let fixed = null
  try { fixed = jsonrepair(text) } catch { }
  return [fixed, Number(process.hrtime.bigint() - began) / 1e9]
})
console.log(JSON.stringify(out))
"""
PRECISION = 0.98


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--node", type=Path, help="a folder with node_modules/jsonrepair")
    given = parser.parse_args()
    found = {}
    for path in given.files:
        problems = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found[path.name] = {"apmdm": ours(problems)}
        for name, fix in others().items():
            found[path.name][name] = measured(problems, [timed(fix, problem["input"]) for problem in problems])
        if given.node:
            found[path.name]["jsonrepair (npm)"] = measured(problems, by_node(problems, given.node))
        for name, figures in found[path.name].items():
            print(path.name, name, json.dumps(figures), file=sys.stderr)
    print(json.dumps({"benchmark": "broken_json", "files": found}))


def ours(problems: list[dict[str, Any]]) -> dict[str, Any]:
    sure, answers = list[float](), list[tuple[str | None, float]]()
    for problem in problems:
        began = perf_counter()
        found = apmdm.repair(problem["input"], min_probability=0.0)
        answers.append((found.text, perf_counter() - began))
        sure.append(found.probability)
    right = [is_right(text, problem) for (text, _), problem in zip(answers, problems, strict=True)]
    return measured(problems, answers) | {
        "calibration error": round(calibration_error(sure, right), 4),
        "answered": answered(sure, right),
    }


def answered(sure: list[float], right: list[bool]) -> float:
    """The largest share of the problems, the surest first, of which PRECISION are right."""
    correct, most = 0, 0
    for number, (_, good) in enumerate(sorted(zip(sure, right, strict=True), reverse=True), 1):
        correct += good
        if correct >= PRECISION * number:
            most = number
    return round(most / len(sure), 4)


def others() -> dict[str, Callable[[str], str]]:
    """Each tool that is installed."""
    names = {"json-repair": "json_repair", "jsonmend": "jsonmend", "fast-json-repair": "fast_json_repair"}
    found = {}
    for name, module in names.items():
        try:
            found[name] = import_module(module).repair_json
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
    return found


def timed(fix: Callable[[str], str], text: str) -> tuple[str | None, float]:
    began = perf_counter()
    try:
        fixed = fix(text)
    except Exception:  # whatever another tool raises is no answer
        fixed = None
    return fixed if isinstance(fixed, str) else None, perf_counter() - began


def by_node(problems: list[dict[str, Any]], folder: Path) -> list[tuple[str | None, float]]:
    texts = json.dumps([problem["input"] for problem in problems])
    done = subprocess.run(["node", "-e", NODE], input=texts, capture_output=True, text=True, check=True, cwd=folder)
    return [(text, seconds) for text, seconds in json.loads(done.stdout)]


def measured(problems: list[dict[str, Any]], answers: list[tuple[str | None, float]]) -> dict[str, Any]:
    right = [is_right(text, problem) for (text, _), problem in zip(answers, problems, strict=True)]
    by_number, by_kind = dict[int, list[bool]](), dict[str, list[bool]]()
    for problem, good in zip(problems, right, strict=True):
        by_number.setdefault(len(problem["kinds"]), []).append(good)
        if len(problem["kinds"]) == 1:
            by_kind.setdefault(problem["kinds"][0], []).append(good)
    speed = [
        1e3 * seconds / (len(problem["input"]) / 1024) for (_, seconds), problem in zip(answers, problems, strict=True)
    ]
    wrong = sum(value_of(text) is not BROKEN and not good for (text, _), good in zip(answers, right, strict=True))
    return {
        "right": round(sum(right) / len(right), 4),
        "wrong": round(wrong / len(right), 4),
        "by number": {number: round(sum(good) / len(good), 4) for number, good in sorted(by_number.items())},
        "one damage": {kind: f"{sum(good)} of {len(good)}" for kind, good in sorted(by_kind.items())},
        "ms/KB": round(median(speed), 2),
    }


BROKEN = object()


def value_of(text: str | None) -> object:
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        return BROKEN


def is_right(text: str | None, problem: dict[str, Any]) -> bool:
    value = value_of(text)
    return value is not BROKEN and any(same(value, right) for right in problem["accepted"])


def same(left: object, right: object) -> bool:
    """Equal as JSON, where 1 is not true."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


if __name__ == "__main__":
    main()
