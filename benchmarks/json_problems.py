"""Broken JSON for the recipes of repair: real documents, and short snippets of them as people type them.

    python benchmarks/json_problems.py FOLDER [--num 2400] [--seed 8] [--short 0] > FILE.jsonl

FOLDER is what json_corpus.py wrote; of it dev.jsonl alone is read, packages that nothing was learned from. FILE is what
broken_json.py reads. short: the share of snippets.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from json_corpus import laid_out

from apmdm.text_repair.damage import Damaged, damaged, damaged_by, drawn

SHORT = 0.4
"""The share of snippets among the problems."""
TRIES = 30
MOST_CHARACTERS, MOST_MEMBERS, MOST_ITEMS, DEEPEST, LONGEST_TEXT = 600, 6, 4, 3, 90
PLAIN_NAMES = ("a", "b", "c", "d", "e", "f"), ("key", "value", "name", "text", "id", "type"), tuple("xyzuvw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--short", type=float, default=0.0)
    given = parser.parse_args()
    documents = [json.loads(line) for line in (given.folder / "dev.jsonl").open(encoding="utf-8")]
    for _, problem in broken(documents, given.num, given.seed, given.short):
        print(json.dumps({"input": problem.text, "accepted": problem.accepted, "kinds": problem.kinds}))


def broken(documents: list[dict[str, Any]], num: int, seed: int, short: float = SHORT) -> Iterator[tuple[str, Damaged]]:
    """Broken documents and snippets, with their sources: documents with 1 to 4 damages, snippets mostly with one."""
    texts, random, made, long = [document["text"] for document in documents], Random(seed), 0, 0
    while made < num:
        if random.random() < short:
            made += 1
            yield broken_snippet(documents, random)
            continue
        document = random.choice(documents)
        if (problem := damaged(document["text"], 1 + long % 4, random, texts)) is not None:
            made, long = made + 1, long + 1
            yield document["source"], problem


def broken_snippet(documents: list[dict[str, Any]], random: Random) -> tuple[str, Damaged]:
    """Snippets are drawn until one has places for the damages, so that rare ones are as frequent as they should be."""
    while True:
        kinds = drawn(random.choices((1, 2, 3), (70, 22, 8))[0], random)
        for _ in range(TRIES):
            document = random.choice(documents)
            text, *others = (snippet(document["text"], random) for _ in range(3))
            problem = damaged_by(kinds, text, random, others)
            if problem is not None:
                return document["source"], problem


def snippet(text: str, random: Random) -> str:
    """A small object or array out of a document, most often on one line."""
    value = json.loads(text)
    inner = list(containers(value))
    objects = [each for each in inner if isinstance(each, dict)]
    chosen = random.choice(objects if objects and random.random() < 0.75 else inner)
    names = random.choice(PLAIN_NAMES) if random.random() < 0.25 else ()
    small = cut(chosen, random, names, 1 if random.random() < 0.6 else DEEPEST)
    short = json.dumps(small, ensure_ascii=False) if random.random() < 0.6 else laid_out(small, random)
    return short if len(short) <= MOST_CHARACTERS else snippet(text, random)


def containers(value: Any) -> Iterator[Any]:
    """All objects and arrays in a value that are not empty."""
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def cut(value: Any, random: Random, names: tuple[str, ...], depth: int) -> Any:
    """Some members or items of a value, in their order, and no more levels than depth; names: instead of its keys."""
    if isinstance(value, str):
        end = random.randint(20, LONGEST_TEXT)
        return value if len(value) <= LONGEST_TEXT else value[:end].rpartition(" ")[0] or value[:end]
    if not isinstance(value, dict | list):
        return value
    members = value.items() if isinstance(value, dict) else enumerate(value)
    small = [(name, inner) for name, inner in members if depth or not isinstance(inner, dict | list) or not inner]
    first = random.randrange(max(len(small), 1))
    num = random.randint(1, MOST_MEMBERS if isinstance(value, dict) else MOST_ITEMS)
    kept = [(name, cut(inner, random, names, depth - 1)) for name, inner in small[first : first + num]]
    if isinstance(value, list):
        return [inner for _, inner in kept]
    return dict(zip(names, (inner for _, inner in kept), strict=False)) if names else dict(kept)


if __name__ == "__main__":
    main()
