"""A finding of `check`."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass

HIDDEN = "let the next state depend on the state alone: on no counter, no global variable and no random number"


@dataclass(frozen=True)
class Finding:
    """Something that the author of a task should know.

    what: what was found. remedy: what to do about it. mistake: whether it keeps a model from learning the task.
    story: lines that show an example.
    """

    what: str
    remedy: str
    mistake: bool = True
    story: Seq[str] = ()

    def lines(self) -> list[str]:
        kind = "MISTAKE" if self.mistake else "note"
        return [f"{kind}: {self.what}", *(f"    {line}" for line in self.story), f"  what to do: {self.remedy}"]
