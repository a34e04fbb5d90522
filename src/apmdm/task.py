"""Task: made from a process, from pairs or from plain sequences, or written as a subclass."""

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from random import Random
from typing import Any

from apmdm.base_task import BaseTask
from apmdm.from_pairs import FromPairs
from apmdm.from_process import FromProcess, Learning
from apmdm.from_sequences import FromSequences
from apmdm.model.encoder import Shape
from apmdm.pairs.table import Pair, Table, read_table
from apmdm.process import Symbols
from apmdm.training.trainer import Settings


class Task(BaseTask):
    """What a model learns: problems, how they become sequences, and what a teacher does with them.

    Most tasks are made by one of the three functions below. A task that needs more is a subclass; BaseTask lists what a
    subclass gives, and what it may change.
    """

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
        """A task from a process: a function that turns a list of symbols into the next list.

        The process halts when it returns the same list again, or None. It may also be a generator function, which takes
        the first list and yields those that follow. A symbol is any hashable value. A tuple is a product symbol, whose
        parts the model learns to combine. `apmdm.MASK` is the mask.

        A token can only change by becoming MASK first. Where a step of the process changes more than the transition can
        do at once, states with MASKs are put in between. The model must be able to read off such a state what its MASKs
        are to become.

        process: the process. It must be a function of its argument alone.
        problem: draws a random training problem.
        name: the name of the task. The default is that of the process; on the command line, that of its file.
        start: turns a problem into the first list. By default that is the list of the problem's elements.
        answer: turns the last list into the answer. By default that is the list itself, joined if all symbols are text.
        verify: tells whether an answer is right. By default it is right if the process gives the same answer.
        test_problem: draws a random problem to measure on, such as a longer one. The default is `problem`.
        symbols: all symbols. By default they are collected from 200 problems of each kind.
        shape: the size of the model. training: how it is trained.
        batched: the process maps State to Edits, for many rows at once. Every row starts with <begin> and ends with
        <end>. Then `symbols` is needed.
        """
        given = symbols if symbols is None else tuple(symbols)
        own = test_problem or problem, start, answer, verify
        return FromProcess(name or process.__name__, process, problem, *own, given, Learning(shape, training, batched))

    @staticmethod
    def from_pairs(
        pairs: str | Path | Iterable[Pair | tuple[str, ...]],
        *,
        name: str = "pairs",
        dev: str | Path | Iterable[Pair | tuple[str, ...]] = (),
        training: Settings | None = None,
    ) -> FromPairs:
        """A task from pairs of a source text and a target text, which a model learns to turn into each other.

        The model writes the target from left to right, and from right to left, and answers what is most probable from
        both sides. The target begins as a MASK for every place of the source, which is written or deleted, and which
        inserts further MASKs where the target has more. The source itself stays in front of it.

        pairs: a file (TSV, CSV or JSON lines), or tuples (source, target) or (source, target, features). Features are
        conditions of the target, such as `N;DAT;PL`.
        name: the name of the task.
        dev: pairs to measure on. By default a tenth of the pairs is held out, 500 at most.
        training: how long and how fast a model learns.
        """
        learned, measured = _table(pairs), _table(dev)
        remarks = (*learned.notes, *measured.notes)
        return FromPairs(name, tuple(learned.pairs), tuple(measured.pairs), training=training, remarks=remarks)

    @staticmethod
    def from_sequences(
        sequences: Iterable[str],
        *,
        name: str = "sequences",
        training: Settings | None = None,
        encoder: str | None = None,
    ) -> FromSequences:
        """A task from plain sequences: a model learns to correct and to complete sequences like these.

        Nothing has to be annotated. The model learns to write the sequences, and a search finds which one was meant.

        sequences: texts, at least 4 different ones. Some of them are held out to measure on.
        name: the name of the task.
        encoder: the folder of a pretrained encoder of the library transformers, to begin from, or `hub:` and its name
        on the Hugging Face Hub. The sequences are then texts in its tokens, instead of characters, and the model learns
        from random errors that are put into them.
        """
        return FromSequences(name, tuple(sorted(set(sequences))), training=training, encoder=encoder)


def _table(given: str | Path | Iterable[Pair | tuple[str, ...]]) -> Table:
    if isinstance(given, str | Path):
        return read_table(given)
    return Table([pair if isinstance(pair, Pair) else Pair(*pair) for pair in given])
