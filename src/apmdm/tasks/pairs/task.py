"""Pairs: source texts are turned into target texts, learned from a file."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from apmdm.base_task import option
from apmdm.from_pairs import FromPairs
from apmdm.pairs.table import Pair, Table, read_table

LEARNS = "train check compare audit"
READS = f"{LEARNS} eval"


@dataclass(frozen=True, eq=False)
class Pairs(FromPairs):
    """Turn source texts into target texts, as a file of pairs shows it. `apmdm train FILE.tsv` trains a model."""

    tables = True
    measured_on = "give pairs to measure on by --test"

    data: Path | None = option(None, "A file of pairs: TSV, CSV or JSON lines.", LEARNS)
    test: Path | None = option(None, "Pairs to measure on; a tenth of the others, held out, if left out.", LEARNS)
    source_col: str | None = option(None, "Name of the column of sources.", READS)
    target_col: str | None = option(None, "Name of the column of targets.", READS)
    features_col: str | None = option(None, "Name of the column of features.", READS)

    @cached_property
    def texts(self) -> tuple[Pair, ...]:
        return self.given if self._table is None else tuple(self._table.pairs)

    @cached_property
    def _table(self) -> Table | None:
        return None if self.data is None else read_table(self.data, *self._columns)

    @property
    def _columns(self) -> tuple[str | None, ...]:
        return self.source_col, self.target_col, self.features_col

    @cached_property
    def measured(self) -> tuple[Pair, ...]:
        return self.dev if self._tests is None else tuple(self._tests.pairs)

    @cached_property
    def _tests(self) -> Table | None:
        return None if self.test is None else read_table(self.test, *self._columns)

    def table(self, path: Path) -> Table:
        return read_table(path, *self._columns)

    def how_read(self) -> list[str]:
        return [note for table in (self._table, self._tests) if table is not None for note in table.notes]


task = Pairs
