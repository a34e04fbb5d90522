"""What a task is to the sampler, the recipes and the command line."""

from typing import Protocol

from apmdm.edits import Edits
from apmdm.state import Sequence, State
from apmdm.vocab import Vocab


class Task(Protocol):
    """A problem stated as text and solved by editing a sequence."""

    name: str
    vocab: Vocab

    def read(self, text: str) -> Sequence:
        """The start state of a problem; raises ValueError with what is wrong with the text."""
        ...

    def teacher(self, state: State) -> Edits:
        """The process to be learned: a function of the state alone."""
        ...

    def answer(self, final: Sequence) -> str | None:
        """The answer that a final state spells; None if it is no answer."""
        ...

    def verify(self, text: str, answer: str) -> bool:
        """True if the answer solves the problem."""
        ...
