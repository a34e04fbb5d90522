"""What a look at a task found."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass

HIDDEN = "let the next state follow from the state alone: no counter, no global, no random number outside of it"


@dataclass(frozen=True)
class Finding:
    """Something about a task that its maker should know, and what to do about it; a mistake keeps it from learning."""

    what: str
    remedy: str
    mistake: bool = True
    story: Seq[str] = ()

    def lines(self) -> list[str]:
        kind = "MISTAKE" if self.mistake else "note"
        return [f"{kind}: {self.what}", *(f"    {line}" for line in self.story), f"  what to do: {self.remedy}"]
