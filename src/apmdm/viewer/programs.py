"""Programs for a parallel machine on the live page, each run as a process that rewrites its own state."""

from collections.abc import Mapping
from typing import Any

from apmdm.sampler import Observation
from apmdm.theory.estimate import Estimate
from apmdm.theory.pram import Mode, execute
from apmdm.theory.programs import ENTRIES, ProgramProblem
from apmdm.theory.run import own_problem, problem_of
from apmdm.theory.simulate import Form, simulate
from apmdm.trace import Trace
from apmdm.viewer.watch import Limits, Start, Watch

MOST_TOKENS = 4_000_000
"""Of a program's run, over all its steps."""
MEMORY = "memory:"
OWN_PROGRAM = """memory: 3 1 2
    LI r1 0
    LD r2 r1
    LI r1 1
    LD r3 r1
    ADD r2 r2 r3
    LI r1 2
    ST r1 r2
    HALT"""


class Programs:
    """Those of the library on a random input, and programs that are typed in."""

    name = "programs"
    FORMS: tuple[Form, ...] = ("ap-mdm", "mdm", "arm")
    LARGEST = 16

    def about(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": "A program for a parallel machine, run as a process that rewrites its own state.",
            "form": f"a name and a size up to {self.LARGEST}, such as `prefix_sum 4`; there are {', '.join(ENTRIES)}. "
            "A program of your own begins with a line such as `memory: 3 1 2`, and its instructions follow",
            "by": list(self.FORMS),
            "options": [],
            "examples": [*((f"{name} 4", {}) for name in ENTRIES), (OWN_PROGRAM, {})],
        }

    def prepared(self, by: str, text: str, options: Mapping[str, Any], limits: Limits) -> Start:
        title, problem, mode = self._problem(text)
        forms: dict[str, Form] = {form: form for form in self.FORMS}
        if by not in forms:
            raise ValueError(f"a program runs by {', '.join(self.FORMS)}, not by {by[:40]!r}")
        reference = execute(problem.job, mode, limits.steps)

        def start(watch: Watch) -> None:
            watching = Watching(limits.seconds, lambda line: None)
            watching.watch = watch
            options: dict[str, Any] = {"record": True, "max_steps": limits.steps, "estimate": watching}
            outcome = simulate(problem.job, forms[by], mode, **options)
            assert outcome.run is not None
            assert outcome.vocab is not None
            right = outcome.memory == reference.memory and problem.holds(outcome.memory)
            told = {"status": "solved" if right else "unsolved", "memory": " ".join(map(str, outcome.memory))}
            trace = Trace(outcome.vocab, outcome.run.steps, tuple(outcome.run.final.ids.tolist()))
            watch.begin(outcome.vocab, None, {"title": f"{title}, {by}"})
            watch.play(trace, told)

        return start

    def _problem(self, text: str) -> tuple[str, ProgramProblem, Mode]:
        first, _, program = text.strip().partition("\n")
        if first.startswith(MEMORY):
            return "a program", *own_problem(program, first.removeprefix(MEMORY), 1, "the first line")
        name, _, size = first.partition(" ")
        if program or name not in ENTRIES or not size.isdecimal() or not 1 <= int(size[:9]) <= self.LARGEST:
            raise ValueError(f"give {self.about()['form']}")
        return first, *problem_of(name, int(size), 0, None, 1)


class Watching(Estimate):
    """An estimate that also ends a run that nobody watches any more, or that is too large for a film."""

    watch: Watch
    tokens: int = 0

    def __call__(self, observation: object) -> None:
        assert isinstance(observation, Observation)
        self.tokens += observation.state.ids.numel()
        if self.watch.left:
            raise ValueError("nobody watches")
        if self.tokens > MOST_TOKENS:
            raise ValueError(f"the run has more than {MOST_TOKENS:,} tokens over all steps; take a smaller input")
        super().__call__(observation)
