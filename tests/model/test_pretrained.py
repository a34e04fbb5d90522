"""Encoders of transformers as models: the contract of Encoder, training from texts, and what is refused."""

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import apmdm
from apmdm import weights
from apmdm.cli import main
from apmdm.model.pretrained import Pretrained, PretrainedEncoder, read_tokenizer
from apmdm.recipe import Recipe
from apmdm.state import State
from apmdm.vocab import MASK, PAD, Vocab

transformers = pytest.importorskip("transformers", reason="the extra `transformers` is not installed")
tokenizers = pytest.importorskip("tokenizers")

LETTERS = "abcdefgh"
NAMES = ["[UNK]", "[CLS]", "[PAD]", "[SEP]", "[MASK]", "@", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
SIZE = {"vocab_size": len(NAMES), "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZE |= {"intermediate_size": 32, "pad_token_id": 2}
KINDS: dict[str, Callable[[], Any]] = {
    "bert": lambda: transformers.BertConfig(**SIZE, max_position_embeddings=40),
    "modernbert": lambda: transformers.ModernBertConfig(
        **SIZE, bos_token_id=1, eos_token_id=3, cls_token_id=1, sep_token_id=3, local_attention=8
    ),
}
TEXTS = ["ab cd", "cd ef gh", "a b c d", "gh ab", "ef cd ab", "hg fe"]
SETTINGS = {"training.steps": 4, "data.batch_size": 4, "compute.checkpoint_every": 2}


def write_tokenizer(folder: Path, **names: Any) -> None:
    own = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({name: number for number, name in enumerate(NAMES)}, unk_token="[UNK]")
    )
    own.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    own.decoder = tokenizers.decoders.WordPiece()
    own.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 1))
    special = {"mask_token": "[MASK]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    special |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    known = {key: name for key, name in (special | names).items() if name is not None}
    transformers.PreTrainedTokenizerFast(tokenizer_object=own, **known).save_pretrained(str(folder))


def write_encoder(folder: Path, kind: str = "bert") -> Path:
    torch.manual_seed(0)
    transformers.AutoModel.from_config(KINDS[kind]()).save_pretrained(str(folder))
    write_tokenizer(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"), request.param)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return write_encoder(tmp_path / "bert")


def begun(folder: Path, **options: Any) -> PretrainedEncoder:
    shape = Pretrained.of(folder)
    return PretrainedEncoder.begun(read_tokenizer(shape).vocab, shape, **options).eval()


def changed(folder: Path, **values: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


def states(folder: Path, *texts: str) -> list[list[int]]:
    tokenizer = read_tokenizer(Pretrained.of(folder))
    return [[*tokenizer.encode(text), *tokenizer.end] for text in texts]


def test_tokens_are_those_of_the_encoder(folder: Path) -> None:
    tokenizer = read_tokenizer(Pretrained.of(folder))
    assert tokenizer.vocab.symbols[:2] == ("<pad>", "<mask>")
    assert set(tokenizer.vocab.symbols[2:]) == {name.replace("@", "%40") for name in NAMES} - {"[PAD]", "[MASK]"}
    tokens = tokenizer.encode("ab [MASK] @")
    assert tokenizer.vocab.decode(tokens) == ["[CLS]", "a", "##b", "<mask>", "%40"]
    assert tokenizer.vocab.decode(tokenizer.end) == ["[SEP]"]
    assert tokenizer.decode([*tokens, *tokenizer.end]) == "ab [MASK] @"


@torch.no_grad()
def test_predictions_do_not_depend_on_padding(folder: Path) -> None:
    model, rows = begun(folder, hints=2, conclusions=1), states(folder, "ab", "ab cd ef gh [MASK] a b c d e f g h", "")
    together = model(State.stack([*rows, []]))
    for place, row in enumerate(rows):
        alone = model(State.stack([row]))
        for one, other in zip(alone.tensors, together.tensors, strict=True):
            torch.testing.assert_close(one[0], other[place, : len(row)])
    assert bool(together.content[..., [PAD, MASK]].isneginf().all())
    assert bool(together.remask.isfinite().all())
    assert model(State.stack([[], []])).content.shape == (2, 0, len(model.vocab))


@torch.no_grad()
def test_the_vectors_are_those_of_the_encoder(folder: Path) -> None:
    tokens = states(folder, "ab [MASK] cd")
    state, model = State.stack(tokens), begun(folder)
    known = transformers.AutoModel.from_pretrained(str(folder)).eval()
    names = [{"<mask>": "[MASK]"}.get(name, name) for name in model.vocab.decode(tokens[0])]
    right = known(input_ids=torch.tensor([[NAMES.index(name) for name in names]])).last_hidden_state
    torch.testing.assert_close(model(state).remask, (right @ model.controls.weight[0] + model.controls.bias[0]))


@torch.no_grad()
def test_symbols_of_a_task_get_vectors_beside_the_known_ones(bert: Path) -> None:
    shape, table = Pretrained.of(bert), load_file(bert / "model.safetensors")["embeddings.word_embeddings.weight"]
    model = PretrainedEncoder.begun(Vocab.of("a", "new", "##b", "other"), shape)
    assert torch.equal(model.embedding[: len(NAMES)], table)
    assert model.own_ids.tolist() == [2, 4, NAMES.index("a"), len(NAMES), NAMES.index("##b"), len(NAMES) + 1]
    assert model(State.stack([[2, 3, 4, 5, MASK]])).content.shape == (1, 5, 6)


def test_train_save_load_sample_resume(folder: Path, tmp_path: Path) -> None:
    task = apmdm.Task.from_sequences(TEXTS, encoder=str(folder))
    whole = apmdm.train(task, tmp_path / "whole", settings=SETTINGS)
    apmdm.train(task, tmp_path / "run", settings=SETTINGS | {"training.steps": 2})
    apmdm.train(task, tmp_path / "run", settings=SETTINGS, resume=True)
    assert Recipe.described(task.recipe())["settings"]["shape"]["sha256"]

    again = apmdm.load(tmp_path / "run")
    again.save_pretrained(tmp_path / "copy")
    copy, alone = apmdm.load(tmp_path / "copy"), PretrainedEncoder.from_pretrained(tmp_path / "copy").eval()
    state = State.stack(states(folder, "ab [MASK] cd", "gh"))
    with torch.no_grad():
        right = whole(state).content
        for model in (again, copy, alone):
            torch.testing.assert_close(model(state).content, right)
    problems = ["ab [MASK] cd", "gh ef\tgh"]
    found, expected = (apmdm.generate(model, problems, max_steps=20) for model in (copy, whole))
    assert [one.answer for one in found] == [one.answer for one in expected]
    assert found[0].status in ("unverified", "unsolved")
    assert apmdm.evaluate(whole, num=3)["parameters"] == whole.encoder.num_parameters()
    for name in ("manifest.json", "README.md", "tokenizer.json", "config.json", "model.safetensors"):
        assert (tmp_path / "copy" / name).is_file()
    assert (tmp_path / "copy" / "README.md").read_text() == (tmp_path / "run" / "README.md").read_text()


def test_a_file_of_corrections_from_the_command_line(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("\n".join(f"{text} ab\t{text}" for text in TEXTS))
    settings = [part for path, value in SETTINGS.items() for part in ("--set", f"{path}={value}")]
    for command, code in (
        (["train", "notes.txt", "--encoder", "bert", *settings], 0),
        (["info", "runs/notes"], 0),
        (["run", "runs/notes", "ab [MASK]", "--limit", "1"], 0),
        (["eval", "notes.txt", "--weights", "runs/notes", "--num", "1"], 0),
        (["compare", "notes.txt", "--encoder", "bert"], 2),
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert (ended.value.code or 0) == code, capsys.readouterr().err
    assert "with given errors" in Path("runs/notes/README.md").read_text()


def test_any_task_may_begin_from_an_encoder(bert: Path, tmp_path: Path) -> None:
    def process(symbols: list[Any]) -> list[Any]:
        return [symbol for symbol in symbols if symbol != apmdm.MASK]

    task = apmdm.Task.from_process(process, lambda random: "a1b", symbols="a1b", shape=Pretrained.of(bert))
    model = apmdm.train(task, tmp_path / "run", settings={"training.steps": 1, "data.problems": 2})
    assert isinstance(model.encoder, PretrainedEncoder)
    assert len(model.encoder.embedding) == len(NAMES) + 3  # begin, end, 1


def test_dropout_is_off_in_training(bert: Path) -> None:
    model, state = begun(bert).train(), State.stack(states(bert, "ab cd"))
    assert torch.equal(model(state).remask, model(state).remask)
    assert any(isinstance(part, torch.nn.Dropout) and part.p > 0 for part in model.modules())


def test_training_with_dropout_is_refused(bert: Path, tmp_path: Path) -> None:
    task = apmdm.Task.from_sequences(TEXTS, encoder=str(bert))
    with pytest.raises(ValueError, match="pretrained encoder is trained without dropout"):
        apmdm.train(task, tmp_path / "run", settings=SETTINGS | {"training.dropout": 0.1})


def test_a_card_names_the_encoder_and_its_licence(bert: Path, tmp_path: Path) -> None:
    (bert / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n")
    task = apmdm.Task.from_sequences(TEXTS, encoder=str(bert))
    apmdm.train(task, tmp_path / "run", settings=SETTINGS | {"training.steps": 1})
    text = (tmp_path / "run" / "README.md").read_text()
    for part in (
        "`bert`, of the kind bert",
        "published under apache-2.0",
        "## Training data",
        "5 sequences",
        "40 tokens",
    ):
        assert part in text
    assert str(tmp_path) not in text + (tmp_path / "run" / "manifest.json").read_text()


def test_the_hub_is_asked_only_by_name(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, sent = list[str](), list[str]()

    def download(name: str, allow_patterns: list[str]) -> str:
        asked.append(name)
        assert not [kind for kind in allow_patterns if kind.endswith((".bin", ".py", ".pt"))]
        return str(bert if name == "someone/bert" else tmp_path / "run")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    task = apmdm.Task.from_sequences(TEXTS, encoder="hub:someone/bert")
    model = apmdm.train(task, tmp_path / "run", settings=SETTINGS | {"training.steps": 1})
    assert apmdm.load("hub:someone/model").task.vocab == model.task.vocab
    assert asked == ["someone/bert", "someone/model"]

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", lambda self, name, **_: f"hub/{name}")
    monkeypatch.setattr(
        "huggingface_hub.HfApi.upload_folder",
        lambda self, repo_id, folder_path: sent.extend(path.name for path in Path(folder_path).iterdir()),
    )
    assert model.push_to_hub("someone/other") == "hub/someone/other"
    assert {"README.md", "manifest.json", "model.safetensors", "tokenizer.json"} <= set(sent)


def as_decoder(folder: Path) -> None:
    size = {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(NAMES)}
    transformers.GPT2Model(transformers.GPT2Config(**size)).save_pretrained(str(folder))


def as_pickle(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no pretrained encoder at .* a folder with config.json"),
        (as_pickle, "a folder with config.json and model.safetensors is needed"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is damaged"),
        (lambda folder: (folder / "config.json").write_text("{}"), "it has no model_type"),
        (lambda folder: changed(folder, model_type="unheard-of"), "cannot make an encoder of kind 'unheard-of'"),
        (lambda folder: changed(folder, is_decoder=True), r"has a decoder \(bert\)"),
        (as_decoder, r"has a decoder \(gpt2\)"),
        (lambda folder: changed(folder, num_hidden_layers=3), "are not whole: .*layer.2.* is missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"none"), "cannot be read"),
        (lambda folder: write_tokenizer(folder, mask_token=None), "no token for masks"),
        (lambda folder: write_tokenizer(folder, pad_token=None), "no token for padding"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer that can be used"),
    ],
)
def test_folders_that_are_no_encoder_are_refused(
    bert: Path, tmp_path: Path, spoil: Callable[[Path], Any], message: str
) -> None:
    spoil(bert)
    with pytest.raises(ValueError, match=message) as caught:
        apmdm.train(apmdm.Task.from_sequences(TEXTS, encoder=str(bert)), tmp_path / "run", settings=SETTINGS)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_texts_that_are_too_long_are_refused(bert: Path, tmp_path: Path) -> None:
    long = " ".join(LETTERS * 5)
    with pytest.raises(ValueError, match=r"has 42 tokens; the encoder takes at most 40; 3 are kept free"):
        apmdm.train(apmdm.Task.from_sequences([*TEXTS, long] * 2, encoder=str(bert)), tmp_path, settings=SETTINGS)
    task = apmdm.Task.from_sequences(TEXTS, encoder=str(bert))
    with pytest.raises(ValueError, match=r"has 42 tokens; the encoder takes at most 40"):
        task.parse(long)
    with pytest.raises(ValueError, match=r"length 41 exceeds this model's 40 positions"):
        begun(bert)(State.stack([[2] * 41]))
    assert task.max_length(["a" * 100]) == 40


def test_code_beside_the_weights_is_not_run(bert: Path, tmp_path: Path) -> None:
    (bert / "trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()")
    changed(bert, auto_map={"AutoConfig": "trap.Trap", "AutoModel": "trap.Trap"})
    begun(bert)
    assert not (tmp_path / "sprung").exists()


def test_settings_of_a_fixed_shape_are_refused(bert: Path, tmp_path: Path) -> None:
    task = apmdm.Task.from_sequences(TEXTS, encoder=str(bert))
    with pytest.raises(ValueError, match="the shape of the pretrained encoder bert is fixed"):
        apmdm.train(task, tmp_path / "run", settings={"shape.width": 32})


def test_without_transformers_only_its_encoders_are_missing(
    bert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    (bert / "words.txt").write_text("\n".join(TEXTS))
    with pytest.raises(SystemExit) as ended:
        main(["train", str(bert / "words.txt"), "--encoder", str(bert)])
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err == "error: pretrained encoders need transformers: pip install 'apmdm[transformers]'\n"
    )


def test_a_damaged_folder_of_weights_is_refused(bert: Path, tmp_path: Path) -> None:
    begun(bert).save_pretrained(tmp_path / "weights")
    config = json.loads((tmp_path / "weights/config.json").read_text())
    config["shape"]["config"]["num_hidden_layers"] = 1
    (tmp_path / "weights/config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="are damaged: "):
        weights.load_encoder(str(tmp_path / "weights"))
