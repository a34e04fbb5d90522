"""Task: everything that is known of a task, in one place. Training, the commands and the paradigms know tasks by it."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import Field, field, fields, is_dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import torch

from apmdm.edits import Edits
from apmdm.finding import HIDDEN, Finding
from apmdm.lines import lines
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import Objective, same_step, supervised_loss
from apmdm.paradigms.comparison import TOKENS, Comparison, compared
from apmdm.paradigms.form import Form, direct
from apmdm.policy import Greedy, Policy
from apmdm.pool import Data, pooled
from apmdm.prediction import Prediction
from apmdm.recipe import Recipe
from apmdm.sampler import MAX_LENGTH, Observation, Predictor, Run, rollouts
from apmdm.solution import Certificate, Solution
from apmdm.state import Sequence, State, same_rows, trimmed
from apmdm.step import transition
from apmdm.trace import Trace
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab

TESTS, VALIDATION, VALIDATION_SEED = 1000, 100, 7
"""Fresh problems that `eval` solves if it is not told how many, and that periodic evaluation solves."""


def option(default: Any, help: str, on: str = "run", **bounds: int) -> Any:
    """A field of a task that is an option of its own on the command line.

    on: the commands that have it, among run, generate, certify, eval, train. bounds: min and max of a number.
    """
    return field(default=default, metadata={"help": help, "on": on.split(), **bounds})


class BaseTask:
    """Everything that is known of a task.

    A subclass says what its vocabulary is, how problems become sequences and final sequences answers, where training
    problems come from, and what a teacher does next. Whatever else is here has a default. Fields made by `option`
    (in a subclass that is a frozen dataclass) are options on the command line. Most tasks need no subclass: from_process,
    from_pairs and from_sequences make a task of what there is.

    name: under which results are reported. shipped: the weights that come with the package, if any.
    problem_form: what a problem looks like, in words. header: of the table of results, if they are one.
    ordered: results are told in the order of the problems, not as they are found. whole_files: a problem is a file, which
    `open` reads. demo: a file of problems to solve if none is given. redirected: verbs that another task is for. has_runs: a
    teacher shows whole runs, and not corruptions only.
    """

    name: str
    vocab: Vocab
    shipped: str | None = None
    problem_form: str = "a problem"
    header: str = ""
    ordered: bool = True
    whole_files: bool = False
    demo: Path | None = None
    redirected: ClassVar[Mapping[str, str]] = {}
    has_runs: bool = True
    max_steps: int = 10_000
    batch_size: int = 64
    hints: Hints | None = None

    # What a user holds, and sequences.

    def encode(self, problem: Any) -> Sequence:
        """The state that a run on this problem starts from."""
        raise NotImplementedError(f"{self.name} has no encode")

    def decode(self, final: Sequence) -> Any:
        """The answer that a final state says, or None if it says none."""
        raise NotImplementedError(f"{self.name} has no decode")

    def parse(self, text: str) -> Any:
        """A problem from a line of text; raises ValueError for what is none."""
        self.encode(text)
        return text

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        """A state as plain data for terminal, trace and page: a dictionary whose `kind` is string, grid or graph."""
        return {"kind": "string", "symbols": self.vocab.decode(sequence.ids.tolist())}

    # What is learned.

    def problem(self, random: Random) -> Any:
        """A random training problem."""
        raise NotImplementedError(f"{self.name} draws no problems")

    def teacher(self, state: State) -> Edits | Prediction:
        """The next edits of every row, or their probabilities."""
        raise NotImplementedError(f"{self.name} has no teacher")

    def paths(self, problems: Seq[Any]) -> Iterator[Batch]:
        """Every state of the teacher's runs on these problems with its edits, the last ones included."""
        state = State.stack([self.encode(problem) for problem in problems])
        while len(state):
            said = self.teacher(state)
            edits = said if isinstance(said, Edits) else Greedy()(said, state)
            yield Batch(state, edits)
            following = transition(state, edits)
            state = trimmed(following[~same_rows(state, following)])

    def taught(self, problems: Iterable[Any], record: bool = False) -> list[Run]:
        """The teacher's runs."""
        starts = map(self.encode, problems)
        runs = rollouts(self.teacher, starts, self.policy(0), max_steps=self.max_steps, record=record)
        return sorted(runs, key=lambda run: run.index)

    def examined(self, problems: Seq[Any]) -> tuple[list[Finding], list[Any]]:
        """Mistakes that can be seen on these problems one by one, and the problems that the teacher can run on."""
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
        """How a model is trained unless told otherwise."""
        return Recipe(self, Shape(width=64, layers=4, heads=4, rotary=True), Settings(steps=2000), Data())

    def batches(self, recipe: Recipe) -> Batches:
        """States and edits to learn from, as a function of the number of the batch."""

        def paths(random: Random) -> Iterator[Batch]:
            return self.paths([self.problem(random) for _ in range(recipe.data.problems)])

        return pooled(recipe.seed, recipe.data, paths)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        """Figures of a model in training, on problems that it is not trained on."""
        problems = self.sample(VALIDATION, VALIDATION_SEED)
        solutions = list(self.solve(model, problems, device=str(model.embedding.device)))
        return {"solved": sum(solution.solved for solution in solutions) / len(solutions)}

    def initialise(self, model: Encoder) -> None:
        """Change a new model's random weights before training; most tasks leave them."""

    def described(self) -> dict[str, Any]:
        """The options that training depends on, as JSON."""
        return {name: getattr(self, name) for name in self.options("train")}

    def options(self, command: str) -> dict[str, Field[Any]]:
        """The fields that are options of a command."""
        own = fields(self) if is_dataclass(self) else ()
        return {field.name: field for field in own if command in field.metadata.get("on", ())}

    def with_options(self, values: Mapping[str, Any]) -> "BaseTask":
        """The task with some of its options set; raises ValueError for one that it does not have."""
        return replace(self, **values) if values else self  # pyright: ignore[reportArgumentType, reportCallIssue]

    # Answers.

    def verify(self, problem: Any, answer: Any) -> bool | None:
        """Whether the answer solves the problem: by default, whether it is the teacher's. None if nothing can tell."""
        return answer == self.decode(self.reference(problem))

    def reference(self, problem: Any) -> Sequence:
        """The state that the teacher ends in."""
        return self.taught([problem])[0].final

    def judge(self, problem: Any, run: Run) -> tuple[Any, str]:
        """The answer of a run, and its status."""
        answer = self.decode(run.final)
        return answer, self.status(problem, answer)

    def status(self, problem: Any, answer: Any) -> str:
        """solved, unsolved, or unverified where nothing can tell."""
        right = False if answer is None else self.verify(problem, answer)
        return {True: "solved", False: "unsolved", None: "unverified"}[right]

    def policy(self, seed: int) -> Policy:
        """How decisions are made from probabilities; a new one for each seed."""
        return Greedy()

    def decoder(self, model: Predictor, device: str) -> Predictor:
        """What is asked at each step: the model, or something that asks it."""
        return model

    def max_length(self, problems: Iterable[Any]) -> int:
        """Beyond this a run is cut off."""
        return MAX_LENGTH

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
    ) -> Iterator[Solution]:
        """Free-running rollouts; solutions come as they are found, `solution.run.index` says of which problem.

        A problem is taken when there is room for it in the batch, so there may be very many.
        """
        under_way: dict[int, Any] = {}

        def starts() -> Iterator[Sequence]:
            for index, problem in enumerate(problems):
                under_way[index] = problem
                yield self.encode(problem)

        for run in rollouts(
            self.decoder(model, device),
            starts(),
            self.policy(seed),
            batch_size=batch_size or self.batch_size,
            max_steps=max_steps or self.max_steps,
            max_length=self.max_length(problems),
            record=record,
            on_step=on_step,
            device=device,
        ):
            problem = under_way.pop(run.index)
            yield Solution(problem, *self.judge(problem, run), run)

    # Measuring.

    def test_problem(self, random: Random) -> Any:
        """A random problem to measure a model on; one like those of training unless told otherwise."""
        return self.problem(random)

    def sample(self, num: int, seed: int) -> list[Any]:
        """So many different problems to measure on, fewer if there are not as many."""
        random, found = Random(f"test {seed}"), dict[str, Any]()
        for _ in range(10 * num):
            problem = self.test_problem(random)
            found[repr(problem)] = problem
            if len(found) == num:
                break
        return list(found.values())

    def tests(self, num: int | None, seed: int) -> Iterable[tuple[str, Seq[Any]]]:
        """Named sets of fresh problems."""
        yield "", self.sample(num or TESTS, seed)

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        """What came of one set of problems, in figures."""
        times = [solution.run.time for solution in solutions]
        known = [solution for solution in solutions if solution.status != "unverified"]
        by_length: dict[int, list[bool]] = defaultdict(list)
        for solution in known:
            by_length[len(self.encode(solution.problem))].append(solution.solved)
        right = sum(solution.solved for solution in known)
        return {
            "problems": len(solutions),
            "right": right,
            "accuracy": round(right / max(1, len(known)), 4),
            "accuracy by length": {length: round(sum(v) / len(v), 4) for length, v in sorted(by_length.items())},
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
        progress: Callable[[Iterator[Solution], str, int], Iterable[Solution]] = lambda solutions, name, num: solutions,
    ) -> dict[str, Any]:
        """Free-running rollouts on these problems, or on `num` fresh ones of a seed; every answer is verified."""
        sets = self.tests(num, seed) if problems is None else [("", problems)]
        found: dict[str, Any] = {}
        began = time.perf_counter()
        for name, group in sets:
            solutions = list(
                progress(self.solve(model, group, seed=seed, device=device), name or self.name, len(group))
            )
            figures = self.summary(sorted(solutions, key=lambda solution: solution.run.index), model)
            found |= {name: figures} if name else figures
        size = {"parameters": model.num_parameters()} if isinstance(model, Encoder) else {}
        return found | size | {"seconds": round(time.perf_counter() - began, 1)}

    def certify(self, model: Encoder) -> Iterator[Certificate]:
        """Proofs about a model; raises ValueError for one that this task has no proof for."""
        raise ValueError(f"nothing is known that would prove a model of {self.name} right")

    def form(self) -> Form:
        """The task as prompt and answer, for the other paradigms: its problems and the teacher's final states as text."""

        def symbols(sequence: Sequence) -> list[str]:
            return self.vocab.decode(sequence.ids.tolist())

        def right(problem: Any, told: list[str]) -> bool:
            answer = (
                self.decode(Sequence(torch.tensor(self.vocab.encode(told))))
                if set(told) <= self.vocab.ids.keys()
                else None
            )
            return answer is not None and bool(self.verify(problem, answer))

        return direct(
            self.vocab,
            lambda random: self.problem(Random(int(torch.randint(2**62, (), generator=random)))),
            lambda problem: symbols(self.encode(problem)),
            lambda problem: symbols(self.reference(problem)),
            right,
        )

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        """Which models meet on which problems; `tokens` to train each on."""
        return compared(self, tokens or TOKENS, seed)

    # The command line.

    def is_problem(self, text: str) -> bool:
        """Whether an argument that names no file can be meant as a problem."""
        return True

    def suited(self, first: str) -> "BaseTask":
        """The task with the options that the first problem of a source asks for."""
        return self

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> "BaseTask":
        """The task as weights of this vocabulary know it, with what `saved` them; raises ValueError for other weights."""
        if vocab != self.vocab:
            raise ValueError("they are of another task: their vocabulary is not this task's")
        return self

    def saved(self) -> dict[str, Any]:
        """What has to be kept beside weights, as JSON, to encode and decode without any data or code of the user's."""
        return self.described()

    def prompted(self) -> Any:
        """The problem that the options of `generate` describe, of which many answers are drawn."""
        raise ValueError(f"{self.name} answers problems; give one to `apmdm run {self.name}`")

    def open(self, path: Path) -> list[Any]:
        """The problems of a file, by default one a line."""
        return list(lines(path).each(self.parse))

    def told(self, problem: Any) -> dict[str, Any]:
        """A problem as JSON, by which it is known again."""
        return {"problem": problem}

    def record(self, solution: Solution) -> dict[str, Any]:
        """A solution as JSON."""
        return self.told(solution.problem) | {"answer": solution.answer}

    def row(self, solution: Solution, seconds: float) -> str:
        """What is told of a solution to a reader; `seconds` have passed since the first began."""
        told = {"solved": "", "unverified": "", "unsolved": "  not right"}.get(solution.status, f"  {solution.status}")
        if solution.answer is None:
            return f"no answer; stopped: {solution.run.stop}  steps {solution.run.time}"
        return f"{solution.answer}{told}  steps {solution.run.time}"

    def deliver(self, solution: Solution) -> None:
        """Whatever else is done with a solution, such as saving it in a form of the task's own."""
