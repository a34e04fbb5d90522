"""Training pairs of many languages, those of a language given the more often, the less probable a model finds them.

A model that has learned from many languages knows some by heart while it is still unsure of others. FOLDER holds files
such as german-train-medium and german-dev. OUT gets the same files; the pairs of a language are in its training file
one to six times, by the mean negative log-probability in nats of each eighth pair, written from the left.

    python benchmarks/inflection_shares.py FOLDER OUT [--weights FOLDER]
    apmdm train inflection --data OUT --from inflection
"""

import argparse
import shutil
from pathlib import Path

from apmdm import load
from apmdm.pairs.answers import log_probabilities
from apmdm.tasks.inflection.task import MEASURED, Inflection

EVERY, NATS, MOST = 8, 0.25, 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", default="inflection")
    given = parser.parse_args()
    model, task = load(given.weights), Inflection(data=given.folder)
    given.out.mkdir(parents=True)
    for language, path in task.files.items():
        pairs = [pair for pair in task.texts[::EVERY] if pair.features.startswith(f"{language};")]
        scores = list(log_probabilities(model.encoder, model.task.code, [(pair, False) for pair in pairs]))
        nats = -sum(scores) / len(scores)
        times = min(MOST, max(1, round(nats / NATS)))
        (given.out / path.name).write_text(path.read_text() * times)
        if (given.folder / f"{language}{MEASURED}").is_file():
            shutil.copy(given.folder / f"{language}{MEASURED}", given.out)
        print(f"{language}\t{nats:.2f}\t{times}", flush=True)


if __name__ == "__main__":
    main()
