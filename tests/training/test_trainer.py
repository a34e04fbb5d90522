"""Training to the end, in two halves, through signals and failing disks, on the parity teacher."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import Loss, accuracy, supervised_loss
from apmdm.policy import Greedy
from apmdm.prediction import Prediction
from apmdm.sampler import rollouts
from apmdm.state import State
from apmdm.tasks.parity.process import VOCAB, decode, encode, teacher
from apmdm.training import checkpoint, progress
from apmdm.training.curves import Curves
from apmdm.training.optimizer import rate
from apmdm.training.stopping import SIGNALS
from apmdm.training.trainer import WEIGHTS, Compute, Outcome, Settings, seconds_a_step, train
from apmdm.vocab import MASK
from support import sequence, unchecked

SHAPE = Shape(width=16, layers=1, heads=2, attention="block", span=2, absolute=2)
SETTINGS, COMPUTE = Settings(steps=12, warmup=3, evaluate_every=5), Compute(checkpoint_every=4)
STATES = [(2,), (3,), (1,), (2, 2), (2, 3), (3, 2), (3, 3), (1, 3), (3, 1), (1, 1)]


def tiny_model(shape: Shape = SHAPE, seed: int = 0) -> Encoder:
    torch.manual_seed(seed)
    return Encoder(VOCAB, shape)


def batches(number: int) -> Batch:
    """Another half of the states for each number, so that a wrong number shows in the loss."""
    chosen = torch.randperm(len(STATES), generator=torch.Generator().manual_seed(number))[:5]
    state = State.stack([sequence(STATES[index]) for index in chosen.tolist()])
    return Batch(state, teacher(state))


def evaluate(model: Encoder) -> dict[str, float]:
    return {"embedding": float(model.embedding.detach().sum())}


def run(
    folder: Path,
    settings: Settings = SETTINGS,
    *,
    model: Encoder | None = None,
    batches: Batches = batches,
    resume: bool = False,
) -> Outcome:
    return train(model or tiny_model(), batches, evaluate, settings, folder, compute=COMPUTE, resume=resume)


def weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def assert_completes(folder: Path, whole: Outcome, whole_model: Encoder, done: int) -> None:
    """A resumed run does exactly what was left to do of the whole one."""
    model = tiny_model(seed=7)
    rest = run(folder, model=model, resume=True)
    assert rest.losses == whole.losses[done:]
    assert (rest.step, rest.finished, rest.evaluation) == (whole.step, True, whole.evaluation)
    assert same(weights(rest.model), weights(whole.model))
    assert same(weights(model), weights(whole_model))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Encoder]:
    """An uninterrupted run and the weights, not averaged, that it ended with."""
    model = tiny_model()
    return run(tmp_path_factory.mktemp("whole"), model=model), model


@pytest.fixture
def escaped() -> Iterator[list[int]]:
    """The signals that the trainer did not catch; without this they would end the tests."""
    caught: list[int] = []
    previous = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in SIGNALS}
    yield caught
    for number, handler in previous.items():
        signal.signal(number, handler)


def stops_at(number: int, event: Callable[[], None]) -> Batches:
    """Batches during one of which something happens."""

    def interrupted(n: int) -> Batch:
        if n == number:
            event()
        return batches(n)

    return interrupted


def power_cut() -> None:
    raise RuntimeError("power cut")


def test_a_run_has_an_outcome(whole: tuple[Outcome, Encoder]) -> None:
    outcome, model = whole
    assert (outcome.step, outcome.finished, len(outcome.losses)) == (12, True, 12)
    assert outcome.evaluation == evaluate(outcome.model)
    assert not same(weights(outcome.model), weights(model)), "the outcome is the average, not the last weights"
    assert not same(weights(model), weights(tiny_model()))


def test_the_same_run_twice_is_the_same(whole: tuple[Outcome, Encoder], tmp_path: Path) -> None:
    again = run(tmp_path)
    assert again.losses == whole[0].losses
    assert same(weights(again.model), weights(whole[0].model))


@pytest.mark.parametrize(("failing", "done"), [(4, 4), (6, 4), (11, 8)])
def test_interrupted_and_resumed_is_uninterrupted(
    failing: int, done: int, whole: tuple[Outcome, Encoder], tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path, batches=stops_at(failing, power_cut))
    assert_completes(tmp_path, *whole, done)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_a_batch_is_drawn_ends_the_run_with_a_checkpoint(
    number: signal.Signals, whole: tuple[Outcome, Encoder], escaped: list[int], tmp_path: Path
) -> None:
    before = signal.getsignal(number)
    part = run(tmp_path, batches=stops_at(6, lambda: os.kill(os.getpid(), number)))
    assert (part.step, part.finished, escaped) == (6, False, [])
    assert signal.getsignal(number) is before
    assert part.losses == whole[0].losses[:6]
    assert_completes(tmp_path, *whole, 6)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_a_step_ends_the_run_after_it(
    number: signal.Signals, whole: tuple[Outcome, Encoder], escaped: list[int], tmp_path: Path
) -> None:
    def objective(prediction: Prediction, batch: Batch, whole: Batch | None = None) -> Loss:
        asked.append(0)
        if len(asked) == 6:
            os.kill(os.getpid(), number)
        return supervised_loss(prediction, batch)

    asked: list[int] = []
    part = train(tiny_model(), batches, evaluate, SETTINGS, tmp_path, objective=objective)
    assert (part.step, part.finished, escaped) == (6, False, [])
    assert_completes(tmp_path, *whole, 6)


@pytest.mark.parametrize("when", [5, 10, 12])
def test_a_signal_during_an_evaluation_leaves_it_at_once(
    when: int, whole: tuple[Outcome, Encoder], escaped: list[int], tmp_path: Path
) -> None:
    def interrupted(model: Encoder) -> dict[str, float]:
        reached.append(min(SETTINGS.steps, 5 * len(reached) + 5))
        if reached[-1] == when:
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("this is not reached")
        return evaluate(model)

    reached: list[int] = []
    part = train(tiny_model(), batches, interrupted, SETTINGS, tmp_path)
    assert (part.step, part.finished, escaped) == (when, False, [])
    assert_completes(tmp_path, *whole, when)


def test_a_signal_before_the_first_step_leaves_nothing_that_blocks_the_folder(
    escaped: list[int], tmp_path: Path
) -> None:
    part = run(tmp_path, batches=stops_at(0, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    assert (part.step, part.finished, escaped) == (0, False, [])
    assert run(tmp_path).finished


def test_a_worker_that_dies_leaves_a_checkpoint(whole: tuple[Outcome, Encoder], tmp_path: Path) -> None:
    def die() -> None:
        raise ChildProcessError("killed")

    with pytest.raises(ChildProcessError):
        run(tmp_path, batches=stops_at(6, die))
    assert_completes(tmp_path, *whole, 6)


def test_a_finished_run_has_nothing_left_to_do(whole: tuple[Outcome, Encoder], tmp_path: Path) -> None:
    run(tmp_path)
    again = run(tmp_path, model=tiny_model(seed=7), resume=True)
    assert (again.step, again.finished, again.losses) == (12, True, [])
    assert same(weights(again.model), weights(whole[0].model))


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("I/O error")])
def test_a_full_disk_leaves_the_earlier_checkpoint(
    error: Exception, whole: tuple[Outcome, Encoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        if metadata["step"] == "8":
            path.write_bytes(b"half")
            raise error
        save_file(tensors, path, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_file", fill)
        with pytest.raises(OSError, match=r"checkpoint\.safetensors"):
            run(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if "checkpoint" in path.name] == [checkpoint.NAME]
    assert_completes(tmp_path, *whole, 4)


def test_a_full_disk_leaves_the_earlier_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, Settings(steps=2, warmup=1))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    before |= {WEIGHTS: (tmp_path / WEIGHTS).read_bytes()}

    def fill(model: Encoder, folder: Path) -> None:
        (Path(folder) / WEIGHTS).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "_save_pretrained", fill)
        with pytest.raises(OSError, match=r"could not write the weights .* the checkpoint there is complete"):
            run(tmp_path, Settings(steps=4, warmup=1), resume=True)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_full_disk_ends_the_curves_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread of its own writes them, which would print a traceback and leave the run going."""
    with (
        closing(Curves(tmp_path)) as curves,
        open("/dev/full", "wb", buffering=0) as full,
        monkeypatch.context() as patch,
    ):
        patch.setattr(curves.records, "_writer", full)
        with pytest.raises(OSError, match=r"could not write the curves .* No space left .* checkpoint .* untouched"):
            curves.add({"loss": 1.0}, 1)


