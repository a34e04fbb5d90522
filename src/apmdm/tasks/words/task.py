"""Words: errors in plain sequences are corrected, learned from a file with one sequence a line."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from apmdm.base_task import option
from apmdm.from_sequences import FromSequences
from apmdm.lines import lines


@dataclass(frozen=True, eq=False)
class Words(FromSequences):
    """Correct errors in sequences such as words, learned from the right ones. `apmdm train FILE.txt` trains a model."""

    name: str = "words"
    data: Path | None = option(None, "A file with one sequence a line.", "train compare check audit eval")
    encoder: str | None = option(
        None, "Begin from a pretrained encoder of transformers, in its tokens: its folder, or hub:NAME.", "train check"
    )

    @cached_property
    def texts(self) -> tuple[str, ...]:
        if self.data is None:
            return self.given
        return tuple(sorted(set(lines(self.data, self.comment))))


task = Words
