"""The encoder against a slow forward pass, its indifference to padding, and its weights on disk."""

import copy
import json
import math
import os
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from apmdm.model.attention import STARTING_BIAS, ConditionalLinear, Relations
from apmdm.model.encoder import Dropout, Encoder, Shape
from apmdm.prediction import Prediction
from apmdm.state import NOWHERE, Sequence, State
from apmdm.vocab import MASK, PAD, Vocab, joined
from reference import slow_forward
from support import padded_more, sequence, stack, unchecked

VOCAB = Vocab.of(joined("12", "xy"), "z")
ATTENTION: dict[str, dict[str, Any]] = {
    "full": {},
    "causal": {"attention": "causal"},
    "written": {"attention": "written"},
    "window": {"attention": "window", "span": 2},
    "block": {"attention": "block", "span": 3},
}
POSITIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "rotary": {"rotary": True},
    "absolute": {"absolute": 12},
    "relational": {"relations": ((0, 0), (1, 1), (0, 1))},
    "ordered": {"relations": ((0, 0), (1, 1), "before")},
    "every kind": {"rotary": True, "absolute": 12, "relations": ("before", (1, 0))},
}
SHAPES = {
    f"{attention}, {positions}": Shape(width=8, layers=2, heads=2, **ATTENTION[attention], **POSITIONS[positions])
    for attention in ATTENTION
    for positions in POSITIONS
}
SHAPES["longer than trained"] = Shape(width=8, layers=2, heads=2, trained_length=4, **POSITIONS["every kind"])
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
FIELDS = ("content", "remask", "insert", "delete")


def model_of(shape: Shape, spread: float = 0.6) -> Encoder:
    """With weights far from where training starts, so that every part shows in the predictions."""
    torch.manual_seed(0)
    model = Encoder(VOCAB, shape)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=spread)
    return model.eval()


def some_sequences() -> list[Sequence]:
    draw = random.Random(0)
    sequences = []
    for length in (4, 0, 7, 1, 7, 3):
        tokens = tuple(draw.randrange(MASK, len(VOCAB)) for _ in range(length))
        places = tuple((draw.randrange(NOWHERE, 3), draw.randrange(NOWHERE, 3)) for _ in range(length))
        sequences.append(sequence(tokens, places, 2))
    return sequences


def assert_same(found: Prediction, row: int, expected: Prediction | dict[str, torch.Tensor], length: int) -> None:
    for name in FIELDS:
        wanted = expected[name] if isinstance(expected, dict) else getattr(expected, name)[0, :length]
        torch.testing.assert_close(getattr(found, name)[row, :length], wanted, atol=1e-5, rtol=1e-5)


@every_shape
@torch.no_grad()
def test_padding_changes_no_prediction(shape: Shape) -> None:
    model, sequences = model_of(shape), some_sequences()
    batch = padded_more(State.stack(sequences), 2)
    together = model(batch)
    for row, alone in enumerate(sequences):
        assert_same(together, row, model(State.stack([alone])), len(alone))


@every_shape
@torch.no_grad()
def test_what_is_in_the_padding_does_not_matter(shape: Shape) -> None:
    model, batch = model_of(shape), State.stack(some_sequences())
    assert batch.coordinates is not None
    ids = torch.where(batch.valid, batch.ids, MASK + 1)
    grid = torch.where(batch.valid[..., None], batch.coordinates, 1)
    clean, dirty = model(batch), model(State(ids, batch.lengths, grid))
    for name in FIELDS:
        torch.testing.assert_close(
            getattr(dirty, name)[batch.valid], getattr(clean, name)[batch.valid], atol=1e-5, rtol=1e-5
        )