def test_files_have_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        run(tmp_path, Settings(steps=2, warmup=1))
    finally:
        os.umask(before)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        path.name: "0o640" for path in tmp_path.iterdir()
    }


def test_a_log_file_has_a_line_now_and_then(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first evaluation too, and without control codes."""
    run(tmp_path / "quick", Settings(steps=4, warmup=1))
    first, last = capfd.readouterr().err.splitlines()
    assert re.fullmatch(r"step 1 of 4  loss \d+\.\d{5}  \d+\.\d steps/s", first)
    assert last.startswith("step 4  loss")
    monkeypatch.setattr(progress, "SECONDS_A_LINE", 0)
    run(tmp_path / "slow", Settings(steps=4, warmup=1))
    said = capfd.readouterr().err
    assert [line.split()[1] for line in said.splitlines()] == ["1", "2", "3", "4", "4"]
    assert "\x1b" not in said


def test_a_folder_that_cannot_be_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        run(tmp_path / "file")


def damaged(folder: Path, change: Callable[[Path], object]) -> None:
    """A checkpoint of a short run, spoilt."""
    run(folder, Settings(steps=2, warmup=1))
    change(folder / checkpoint.NAME)


def without(prefix: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        kept = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(prefix)}
        save_file(kept, path, metadata)

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "no safetensors": lambda path: path.write_bytes(b"\x80\x04 something else" * 99),
    "no step": lambda path: save_file(load_file(path), path),
    "a step that is no number": lambda path: save_file(load_file(path), path, {"step": "two"}),
    "no weights": without("model/"),
    "no average": without("average/"),
    "no first optimizer": without("optimizer/0/"),
    "no second optimizer": without("optimizer/1/"),
    "an incomplete optimizer": without("optimizer/1/0/step"),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_a_checkpoint_that_is_missing_or_damaged_is_refused(change: Callable[[Path], object], tmp_path: Path) -> None:
    damaged(tmp_path, change)
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors"):
        run(tmp_path, resume=True)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(width=8, layers=1, heads=2, attention="block", span=2, absolute=2),
        Shape(width=16, layers=2, heads=2),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(shape: Shape, tmp_path: Path) -> None:
    damaged(tmp_path, lambda path: None)
    with pytest.raises(ValueError, match="another model"):
        run(tmp_path, model=tiny_model(shape), resume=True)


def test_the_saved_weights_are_the_outcome(tmp_path: Path) -> None:
    outcome = run(tmp_path)
    assert same(weights(Encoder.from_pretrained(tmp_path)), weights(outcome.model))
    assert not list(tmp_path.glob("*.partial"))


def test_the_average_is_that_of_the_weights_after_every_step(tmp_path: Path) -> None:
    """Its memory grows with the steps until it is the chosen one."""
    model, history = tiny_model(), []

    def watching(number: int) -> Batch:
        history.append(weights(model))
        return batches(number)

    outcome = run(tmp_path, Settings(steps=8, warmup=1, average=0.3), model=model, batches=watching)
    mean, *later = [*history, weights(model)]
    for number, new in enumerate(later):
        keep = min(0.3, (1 + number) / (10 + number))
        mean = {name: keep * mean[name] + (1 - keep) * new[name] for name in mean}
    for name, tensor in weights(outcome.model).items():
        torch.testing.assert_close(tensor, mean[name])


def test_everything_measured_is_on_the_board(whole: tuple[Outcome, Encoder], tmp_path: Path) -> None:
    outcome = run(tmp_path)
    board = EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in board.Scalars("loss/total")] == list(range(1, 13))
    assert [event.value for event in board.Scalars("loss/total")] == pytest.approx(outcome.losses)
    assert [event.value for event in board.Scalars("rate")] == pytest.approx([rate(n, 12, 3) for n in range(12)])
    assert [event.step for event in board.Scalars("evaluation/embedding")] == [5, 10, 12]


def test_rates_are_applied(tmp_path: Path) -> None:
    """Without a rate nothing is learned, whatever the gradients."""
    model = tiny_model()
    run(tmp_path, Settings(steps=3, matrix_rate=0.0, other_rate=0.0), model=model)
    assert same(weights(model), weights(tiny_model()))


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "fp8"},
        *({name: 0} for name in ("steps", "focus", "evaluate_every")),
        *({name: share} for name in ("average", "dropout") for share in (-0.1, 1.0)),
    ],
    ids=str,
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with unchecked(), pytest.raises(ValueError, match=next(iter(settings))):
        Settings(**settings)


def test_focus_trains_on_the_least_probable_rows(tmp_path: Path) -> None:
    state = State.stack([sequence(tokens) for tokens in STATES])
    taught = teacher(state)
    every = Batch(state, taught)
    with torch.no_grad():
        order = tiny_model()(state).log_probability(state, taught).argsort()[:5]
    settings = Settings(steps=1)
    chosen = run(tmp_path / "chosen", settings, batches=lambda number: every[order])
    focused = run(tmp_path / "focused", replace(settings, focus=2), batches=lambda number: every)
    whole = run(tmp_path / "whole", settings, batches=lambda number: every)
    assert focused.losses == pytest.approx(chosen.losses)
    assert focused.losses[0] > whole.losses[0]


def test_dropout_hides_other_values_in_each_step_and_the_same_ones_when_resumed(tmp_path: Path) -> None:
    settings = replace(SETTINGS, dropout=0.3, matrix_rate=0.0, other_rate=0.0)
    alike = run(tmp_path / "alike", settings, batches=lambda _: batches(0)).losses
    assert len(set(alike)) == len(alike)
    settings, halves = replace(SETTINGS, dropout=0.3), tmp_path / "halves"
    whole = run(tmp_path / "whole", settings)
    with pytest.raises(RuntimeError, match="power cut"):
        run(halves, settings, batches=stops_at(9, power_cut))
    rest = run(halves, settings, model=tiny_model(seed=7), resume=True)
    assert rest.losses == whole.losses[8:]
    assert same(weights(rest.model), weights(whole.model))


def test_nothing_is_hidden_from_a_trained_model(tmp_path: Path) -> None:
    outcome = run(tmp_path, replace(SETTINGS, dropout=0.9))
    state = batches(0).state
    assert torch.equal(outcome.model(state).content, outcome.model(state).content)


def test_hints_are_those_of_the_rows_that_are_trained_on(tmp_path: Path) -> None:
    asked = []

    def objective(prediction: Prediction, batch: Batch, whole: Batch | None = None) -> Loss:
        assert batch.hints is not None
        asked.append((batch.state.ids.tolist(), batch.hints[..., 0].tolist()))
        return supervised_loss(prediction, batch)

    hints = Hints(1, lambda state: state.masked[..., None])
    settings = Settings(steps=2, focus=2)
    train(tiny_model(), batches, evaluate, settings, tmp_path, objective=objective, hints=hints)
    assert [len(ids) for ids, _ in asked] == [3, 3]
    assert all(bits == [[token == MASK for token in row] for row in ids] for ids, bits in asked)


def test_a_used_folder_is_refused_unless_resumed(tmp_path: Path) -> None:
    run(tmp_path, Settings(steps=2, warmup=1))
    kept = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"model\.safetensors and checkpoint\.safetensors already: resume"):
        run(tmp_path)
    (tmp_path / checkpoint.NAME).unlink()
    with pytest.raises(ValueError, match=r"model\.safetensors already: resume"):
        run(tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == kept


def test_a_thread_that_is_not_the_main_one_trains_as_well(whole: tuple[Outcome, Encoder], tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(run, tmp_path).result().losses == whole[0].losses


def test_the_time_of_a_step_is_that_of_the_fastest() -> None:
    model, numbers = tiny_model(), []

    def watching(number: int) -> Batch:
        numbers.append(number)
        return batches(number)

    assert 0 < seconds_a_step(model, watching, SETTINGS, num=4) < 10
    assert numbers == [0, 1, 2, 3]
    assert not same(weights(model), weights(tiny_model()))


def test_one_process_can_train_in_more_than_one_precision(tmp_path: Path) -> None:
    full = run(tmp_path / "full", Settings(steps=2, warmup=1))
    half = run(tmp_path / "half", Settings(steps=2, warmup=1, precision="bf16"))
    again = run(tmp_path / "again", Settings(steps=2, warmup=1))
    assert half.losses == pytest.approx(full.losses, rel=0.05)
    assert half.losses != full.losses
    assert again.losses == full.losses


@pytest.mark.parametrize(("amx", "same_as"), [(True, "bf16"), (False, "no")])
def test_auto_computes_in_bf16_where_that_is_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amx: bool, same_as: Literal["no", "bf16"]
) -> None:
    named = run(tmp_path / "named", Settings(steps=2, warmup=1, precision=same_as))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx})
    assert run(tmp_path / "auto", Settings(steps=2, warmup=1, precision="auto")).losses == named.losses


def test_a_teacher_is_learned_perfectly(tmp_path: Path) -> None:
    """From strings of one and two bits; every step is right, and so is the parity of longer strings."""
    state = State.stack([sequence(tokens) for tokens in STATES])
    taught = teacher(state)
    settings = Settings(steps=250, warmup=20)
    model = run(tmp_path, settings, batches=lambda number: Batch(state, taught)).model
    with torch.no_grad():
        assert set(accuracy(Greedy()(model(state), state), state, taught).values()) == {1.0}
    strings = [bin(n)[2:] for n in range(60)] + ["1" * 99, "10" * 200]
    runs = list(rollouts(model, map(encode, strings), max_steps=50, max_length=1000))
    assert {run.index: decode(run.final) for run in runs} == {n: bits.count("1") % 2 for n, bits in enumerate(strings)}
    assert {run.stop for run in runs} == {"fixed point"}
