"""check: find mistakes in a task before a model is trained on it. audit: find where a trained model goes wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

import torch

from apmdm import registry
from apmdm.base_task import BaseTask
from apmdm.drawing import joined_text, sketch
from apmdm.finding import Finding
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import accuracy, same_step
from apmdm.prediction import Prediction
from apmdm.sampler import Run
from apmdm.solution import Solution, calibration_error
from apmdm.trace import Step
from apmdm.trained import Model
from apmdm.vocab import MASK, readable

SHOWN, BINS, LISTED = 3, 10, 12
REMEDIES = (
    "a model sees only the state, so the state must show what comes next: mask less at once, keep the input in front "
    "of the working copy, add a token that names the phase, or use tuples as symbols that carry what is needed"
)


@dataclass(frozen=True)
class Check:
    """The result of `check`. findings: mistakes and notes. figures: of the teacher's runs."""

    findings: list[Finding]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        return not any(finding.mistake for finding in self.findings)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {"passed": self.passed, "findings": [asdict(finding) for finding in self.findings], **self.figures}

    def text(self) -> str:
        """As lines of text."""
        lines = [line for finding in self.findings for line in finding.lines()]
        lines += [f"{name}: {_told(value)}" for name, value in self.figures.items()]
        return "\n".join([*lines, "no mistake was found" if self.passed else "there are mistakes: see above"])


def check(task: BaseTask | str, *, num: int = 200, seed: int = 0) -> Check:
    """Run a task's teacher on random problems, and look for what would keep a model from learning it.

    task: a task, or the name of one. num: how many problems. seed: of the problems.
    """
    found = registry.find(task) if isinstance(task, str) else task
    random = Random(f"check {seed}")
    problems = [found.problem(random) for _ in range(num)]
    findings, sound = found.examined(problems)
    if not sound:
        return Check(findings, {"problems": num})
    runs = found.taught(sound, record=True) if found.has_runs else []
    if found.has_runs:
        findings += [*_ambiguous(found, sound, runs), *_ends(found, sound, runs)]
    return Check(findings, {"problems": num, **_run_figures(runs), **_state_figures(found, found.paths(sound))})


def _ambiguous(task: BaseTask, problems: Seq[Any], runs: Seq[Run]) -> Iterator[Finding]:
    """States that occur with different edits: no model can know what to do there."""
    decided: dict[Any, tuple[Any, int, int]] = {}
    clashes: list[tuple[int, int, int, int]] = []
    for number, (problem, run) in enumerate(zip(problems, runs, strict=True)):
        for place, (state, decision) in enumerate(_states(task, problem, run)):
            other, *where = decided.setdefault(state, (decision, number, place))
            if other != decision:
                clashes.append((where[0], where[1], number, place))
    if not clashes:
        return
    first, at, second, then = clashes[0]
    story = [
        line
        for run, place in ((runs[first], at), (runs[second], then))
        for line in (*_lines(task, problems[run.index], run, max(0, place - 2), place + 2), "")
    ]
    what = f"the same state is met with different edits, {len(clashes)} times; the first two places are"
    yield Finding(what, REMEDIES, True, story[:-1])


def _states(task: BaseTask, problem: Any, run: Run) -> Iterator[tuple[Any, Any]]:
    """Each state of a recorded run and its decisions, in a form that can be compared."""
    places = task.trace(problem, run).states() if task.encode(problem).coordinates is not None else []
    nothing = Step(tuple(run.final.ids.tolist()), {}, (), (), ())
    for number, step in enumerate((*run.steps, nothing)):
        grid = places[number].coordinates if places else None
        waiting = tuple(i for i in step.remask if step.tokens[i] != MASK)
        decision = tuple(sorted(step.unmask.items())), waiting, step.insert, step.delete
        yield (step.tokens, None if grid is None else tuple(grid.flatten().tolist())), decision