@every_shape
@torch.no_grad()
def test_a_batch_in_parts_is_the_whole(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = model_of(shape), State.stack(some_sequences())
    whole = model(batch)
    monkeypatch.setattr("apmdm.model.encoder.SCORES", 1)
    parts = model(batch)
    for name in FIELDS:
        found, wanted = (getattr(one, name)[batch.valid] for one in (parts, whole))
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@every_shape
@torch.no_grad()
def test_fast_is_slow(shape: Shape) -> None:
    model, sequences = model_of(shape), [one for one in some_sequences() if len(one)]
    found = model(State.stack(sequences))
    for row, alone in enumerate(sequences):
        assert_same(found, row, slow_forward(model, alone), len(alone))


@every_shape
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_empty_states_have_empty_predictions(shape: Shape, rows: int) -> None:
    batch = State(torch.empty(rows, 0).long(), torch.zeros(rows).long(), torch.empty(rows, 0, 2).long())
    found = model_of(shape)(batch)
    assert found.content.shape == (rows, 0, len(VOCAB))
    assert found.remask.shape == found.insert.shape == found.delete.shape == (rows, 0)


@every_shape
def test_no_rows_have_no_predictions(shape: Shape) -> None:
    found = model_of(shape)(State.stack(some_sequences())[:0])
    assert found.content.shape == (0, 7, len(VOCAB))
    assert found.remask.shape == (0, 7)


@pytest.mark.parametrize("attention", ATTENTION)
@torch.no_grad()
def test_who_sees_whom(attention: str) -> None:
    """With one layer, changing the token at j changes the prediction at i exactly where i may look at j."""
    rules = {
        "full": lambda i, j: True,
        "causal": lambda i, j: j <= i,
        "written": lambda i, j: j <= i,
        "window": lambda i, j: abs(i - j) <= 2,
        "block": lambda i, j: i // 3 == j // 3,
    }
    model = model_of(Shape(width=8, layers=1, heads=2, **ATTENTION[attention]))
    before = model(stack((3,) * 8)).insert[0]
    for j in range(8):
        after = model(stack((3,) * j + (5,) + (3,) * (7 - j))).insert[0]
        assert [bool(abs(x - y) > 1e-6) for x, y in zip(before, after, strict=True)] == [
            rules[attention](i, j) for i in range(8)
        ]


@pytest.mark.parametrize("positions", POSITIONS)
@torch.no_grad()
def test_one_pass_with_a_mask_before_every_token_tells_what_the_steps_from_left_to_right_do(positions: str) -> None:
    model = model_of(Shape(width=8, layers=2, heads=2, attention="written", **POSITIONS[positions]))
    tokens, places = (3, 5, 4, 6, 3), ((0, 1), (1, 1), (1, 2), (2, 0), (0, 2))
    between = tuple(each for token in tokens for each in (MASK, token))
    whole = model(State.stack([sequence(between, tuple(place for place in places for _ in range(2)), 2)]))
    for num in range(len(tokens)):
        rest = (MASK,) * (len(tokens) - num)
        step = model(State.stack([sequence(tokens[:num] + rest, places, 2)]))
        for name in FIELDS:
            torch.testing.assert_close(getattr(whole, name)[0, 2 * num], getattr(step, name)[0, num])


@torch.no_grad()
def test_only_equality_of_coordinates_matters() -> None:
    model = model_of(SHAPES["full, relational"])
    for alone in some_sequences():
        assert alone.coordinates is not None
        renamed = torch.where(alone.coordinates == NOWHERE, NOWHERE, 17 - 3 * alone.coordinates)
        found = model(State.stack([Sequence(alone.ids, renamed)]))
        assert_same(found, 0, model(State.stack([alone])), len(alone))


@torch.no_grad()
def test_positions_without_names_are_interchangeable() -> None:
    model, (*_, alone) = model_of(SHAPES["full, relational"]), some_sequences()[:3]
    order = torch.randperm(len(alone), generator=torch.Generator().manual_seed(0))
    assert alone.coordinates is not None
    moved = model(State.stack([Sequence(alone.ids[order], alone.coordinates[order])]))
    expected = model(State.stack([alone]))
    torch.testing.assert_close(moved.content[0], expected.content[0, order], atol=1e-5, rtol=1e-5)


@every_shape
def test_every_parameter_is_used(shape: Shape) -> None:
    model = model_of(shape)
    found = model(State.stack(some_sequences()))
    valid = State.stack(some_sequences()).valid
    (
        sum(getattr(found, name)[valid].sum() for name in FIELDS[1:]) + found.content[valid][:, 2:].square().sum()
    ).backward()
    unused = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert unused == []


def test_heads_start_along_their_own_relations() -> None:
    """They prefer them; apart, they avoid everything else."""
    relations = Relations(((0, 0), "before", (1, 1)), heads=4)
    for otherwise in (0.0, -STARTING_BIAS):
        for pattern, heads in enumerate(relations.bias.tolist()):
            own = [STARTING_BIAS if pattern >> relation & 1 else otherwise for relation in range(3)]
            assert heads == [own[0], 0.0, own[2], 0.0]
        relations.start_apart()


def test_biases_of_relations_are_those_of_an_embedding_and_so_is_their_gradient() -> None:
    relations, patterns = Relations(((0, 0), "before", (1, 1)), heads=4), torch.randint(8, (3, 5, 7), dtype=torch.int)
    looked_up = nn.functional.embedding(patterns, relations.bias).permute(0, 3, 1, 2)
    chosen, wanted = relations(patterns), torch.randn(3, 4, 5, 7)
    assert chosen.equal(looked_up)
    gradients = [torch.autograd.grad((bias * wanted).sum(), relations.bias)[0] for bias in (chosen, looked_up)]
    torch.testing.assert_close(*gradients)


def test_pad_and_mask_are_never_content() -> None:
    content = model_of(SHAPES["full, none"])(stack((MASK, 3))).content
    assert content[..., [PAD, MASK]].eq(-math.inf).all()
    assert content[..., 2:].isfinite().all()


@pytest.mark.parametrize(
    "settings",
    [
        {"width": 6, "heads": 4},
        {"width": 0},
        {"layers": 0},
        {"heads": 0},
        {"heads": -2},
        {"width": 6, "heads": 2, "rotary": True},
        {"attention": "sideways"},
        {"attention": "window"},
        {"attention": "block", "span": 0},
        {"absolute": -1},
        {"relations": ((0, -1),)},
        {"relations": ("before",)},
        {"trained_length": 1},
        {"trained_length": 9, "attention": "causal"},
    ],
    ids=str,
)
def test_bad_shapes_are_refused(settings: dict[str, Any]) -> None:
    with (
        unchecked(),
        pytest.raises(ValueError, match=r"width|layers|heads|attention|positions|relations|trained"),
    ):
        Shape(**settings)


def test_states_that_the_model_cannot_take_are_refused() -> None:
    with pytest.raises(ValueError, match="coordinates"):
        model_of(SHAPES["full, relational"])(stack((3,)))
    with pytest.raises(ValueError, match="coordinates"):
        model_of(SHAPES["full, relational"])(State.stack([sequence((3,), ((0,),))]))
    with pytest.raises(ValueError, match=r"13 .* 12"):
        model_of(SHAPES["full, absolute"])(stack((3,) * 13))


@every_shape
@torch.no_grad()
def test_saved_and_loaded_it_predicts_the_same(shape: Shape, tmp_path: Path) -> None:
    model, batch = model_of(shape), State.stack(some_sequences())
    model.save_pretrained(tmp_path)
    loaded = Encoder.from_pretrained(tmp_path)
    assert (loaded.vocab, loaded.shape) == (model.vocab, model.shape)
    for name in FIELDS:
        assert torch.equal(getattr(loaded(batch), name)[batch.valid], getattr(model(batch), name)[batch.valid])


def test_files_hold_json_and_tensors_only(tmp_path: Path) -> None:
    model_of(SHAPES["full, every kind"]).save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["vocab"]["symbols"] == list(VOCAB.symbols)
    assert (config["shape"]["width"], config["shape"]["relations"]) == (8, ["before", [1, 0]])
    assert set(load_file(tmp_path / "model.safetensors")) == {
        name for name, _ in model_of(SHAPES["full, every kind"]).named_parameters()
    }


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors", "config.json"])
def test_loading_executes_nothing(name: str, tmp_path: Path) -> None:
    weights, sprung = tmp_path / "weights", tmp_path / "sprung"
    model_of(SHAPES["full, none"]).save_pretrained(weights)
    (weights / "model.safetensors").unlink()
    (weights / name).write_bytes(pickle.dumps({"embedding": Trap(sprung)}))
    with pytest.raises((ValueError, OSError, SafetensorError)):
        Encoder.from_pretrained(weights)
    assert not sprung.exists()


def test_a_pickle_on_the_hub_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(SHAPES["full, none"])
    model.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")

    def download(repo_id: str, filename: str, **_: Any) -> str:
        if not (tmp_path / filename).exists():
            raise LocalEntryNotFoundError(filename)
        return str(tmp_path / filename)

    monkeypatch.setattr("huggingface_hub.hub_mixin.hf_hub_download", download)
    with pytest.raises((ValueError, OSError), match=r"pickle|safetensors"):
        Encoder.from_pretrained("someone/something")


@pytest.mark.parametrize("change", ["missing", "superfluous", "misshapen"])
def test_weights_that_do_not_fit_are_refused(change: str, tmp_path: Path) -> None:
    """A weight that is missing must not be left at its random start."""
    model_of(SHAPES["full, none"]).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    changed = {
        "missing": {},
        "superfluous": {"other": torch.zeros(1)},
        "misshapen": {"norm.bias": torch.zeros(1)},
    }
    kept = {name: tensor for name, tensor in tensors.items() if change != "missing" or name != "norm.bias"}
    save_file(kept | changed[change], tmp_path / "model.safetensors")
    with pytest.raises((ValueError, RuntimeError), match=r"norm\.bias|other"):
        Encoder.from_pretrained(tmp_path)


def test_a_condition_adds_matrices_of_low_rank_to_those_of_the_layers() -> None:
    shape = Shape(width=8, layers=2, heads=2, attention="written", rotary=True)
    torch.manual_seed(0)
    model = Encoder(VOCAB, shape, conditions=("z", "2@y")).eval()
    plain = Encoder(VOCAB, shape).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    one, other = VOCAB.encode(["1@x", "2@x"])
    rows = [(one, other, MASK), *((one, condition, MASK) for condition in VOCAB.encode(["z", "2@y"]))]
    states = [stack(row) for row in rows]
    assert all(torch.equal(model(state).content, plain(state).content) for state in states)
    for name, parameter in model.named_parameters():
        if name.endswith("widen"):
            nn.init.normal_(parameter)
    together = model(stack(*rows)).content
    for number, state in enumerate(states):
        merged = copy.deepcopy(plain)
        for name, linear in model.named_modules():
            if isinstance(linear, ConditionalLinear):
                assert linear.narrow is not None
                assert linear.widen is not None
                merged.get_parameter(f"{name}.weight").data += (linear.narrow[number] @ linear.widen[number]).T
        assert torch.allclose(together[number], merged(state).content[0], atol=1e-4)
        assert not torch.allclose(together[number], plain(state).content[0], atol=1e-2)


def test_conditions_are_saved_with_the_weights(tmp_path: Path) -> None:
    model = Encoder(VOCAB, Shape(width=8, layers=1, heads=2), conditions=("z",))
    model.save_pretrained(tmp_path)
    assert Encoder.from_pretrained(tmp_path).conditions == ("z",)


def test_conditions_need_attention_that_sees_them() -> None:
    with pytest.raises(ValueError, match="not by window attention"):
        Encoder(VOCAB, Shape(width=8, layers=1, heads=2, attention="window", span=1), conditions=("z",))


def test_dropout_hides_the_same_dimensions_at_all_positions() -> None:
    torch.manual_seed(0)
    shown = Dropout(0.5)(torch.ones(3, 4, 64))
    assert torch.equal(shown, shown[:, :1].expand_as(shown))
    assert set(shown.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(shown[0], shown[1])
    assert torch.equal(Dropout(0.5).eval()(torch.ones(1, 2, 3)), torch.ones(1, 2, 3))
