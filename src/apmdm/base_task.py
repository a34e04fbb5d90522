"""BaseTask: everything that a task consists of. Training, commands and paradigms use tasks through it alone."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import Field, field, fields, is_dataclass, replace
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import torch

from apmdm.edits import Edits
from apmdm.finding import HIDDEN, Finding
from apmdm.lines import FILE, Numbered, Problems, one_a_line, text_at, visible
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.incremental import Incremental
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import Objective, same_step, supervised_loss
from apmdm.paradigms.comparison import Comparison
from apmdm.paradigms.form import Form, Verdict, direct
from apmdm.policy import Greedy, Policy
from apmdm.pool import PoolData, pooled
from apmdm.prediction import Prediction
from apmdm.processes import WHOLE, Share, together
from apmdm.recipe import Recipe
from apmdm.sampler import Observation, Predictor, Run, rollouts
from apmdm.solution import Certificate, Solution, shares_by_length
from apmdm.state import Sequence, State, same_rows, trimmed
from apmdm.step import transition
from apmdm.trace import Trace
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab

Numbering = Iterable[tuple[int, Any]]
"""Problems with their numbers."""
SEEDS = 2**32
"""How many seeds there are for a run, beyond which there are those of its groups."""
TESTS, VALIDATION, VALIDATION_SEED, GROUPS = 1000, 100, 7, 6
"""How many fresh problems `eval` solves by default, how many evaluation during training solves, and its seed."""


def option(default: Any, help: str, on: str = "run", **bounds: int) -> Any:
    """A field of a task that is also an option on the command line.

    default: its value if the option is not given. help: one sentence for --help.
    on: the commands that have the option, separated by spaces, such as "train check audit".
    bounds: min and max of a number. required=True makes the option obligatory.
    """
    return field(default=default, metadata={"help": help, "on": on.split(), **bounds})


class BaseTask:
    """Everything that a task consists of.

    A subclass gives `name`, `vocab`, `encode`, `decode`, `problem` and `teacher`. All else has a default. A subclass
    that is a frozen dataclass may have fields made by `option`, which are options on the command line.

    name: the name that results are reported under.
    vocab: the symbols and their tokens.
    shipped: the name of the weights that come with the package, if there are any.
    variant: which problems of the task weights are for, such as "of 4x4", if not all weights are for all.
    problem_form: what a problem looks like, in words, for messages and help.
    header: the header line, if results are printed as a table.
    ordered: print results in the order of the problems; otherwise in the order in which they are found.
    whole_files: a problem is a whole file, which `open` reads; otherwise `split` finds the problems in a file.
    tables: `eval` takes its problems from a table, which `table` reads.
    demo: a file of problems that `run` solves if it is given none.
    comment: begins a comment in files of problems; empty if nothing does.
    redirected: commands that another task answers, with the name of that task.
    has_runs: the teacher shows whole runs. False if it only labels corrupted sequences.
    loaded_as: name of a task of this package that can use the weights without the user's data or code.
    max_steps, batch_size: the most steps of a run, and how many runs are under way at once.
    hints: what a middle layer learns besides the edits, if anything.
    conditions: tokens, one of which may be in a sequence, for which the model has matrices of their own (see Encoder).
    """

    name: str
    vocab: Vocab
    shipped: str | None = None
    variant: str = ""
    problem_form: str = "a problem"
    header: str = ""
    ordered: bool = True
    whole_files: bool = False
    tables: bool = False
    demo: Path | None = None
    comment: str = "#"
    redirected: ClassVar[Mapping[str, str]] = {}
    has_runs: bool = True
    loaded_as: str | None = None
    max_steps: int = 10_000
    batch_size: int = 64
    hints: Hints | None = None
    conditions: tuple[str, ...] = ()

    # What a user holds, and sequences.

    def encode(self, problem: Any) -> Sequence:
        """The state that a run on this problem starts from."""
        raise NotImplementedError(f"{self.name} has no encode")

    def decode(self, final: Sequence) -> Any:
        """The answer that a final state stands for, or None if it stands for none."""
        raise NotImplementedError(f"{self.name} has no decode")

    def parse(self, text: str) -> Any:
        """The problem that a line of text describes; raises ValueError if it describes none."""
        self.encode(text)
        return text

    def taken(self, problem: Any) -> Any:
        """A problem as a user of the library gives it; one that is text is parsed as on the command line.

        Raises ValueError if it is no problem of this task.
        """
        if isinstance(problem, str):
            return self.parse(problem)
        try:
            self.encode(problem)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"{problem!r} is no problem of {self.name}, which is {self.problem_form}") from error
        return problem

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        """A state as plain data that can be drawn: a dictionary whose `kind` is string, grid or graph."""
        return {"kind": "string", "symbols": self.vocab.decode(sequence.ids.tolist())}

    # What is learned.

    def problem(self, random: Random) -> Any:
        """A random training problem."""
        raise NotImplementedError(f"{self.name} draws no problems")

    def teacher(self, state: State) -> Edits | Prediction:
        """The edits of every row, or a prediction: the probabilities of these edits, if the teacher is random."""
        raise NotImplementedError(f"{self.name} has no teacher")

    def paths(self, problems: Seq[Any]) -> Iterator[Batch]:
        """All states of the teacher's runs on these problems, the final ones included, with their edits."""
        state = State.stack([self.encode(problem) for problem in problems])
        while len(state):
            said = self.teacher(state)
            edits = said if isinstance(said, Edits) else Greedy()(said, state)
            yield Batch(state, edits)
            following = transition(state, edits)
            state = trimmed(following[~same_rows(state, following)])

    def taught(self, problems: Iterable[Any], record: bool = False) -> list[Run]:
        """The runs of the teacher on these problems, in their order. record: keep their steps."""
        starts = map(self.encode, problems)
        runs = rollouts(self.teacher, starts, self.policy(0), max_steps=self.max_steps, record=record)
        return sorted(runs, key=lambda run: run.index)

    def examined(self, problems: Seq[Any]) -> tuple[list[Finding], list[Any]]:
        """Mistakes that single problems show, and those of the problems that the teacher can run on."""
        state = State.stack([self.encode(problem) for problem in problems])
        first, again = (self.teacher(state) for _ in range(2))
        if isinstance(first, Edits) and isinstance(again, Edits) and not bool(same_step(first, state, again).all()):
            return [Finding("asked twice about the same states, the teacher gives different edits", HIDDEN)], []
        return [], list(problems)

    def notes(self) -> list[str]:
        """What is told of the task before it is learned."""
        return []

    def trace(self, problem: Any, run: Run) -> Trace:
        """A recorded run on a problem."""
        start = self.encode(problem)
        places = None if start.coordinates is None else tuple(map(tuple, start.coordinates.tolist()))
        return Trace(self.vocab, run.steps, tuple(run.final.ids.tolist()), places)

    @property
    def objective(self) -> Objective:
        return supervised_loss

    def recipe(self) -> Recipe:
        """The size of the model and how it is trained, before any setting is changed."""
        return Recipe(self, Shape(width=64, layers=4, heads=4, rotary=True), Settings(steps=2000), PoolData())

    def batches(self, recipe: Recipe) -> Batches:
        """The training batches, as a function of their number."""

        def paths(random: Random) -> Iterator[Batch]:
            return self.paths([self.problem(random) for _ in range(recipe.data.problems)])

        return pooled(recipe.seed, recipe.data, paths)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        """Figures that training shows now and then, on problems that are not trained on."""
        problems, steps = self.validation()
        solutions = list(self.solve(model, problems, max_steps=steps, device=str(model.embedding.device)))
        return {"test problems solved": sum(solution.solved for solution in solutions) / len(solutions)}

    def validation(self) -> tuple[list[Any], int | None]:
        """The problems of `validate` and the most steps of a run, None for what `solve` takes by itself."""
        problems = self.sample(VALIDATION, VALIDATION_SEED)
        return problems, 2 * max(run.time for run in self.taught(problems)) + 100 if self.has_runs else None

    def fitted(self, model: Encoder) -> "BaseTask":
        """The task with what it measures of a model when training has ended, to be saved beside the weights."""
        return self

    def learned_from(self) -> str:
        """For the model card, a sentence on the training data."""
        return "Problems are drawn at random by the task, and its teacher shows their steps."

    def initialise(self, model: Encoder) -> None:
        """Change a new model's random weights before training; most tasks leave them."""

    def described(self) -> dict[str, Any]:
        """The values of the options that training depends on, as JSON."""
        return {name: getattr(self, name) for name in self.options("train")}

    def options(self, command: str) -> dict[str, Field[Any]]:
        """The fields that are options of a command."""
        own = fields(self) if is_dataclass(self) else ()
        return {field.name: field for field in own if command in field.metadata.get("on", ())}

    def with_options(self, values: Mapping[str, Any]) -> "BaseTask":
        """The task with some of its options set; raises ValueError for one that it does not have."""
        return replace(self, **values) if values else self  # pyrefly: ignore[bad-specialization]

    # Answers.

    def verify(self, problem: Any, answer: Any) -> bool | None:
        """Whether the answer is right, None if this cannot be known. By default it must be the teacher's answer."""
        return answer == self.decode(self.reference(problem))

    def reference(self, problem: Any) -> Sequence:
        """The state that the teacher ends in."""
        return self.taught([problem])[0].final

    def judge(self, problem: Any, run: Run) -> tuple[Any, str]:
        """The answer of a run, and its status."""
        answer = self.decode(run.final)
        return answer, self.status(problem, answer)

    def status(self, problem: Any, answer: Any) -> str:
        """solved or unsolved; unverified if it cannot be known."""
        right = False if answer is None else self.verify(problem, answer)
        return {True: "solved", False: "unsolved", None: "unverified"}[right]

    def policy(self, seed: int) -> Policy:
        """What turns predictions into edits. seed: of a policy that draws at random."""
        return Greedy()

    def decoder(self, model: Predictor, device: str) -> Predictor:
        """What the sampler calls at each step: the model itself, or a wrapper around it."""
        return Incremental(model) if isinstance(model, Encoder) and model.shape.local else model

    def most_steps(self, problems: Iterable[Any]) -> int:
        """The steps after which a run is cut off."""
        return self.max_steps

    def max_length(self, problems: Iterable[Any]) -> int:
        """The length at which a run is cut off: a model that has learned little may insert without end."""
        return 1024 + 8 * max((len(self.encode(problem)) for problem in problems), default=0)

    def solve(
        self,
        model: Predictor,
        problems: Iterable[Any],
        *,
        seed: int = 0,
        batch_size: int | None = None,
        max_steps: int | None = None,
        record: bool = False,
        on_step: Callable[[Observation], Any] | None = None,
        device: str = "cpu",
        share: Share = WHOLE,
    ) -> Iterator[Solution]:
        """Run the model on problems, without help from the teacher, and yield solutions as they are found.

        `solution.run.index` is the number of the problem. A problem is taken from the iterable only when there is room
        for it in the batch, so there may be very many problems. share: the problems that are solved here.
        """
        problems = list(problems) if isinstance(problems, Iterator) else problems
        rows = batch_size or self.batch_size
        limits = {"max_steps": max_steps or self.most_steps(problems), "max_length": self.max_length(problems)}
        decoder = self.decoder(model, device)
        for policy, numbered in self._alike(enumerate(problems), seed, rows, share):
            under_way: dict[int, tuple[int, Any]] = {}

            def starts(
                numbered: Numbering = numbered, under_way: dict[int, tuple[int, Any]] = under_way
            ) -> Iterator[Sequence]:
                for place, pair in enumerate(numbered):
                    under_way[place] = pair
                    yield self.encode(pair[1])

            shown: dict[str, Any] = {"record": record, "on_step": on_step, "device": device}
            for run in rollouts(decoder, starts(), policy, batch_size=rows, **limits, **shown):
                index, problem = under_way.pop(run.index)
                run = replace(run, index=index)
                yield Solution(problem, *self.judge(problem, run), run)

    def _alike(self, numbered: Numbering, seed: int, rows: int, share: Share) -> Iterator[tuple[Policy, Numbering]]:
        """The problems of a share, with a policy; under a random one, groups, each with draws of its own.

        So the draws do not depend on how many processes share the problems.
        """
        policy = self.policy(seed)
        if policy.deterministic:
            yield policy, (pair for pair in numbered if share.has(pair[0]))
            return
        for group in count():
            pairs = list(islice(numbered, rows))
            if not pairs:
                return
            if share.has(group):
                yield self.policy(seed + group * SEEDS), pairs

    # Measuring.

    def test_problem(self, random: Random) -> Any:
        """A random problem to measure a model on. By default it is drawn like the training problems."""
        return self.problem(random)

    def sample(self, num: int, seed: int) -> list[Any]:
        """`num` different problems to measure on, or fewer if so many are not found."""
        random, found = Random(f"test {seed}"), dict[str, Any]()
        for _ in range(10 * num):
            problem = self.test_problem(random)
            found[repr(problem)] = problem
            if len(found) == num:
                break
        return list(found.values())

    def tests(self, num: int | None, seed: int) -> Iterable[tuple[str, Seq[Any]]]:
        """The sets of fresh problems that `eval` uses, each with its name; `num` is the size that the user asks for."""
        yield "", self.sample(num or TESTS, seed)

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        """Figures of one set of problems that were run."""
        times = [solution.run.time for solution in solutions]
        known = [(len(self.encode(one.problem)), one.solved) for one in solutions if one.status != "unverified"]
        right = sum(solved for _, solved in known)
        return {
            "problems": len(solutions),
            "right": right,
            "accuracy": round(right / max(1, len(known)), 4),
            "accuracy by length": shares_by_length(known, GROUPS),
            "mean_steps": round(sum(times) / max(1, len(times)), 3),
            "max_steps": max(times, default=0),
            "stops": dict(Counter(solution.run.stop for solution in solutions)),
        }

    def evaluate(
        self,
        model: Predictor,
        problems: Seq[Any] | None = None,
        *,
        num: int | None = None,
        seed: int = 1,
        device: str = "cpu",
        progress: Callable[[float], None] = lambda share: None,
        share: Share = WHOLE,
    ) -> dict[str, Any]:
        """Run the model on these problems, or on `num` fresh ones, verify every answer, and return figures.

        progress: called after each problem with the share of the work that is done, by the lengths of the problems.
        share: the problems that are run in this process. All processes have to call this, and process 0 returns the
        figures of all problems, the others none.
        """
        sets = list(self.tests(num, seed)) if problems is None else [("", problems)]
        lengths = [[len(self.encode(problem)) for problem in group] for _, group in sets]
        total, done = sum(map(sum, lengths)), 0
        progress(0.0)
        found: dict[str, Any] = {}
        began = time.perf_counter()
        for (name, group), parts in zip(sets, lengths, strict=True):
            solutions: list[Solution] = []
            own: dict[str, Any] = {"share": share} if share != WHOLE else {}
            for solution in together(self.solve(model, group, seed=seed, device=device, **own), share):
                solutions.append(solution)
                done += parts[solution.run.index]
                progress(done / max(1, total))
            if share.rank > 0:
                continue
            figures = self.summary(sorted(solutions, key=lambda solution: solution.run.index), model)
            found |= {name: figures} if name else figures
        size = {"parameters": model.num_parameters()} if isinstance(model, Encoder) else {}
        return found | size | {"seconds": round(time.perf_counter() - began, 1)}

    def certify(self, model: Encoder) -> Iterator[Certificate]:
        """Proofs that a model is right on all problems; raises ValueError if the task has no such proof."""
        raise ValueError(f"{self.name} has no certificate: no proof is known for its models")

    def form(self) -> Form:
        """The task as prompt and answer, for the other paradigms: the first state and the teacher's last state."""

        def symbols(sequence: Sequence) -> list[str]:
            return self.vocab.decode(sequence.ids.tolist())

        def right(problem: Any, told: list[str]) -> bool:
            if not set(told) <= self.vocab.ids.keys():
                return False
            answer = self.decode(Sequence(torch.tensor(self.vocab.encode(told), dtype=torch.long)))
            return answer is not None and bool(self.verify(problem, answer))

        return direct(
            self.vocab,
            lambda random: self.problem(Random(int(torch.randint(2**62, (), generator=random)))),
            lambda problem: symbols(self.encode(problem)),
            lambda problem: symbols(self.reference(problem)),
            right,
        )

    def verdict(self, problem: Any, final: Sequence) -> Verdict:
        """What a comparison counts of a final state."""
        answer = self.decode(final)
        right = answer is not None and bool(self.verify(problem, answer))
        return Verdict(right, answer is not None, float(right))

    def comparison(self, tokens: int | None, seed: int) -> Comparison | None:
        """What `compare` trains and measures; None for the usual comparison, which every task with a teacher has.

        tokens: how many each model is trained on; None for the usual number.
        """
        return None

    # What users write and read.

    def example(self, random: Random) -> tuple[str, dict[str, Any]]:
        """A problem as a user writes it, and the options that go with it; raises ValueError if none is known."""
        if self.demo is not None:
            return random.choice([text for _, text in Problems(text_at(self.demo, FILE), self.split).texts()]), {}
        problem = self.test_problem(random)
        for text in (problem, *self.told(problem).values(), repr(problem)):
            try:
                if isinstance(text, str) and self.parse(text) == problem:
                    return text, {}
            except ValueError:
                continue
        raise ValueError(f"{self.name} does not tell how its problems are written")

    def is_problem(self, text: str) -> bool:
        """Whether an argument that is not the name of a file can be a problem."""
        return True

    def suited(self, texts: Iterable[str]) -> "BaseTask":
        """The task with the options that suit the texts of problems, such as the size of the board."""
        return self

    def cautions(self, problem: Any) -> Iterable[str]:
        """What is told before a problem is solved: how it was read, and that it is beyond what was measured."""
        return ()

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> "BaseTask":
        """The task as it was when these values were `saved`; raises ValueError if the vocabulary is not the task's."""
        if vocab != self.vocab:
            raise ValueError("they are of another task: their vocabulary is not this task's")
        return self

    def saved(self) -> dict[str, Any]:
        """What is kept beside the weights, as JSON, so that `restored` needs no training data."""
        return self.described()

    def prompted(self) -> Any:
        """The one problem that the options of `generate` describe; many answers to it are drawn."""
        raise ValueError(f"{self.name} answers problems; give one to `apmdm run {self.name}`")

    def split(self, lines: Iterable[str]) -> Numbered:
        """The text of each problem among the lines of a file, with the number of its first line.

        By default a problem is a line without its comment.
        """
        return one_a_line(lines, self.comment)

    def open(self, path: Path) -> list[Any]:
        """The problems of a file; raises ValueError for the first one that cannot be read."""
        return list(Problems(text_at(path, FILE), self.split, self.parse).each())

    def table(self, path: Path) -> tuple[list[Any], Iterable[str]]:
        """The problems of a table, and what may have been read otherwise than it was meant."""
        raise NotImplementedError(f"{self.name} reads no tables")

    def told(self, problem: Any) -> dict[str, Any]:
        """A problem as JSON. Different problems must differ."""
        return {"problem": problem}

    def record(self, solution: Solution) -> dict[str, Any]:
        """A solution as JSON."""
        return self.told(solution.problem) | {"answer": solution.answer}

    def row(self, solution: Solution, seconds: float) -> str:
        """The line that `run` prints for a solution. seconds: since the command began to solve."""
        told = {"solved": "", "unverified": "", "unsolved": "  not right"}.get(solution.status, f"  {solution.status}")
        if solution.answer is None:
            return f"no answer; stopped: {solution.run.stop}  steps {solution.run.time}"
        return f"{visible(solution.answer)}{told}  steps {solution.run.time}"

    def deliver(self, solution: Solution) -> None:
        """What else `run` does with a solution, such as saving a file in the task's own format."""