def _lines(task: BaseTask, problem: Any, run: Run, first: int, last: int) -> Iterator[str]:
    for number, state in enumerate(task.trace(problem, run).states()[first : last + 1], first):
        yield f"step {number}: {sketch(task.draw(state))}"


def _ends(task: BaseTask, problems: Seq[Any], runs: Seq[Run]) -> Iterator[Finding]:
    """Runs of the teacher that do not end, or whose answer is not right."""
    endless = [run for run in runs if run.stop != "fixed point"]
    if endless:
        what = f"{len(endless)} of {len(runs)} runs of the teacher do not end: {endless[0].stop}"
        yield Finding(what, "a run ends where nothing changes; let the teacher leave its last state as it is")
    answers = [task.judge(problems[run.index], run) for run in runs if run.stop == "fixed point"]
    wrong = sum(status == "unsolved" for _, status in answers)
    if wrong:
        told = next(answer for answer, status in answers if status == "unsolved")
        what = f"{wrong} of {len(answers)} answers of the teacher are not right, such as {told!r}"
        yield Finding(what, "the process, `answer` and `verify` do not agree; one of them is wrong")


def _run_figures(runs: Seq[Run]) -> dict[str, Any]:
    if not runs:
        return {}
    times, spaces = [run.time for run in runs], [run.space for run in runs]
    return {
        "steps of a run": {"mean": round(sum(times) / len(times), 2), "max": max(times)},
        "length": {"mean of the longest states": round(sum(spaces) / len(spaces), 2), "max": max(spaces)},
    }


def _state_figures(task: BaseTask, batches: Iterable[Batch]) -> dict[str, Any]:
    """How often each operation fires, and which symbols the teacher never writes."""
    fired, written = Counter[str](), set[int]()
    for batch in batches:
        state, edits = batch.state, batch.edits
        writes = edits.unmasked(state) & state.valid
        kinds = {
            "unmask": writes,
            "remask": edits.remask & ~state.masked,
            "insert": edits.insert,
            "delete": edits.delete & state.masked,
        }
        fired.update({name: int((bits & state.valid).any(1).sum()) for name, bits in kinds.items()})
        fired["states"] += len(state)
        written |= set(edits.content[writes].tolist())
    symbols = task.vocab.symbols[MASK + 1 :]
    never = [readable(symbol) for token, symbol in enumerate(symbols, MASK + 1) if token not in written]
    shares = {name: round(fired[name] / fired["states"], 4) for name in ("unmask", "remask", "insert", "delete")}
    return {
        "different states" if task.has_runs else "states": fired["states"],
        "share of the states in which it fires": shares,
        "symbols": len(symbols),
        "only input, never written": never,
    }


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, list):
        more = f" and {len(value) - LISTED} more" if len(value) > LISTED else ""
        return (", ".join(map(str, value[:LISTED])) or "none") + more
    return str(value)


@dataclass(frozen=True)
class Divergence:
    """The step at which a failed run first differs from the teacher's run.

    state: before that step. model and teacher: what each of them does there. model_next and teacher_next: what follows.
    """

    problem: Any
    answer: Any
    stop: str
    step: int
    state: str
    model: str
    teacher: str
    model_next: str
    teacher_next: str

    def lines(self) -> list[str]:
        return [
            f"{self.problem!r}: {self.answer!r}, stopped: {self.stop}; differs from the teacher at step {self.step}",
            *_block("state", self.state),
            *_block("model", f"{self.model}\n{self.model_next}"),
            *_block("teacher", f"{self.teacher}\n{self.teacher_next}"),
        ]


@dataclass(frozen=True)
class Audit:
    """The result of `audit`.

    figures: of the model's own runs, as evaluate gives them.
    decisions: on the states of the teacher's runs, the share of the model's decisions that are right, by operation.
    calibration: the expected calibration error of a step. It is 0 if steps that the model holds for 90 % probable are
    right in 90 % of the cases, and so on.
    divergences: where failed runs first differ from the teacher's.
    """

    figures: dict[str, Any]
    decisions: dict[str, float]
    calibration: float | None
    divergences: list[Divergence]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def text(self) -> str:
        """As lines of text."""
        lines = [f"{name.replace('_', ' ')}: {_told(value)}" for name, value in self.figures.items()]
        lines += [f"right under the teacher: {_told(self.decisions)}"] if self.decisions else []
        if self.calibration is not None:
            lines.append(f"expected calibration error of a step: {self.calibration}")
        return "\n".join([*lines, *(line for one in self.divergences[:SHOWN] for line in one.lines())])


