"""Encoders of the Hugging Face library `transformers` as models: heads of our own on a body that others trained.

transformers is imported when such a model is made. Nothing is downloaded, and no code of a model's author is run.

Letters: B batch, L length, V vocabulary.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from apmdm.hub import HUB, from_hub
from apmdm.model.attention import AttentionPattern
from apmdm.model.encoder import Encoder, Shape
from apmdm.prediction import Prediction
from apmdm.tokenizer import Tokenizer
from apmdm.vocab import Vocab

CONFIG, TENSORS, CARD = "config.json", "model.safetensors", "README.md"
LICENSE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)
NEARNESS = 0.1
"""How far new vectors are from the mean of those that there are, in parts of their spread."""


def library() -> Any:
    """The library transformers; raises ImportError if it is not installed."""
    try:
        import transformers
    except ImportError:
        raise ImportError("pretrained encoders need transformers: pip install 'apmdm[transformers]'") from None
    return transformers


@dataclass(frozen=True)
class Pretrained(Shape):
    """The shape of an encoder of transformers. `Pretrained.of` reads one.

    name: that of its folder. config: its configuration. sha256: of its weights. license: that of its card, if it has
    one. folder: where its weights are. A trained model has weights of its own, and no folder.
    Positions that have learned vectors are counted by `absolute`. Size and attention are those of the configuration.
    """

    name: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    license: str = ""
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attention != "full" or self.relations or self.rotary or self.trained_length:
            raise self.fixed

    @property
    def fixed(self) -> ValueError:
        return ValueError(f"the shape of the pretrained encoder {self.name} is fixed; leave out settings of shape")

    @classmethod
    def of(cls, source: str | Path) -> "Pretrained":
        """The encoder of a folder, or with `hub:` in front, as in `hub:name/of-it`, of the Hugging Face Hub.

        Raises ValueError if there is none, or if it cannot be the body of a model.
        """
        folder, name = located(source)
        body = new_body(_read_config(folder))
        _refuse_unsuited(body, folder)
        config = body.config
        card = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else ""
        found = LICENSE.search(card)
        with (folder / TENSORS).open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        return cls(
            *_size(config),
            absolute=_positions(body),
            name=name,
            config=json.loads(config.to_json_string(use_diff=False)),
            sha256=digest,
            license=found[1] if found else "",
            folder=folder,
        )

    @property
    def source(self) -> Path:
        if self.folder is None:
            raise ValueError(f"the encoder {self.name} has no folder to be read from: use Pretrained.of")
        return self.folder


class PretrainedEncoder(Encoder):
    """An encoder of transformers with a content head and three linear control heads.

    own_ids: for each token the number of its vector in the encoder. Content is scored by the same vectors. Dropout is
    off, so that a resumed training repeats an uninterrupted one.
    """

    own_ids: Tensor

    def __init__(self, vocab: Vocab, shape: Pretrained, hints: int = 0, conclusions: int = 0) -> None:
        nn.Module.__init__(self)
        self._begin(vocab, shape)
        self.body: Any = new_body(shape.config)
        if _size(self.body.config) != (shape.width, shape.layers, shape.heads):
            raise shape.fixed
        width, narrow = shape.width, self.embedding.shape[1]
        self.register_buffer("own_ids", torch.arange(len(vocab)))
        self.content = nn.Sequential(nn.Linear(width, narrow), nn.GELU(), nn.LayerNorm(narrow))  # pyrefly: ignore[bad-assignment]
        self.bias = nn.Parameter(torch.zeros(len(vocab)))
        self.controls = nn.Linear(width, 3)
        self.hints = nn.Linear(width, hints) if hints else None
        self.conclusions = nn.Linear(width, conclusions) if conclusions else None

    @classmethod
    def begun(cls, vocab: Vocab, shape: Pretrained, hints: int = 0, conclusions: int = 0) -> "PretrainedEncoder":
        """A model with the weights in `shape.folder` and new heads.

        Symbols that the encoder's tokenizer knows keep their vectors. Others get new ones, near the mean of all.
        """
        trained, tokenizer = _trained_body(shape.source), read_tokenizer(shape)
        table = trained.get_input_embeddings().weight.detach()
        numbers, rows = dict(zip(tokenizer.vocab.symbols, tokenizer.own_ids, strict=True)), len(table)
        new = iter(range(rows, rows + len(vocab)))
        own_ids = [numbers[symbol] if symbol in numbers else next(new) for symbol in vocab.symbols]
        config = dict(shape.config) | {"vocab_size": max(rows, 1 + max(own_ids))}
        fresh = torch.randn(config["vocab_size"] - rows, table.shape[1])
        table = torch.cat((table, table.mean(0) + NEARNESS * table.std() * fresh))
        trained.get_input_embeddings().weight = nn.Parameter(table)
        model = cls(vocab, replace(shape, config=config, folder=None), hints, conclusions)
        model.body.load_state_dict(trained.state_dict())
        model.own_ids.copy_(torch.tensor(own_ids))
        return model

    @property
    def embedding(self) -> Tensor:  # pyrefly: ignore[bad-override]
        """The vectors of the encoder's tokens."""
        return self.body.get_input_embeddings().weight

    def train(self, mode: bool = True) -> "PretrainedEncoder":
        super().train(mode)
        self.body.eval()
        return self

    def multiply_adds(self, length: int) -> int:
        matrices = sum(part.weight.numel() for part in self.modules() if isinstance(part, nn.Linear))
        scored = len(self.vocab) * self.embedding.shape[1]
        return length * (matrices + scored + 2 * self.shape.layers * self.shape.width * length)

    def predict(self, ids: Int[Tensor, "B L"], pattern: AttentionPattern) -> Prediction:
        if self.shape.absolute and ids.shape[1] > self.shape.absolute:
            raise ValueError(f"length {ids.shape[1]} exceeds this model's {self.shape.absolute} positions")
        vectors = self._vectors(ids, pattern.forbidden)
        x, middle, hints = vectors[-1], self.shape.layers // 2 + 1, []
        for head, layer in ((self.hints, middle), (self.conclusions, min(middle + 1, self.shape.layers))):
            if head is not None:
                hints.append(head(vectors[layer]))
        content = nn.functional.linear(self.content(x), self.embedding[self.own_ids], self.bias + self.never)
        return Prediction(content, *self.controls(x).unbind(-1), hints=tuple(hints))

    def _vectors(
        self, ids: Int[Tensor, "B L"], forbidden: Float[Tensor, "B 1 #L L"] | None
    ) -> tuple[Float[Tensor, "B L width"], ...]:
        """The vectors of every position before the first layer and after each one; if no hints are asked, the last."""
        if not ids.numel():
            return (self.controls.weight.new_zeros(*ids.shape, self.shape.width),) * (1 + self.shape.layers)
        seen = torch.ones_like(ids) if forbidden is None else (forbidden[:, 0, 0] == 0).long()
        seen[:, 0] = 1  # an empty row
        asked = self.hints is not None or self.conclusions is not None
        told = self.body(input_ids=self.own_ids[ids], attention_mask=seen, output_hidden_states=asked)
        return told.hidden_states if asked else (told.last_hidden_state,)


