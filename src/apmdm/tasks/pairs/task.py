"""Pairs: source texts are turned into target texts, learned from a file."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from apmdm.base_task import option
from apmdm.given import FromPairs
from apmdm.pairs.table import Pair, read_pairs

LEARNS = "train check compare audit"
READS = f"{LEARNS} eval"


@dataclass(frozen=True, eq=False)
class Pairs(FromPairs):
    """Turn source texts into target texts, as a file of pairs shows it. `apmdm train FILE.tsv` trains a model."""

    tables = True

    data: Path | None = option(None, "A file of pairs: TSV, CSV or JSON lines.", LEARNS)
    test: Path | None = option(None, "Pairs to measure on; a tenth of the others, held out, if left out.", LEARNS)
    source_col: str | None = option(None, "Name of the column of sources.", READS)
    target_col: str | None = option(None, "Name of the column of targets.", READS)
    features_col: str | None = option(None, "Name of the column of features.", READS)

    @cached_property
    def texts(self) -> tuple[Pair, ...]:
        return self.given if self.data is None else tuple(self.open(self.data))

    @cached_property
    def measured(self) -> tuple[Pair, ...]:
        return self.dev if self.test is None else tuple(self.open(self.test))

    def open(self, path: Path) -> list[Pair]:
        return read_pairs(path, self.source_col, self.target_col, self.features_col)


task = Pairs