def audit(model: Model, *, num: int = 200, seed: int = 1, device: str = "cpu") -> Audit:
    """Run a model and its teacher on the same problems, and compare what they do.

    num: how many problems. seed: of the problems. device: where the model runs.
    """
    task = model.task
    problems = task.sample(num, seed)
    solutions = sorted(
        task.solve(model.encoder, problems, seed=seed, record=True, device=device), key=lambda one: one.run.index
    )
    figures = task.summary(solutions, model.encoder)
    if not task.has_runs:
        return Audit(figures, {}, None, [])
    decisions, calibration = _under_teacher(model, problems, device)
    failed = [solution for solution in solutions if solution.status == "unsolved"]
    found = [_divergence(task, solution) for solution in failed[:BINS]]
    return Audit(figures, decisions, calibration, [one for one in found if one is not None])


@torch.no_grad()
def _under_teacher(model: Model, problems: Seq[Any], device: str) -> tuple[dict[str, float], float | None]:
    """Accuracy by operation and calibration of steps, on the teacher's states; nothing if the policy is random."""
    task, weighed, total = model.task, Counter[str](), Counter[str]()
    sure, right = [], []
    policy, decoder = task.policy(0), task.decoder(model.encoder, device)
    if not policy.deterministic:
        return {}, None
    for whole in task.paths(problems):
        batch = whole.to(device)
        prediction = decoder(batch.state)
        assert isinstance(prediction, Prediction)
        said = policy(prediction, batch.state)
        shares = accuracy(said, batch.state, batch.edits)
        weighed.update({name: share * len(batch.state) for name, share in shares.items()})
        total.update(dict.fromkeys(shares, len(batch.state)))
        sure.append(prediction.log_probability(batch.state, said).exp().cpu())
        right.append(same_step(said, batch.state, batch.edits).cpu())
    decisions = {name: round(weighed[name] / total[name], 5) for name in total}
    return decisions, round(calibration_error(torch.cat(sure).tolist(), torch.cat(right).tolist()), 5)


def _divergence(task: BaseTask, solution: Solution) -> Divergence | None:
    (taught,) = task.taught([solution.problem], record=True)
    own, other = (task.trace(solution.problem, run) for run in (solution.run, taught))
    states, right = own.states(), other.states()
    steps, teacher = [*own.steps, None], [*other.steps, None]
    for number, (mine, theirs) in enumerate(zip(steps, teacher, strict=False)):
        if mine != theirs:
            drawn = (sketch(task.draw(run[min(number + 1, len(run) - 1)])) for run in (states, right))
            decisions = (_decision(task, step) for step in (mine, theirs))
            before = sketch(task.draw(states[number]))
            end = solution.answer, solution.run.stop
            return Divergence(solution.problem, *end, number, before, *decisions, *drawn)
    return None


def _decision(task: BaseTask, step: Step | None) -> str:
    """A decision in words: what is written, remasked, inserted and deleted, and where."""
    if step is None:
        return "nothing"
    written = [f"writes {joined_text([task.vocab.symbols[token]])} at {i}" for i, token in step.unmask.items()]
    lost = [i for i in step.remask if step.tokens[i] != MASK]
    bits = (("remasks", lost), ("inserts after", step.insert), ("deletes", step.delete))
    told = [*written, *(f"{name} {', '.join(map(str, places))}" for name, places in bits if places)]
    return "; ".join(told) or "nothing"


def _block(name: str, text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"  {name:<8}{first}", *(f"  {'':<8}{line}" for line in rest)]