def new_body(config: Mapping[str, Any]) -> Any:
    """An encoder with random weights; raises ValueError if transformers knows none of this kind."""
    transformers, kind = library(), config.get("model_type")
    try:
        known = transformers.CONFIG_MAPPING[kind].from_dict(dict(config))
        return without_pooler(transformers.AutoModel.from_config(known, dtype=torch.float32, trust_remote_code=False))
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"transformers cannot make an encoder of kind {kind!r}: {_in_one_line(error)}") from None


def read_tokenizer(shape: Pretrained) -> Tokenizer:
    """The tokenizer of a pretrained encoder; raises ValueError if it has none that a model can use."""
    folder = shape.source
    try:
        found = library().AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, use_fast=True
        )
        whole = found.backend_tokenizer.to_str()
    except Exception as error:
        raise ValueError(f"{folder} has no tokenizer that can be used: {_in_one_line(error)}") from None
    try:
        return Tokenizer(whole, found.mask_token or "", found.pad_token or "", shape.absolute)
    except ValueError as error:
        raise ValueError(f"{folder} cannot be used: {error}") from None


def located(source: str | Path) -> tuple[Path, str]:
    """The folder and the name of an encoder. One on the Hugging Face Hub, after `hub:`, is downloaded."""
    hub, name = str(source).startswith(HUB), str(source).removeprefix(HUB)
    folder = from_hub(name) if hub else Path(source)
    if not ((folder / CONFIG).is_file() and (folder / TENSORS).is_file()):
        raise ValueError(f"no pretrained encoder at {str(source)!r}: a folder with {CONFIG} and {TENSORS} is needed")
    return folder, name if hub else folder.resolve().name


def _trained_body(folder: Path) -> Any:
    """The encoder of a folder with its weights; raises ValueError if they are damaged or some are missing."""
    with quiet(library()) as transformers:
        try:
            body, report = transformers.AutoModel.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except Exception as error:
            raise ValueError(f"the weights at {folder} cannot be read: {_in_one_line(error)}") from None
    missing = sorted(name for name in report["missing_keys"] if "pooler." not in name)
    if missing:
        raise ValueError(f"the weights at {folder} are not whole: {missing[0]} is missing, one of {len(missing)}")
    return without_pooler(body)


@contextmanager
def quiet(transformers: Any) -> Iterator[Any]:
    """The library, which inside reports no loading and shows no bars."""
    logging = transformers.utils.logging
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield transformers
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def without_pooler(body: Any) -> Any:
    """The encoder without the part that makes one vector of a whole text."""
    if isinstance(getattr(body, "pooler", None), nn.Module):
        body.pooler = None
    return body.eval()


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} is damaged: {error}") from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise ValueError(f"{folder / CONFIG} is not that of an encoder of transformers: it has no model_type")
    return config


def _refuse_unsuited(body: Any, folder: Path) -> None:
    """Raise ValueError unless the first position's vector depends on the second token, as it does in an encoder."""
    kind = body.config.model_type
    if getattr(body.config, "is_encoder_decoder", False):
        raise ValueError(f"{folder} has an encoder and a decoder ({kind}); a model needs an encoder alone")
    try:
        with torch.no_grad():
            first = [body(input_ids=torch.tensor([[1, other]])).last_hidden_state[0, 0] for other in (2, 3)]
    except Exception as error:
        raise ValueError(f"{folder} has no encoder of tokens ({kind}): {_in_one_line(error)}") from None
    if torch.equal(*first):
        raise ValueError(
            f"{folder} has a decoder ({kind}), whose positions do not see what follows them; a model needs an encoder"
        )


def _size(config: Any) -> tuple[int, int, int]:
    return config.hidden_size, config.num_hidden_layers, config.num_attention_heads


def _positions(body: nn.Module) -> int:
    """How many positions have a learned vector; 0 if positions have none, as with rotary ones."""
    for name, part in body.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding):
            return part.num_embeddings - (0 if part.padding_idx is None else 1 + part.padding_idx)
    return 0


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
