"""Task: what a user subclasses, or makes of a process, of pairs or of plain sequences."""

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from random import Random
from typing import Any

from apmdm.base_task import BaseTask
from apmdm.given import FromPairs, FromProcess, FromSequences
from apmdm.model.encoder import Shape
from apmdm.pairs.sequence import Start
from apmdm.pairs.table import Pair, read_pairs
from apmdm.process import Symbols
from apmdm.training.trainer import Settings


class Task(BaseTask):
    """Everything that is known of a task; BaseTask says what that is."""

    @staticmethod
    def from_process(
        process: Callable[..., Any],
        problem: Callable[[Random], Any],
        *,
        name: str | None = None,
        start: Callable[[Any], Iterable[Hashable]] = list,
        answer: Callable[[Symbols], Any] | None = None,
        verify: Callable[[Any, Any], bool] | None = None,
        test_problem: Callable[[Random], Any] | None = None,
        symbols: Iterable[Hashable] | None = None,
        shape: Shape | None = None,
        training: Settings | None = None,
        batched: bool = False,
    ) -> "FromProcess":
        """A task from a process: a function from a list of symbols to the next one, or a generator of such lists.

        The process halts where it gives the same list again, or None. Any hashable value is a symbol, a tuple is a
        product symbol, and `apmdm.MASK` is the mask. Where a step does more than the transition can do at once, states
        are put in between: what changes is masked first, so whatever the new tokens depend on must still be there.

        problem: a random training problem; test_problem: one to measure on, such as a longer one. start: the first
        state of a problem; by default its own elements. answer: what a final state says; by default its symbols, as
        text if they are text. verify: whether an answer is right; by default, whether it is the process's own.
        symbols: all there are; by default those that are met on some hundred problems. shape and training: of the model.
        batched: the process is given as a function from State to Edits; every row starts with <begin>, ends with <end>.
        """
        given = symbols if symbols is None else tuple(symbols)
        own = test_problem or problem, start, answer, verify
        return FromProcess(name or process.__name__, process, problem, *own, given, (shape, training, batched))

    @staticmethod
    def from_pairs(
        pairs: str | Path | Iterable[Pair | tuple[str, ...]],
        *,
        name: str = "pairs",
        dev: str | Path | Iterable[Pair | tuple[str, ...]] = (),
        start: Start = "copy",
    ) -> FromPairs:
        """A task from pairs of a source and a target, each with features, such as `N;DAT;PL`, if need be.

        pairs: a file (TSV, CSV or JSON lines), or pairs as tuples of text. dev: pairs to measure on; if there are none, a
        tenth of the pairs is held out for that. start: the working copy begins as the source, or empty.

        The source stays readable in front of the copy, and every position of the copy knows which place of the source
        it came from. The teacher tells for any state of the copy the edits that lead to the target at least cost.
        """
        return FromPairs(name, _pairs(pairs), _pairs(dev), start)

    @staticmethod
    def from_sequences(sequences: Iterable[str], *, name: str = "sequences") -> FromSequences:
        """A task from plain sequences: a model that corrects and completes sequences like these.

        It learns from its own corruptions of them, without any annotation. Some are held out to measure on.
        """
        return FromSequences(name, tuple(sorted(set(sequences))))


def _pairs(given: str | Path | Iterable[Pair | tuple[str, ...]]) -> tuple[Pair, ...]:
    if isinstance(given, str | Path):
        return tuple(read_pairs(Path(given)))
    return tuple(pair if isinstance(pair, Pair) else Pair(*pair) for pair in given)
