"""A proof, from finitely many evaluations, that a model computes the parity of every string of every length.

A model with attention in blocks of two positions sees one block at a time, so its step on a string is the
concatenation of its steps on the blocks. Two kinds of string occur:
- bits: the blocks are the 6 strings of one or two bits. If each becomes what the teacher makes of it, then equal bits
  and zeros have turned into MASK, the parity of the ones is kept, and every block has at most one 1.
- the images of those blocks. If each becomes what the teacher makes of it, every MASK disappears and every 1 stays: a
  string of ones of the same parity, which is a string of bits again.
A string of ones has the blocks `11` and `1`, so a second round leaves a single 1 or nothing, both fixed points: the
parity, after at most 4 steps. Checking the model on those blocks therefore decides every length.

This holds for float32, too, at every length: positions are counted within a block, so where a block is does not enter
into what is computed. Only the order of sums may differ with the number of blocks; SAFE_MARGIN allows for that.
"""

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import torch

from apmdm.model.encoder import Encoder
from apmdm.policy import Greedy
from apmdm.prediction import Prediction
from apmdm.state import Sequence, State
from apmdm.step import transition
from apmdm.tasks.parity.process import BLOCK, ONE, VOCAB, ZERO, teacher
from apmdm.vocab import MASK

SAFE_MARGIN = 1.0
"""Least distance in logits from a threshold: a million times the rounding error between batch shapes."""


@dataclass(frozen=True)
class Block:
    """One block that can occur, what the model makes of it, what it should become, and the least margin in logits."""

    before: str
    after: str
    expected: str
    margin: float

    @property
    def holds(self) -> bool:
        return self.after == self.expected and self.margin >= SAFE_MARGIN


@dataclass(frozen=True)
class ParityProof:
    """What was found about every block."""

    blocks: list[Block]

    @property
    def holds(self) -> bool:
        return all(block.holds for block in self.blocks)

    def record(self) -> dict[str, Any]:
        blocks = [asdict(block) | {"holds": block.holds} for block in self.blocks]
        return {"certified": self.holds, "blocks": blocks}

    def text(self) -> str:
        rows = [
            f"{b.before:5}  {b.after:7}  {b.expected:6}  {b.margin:6.1f}{'' if b.holds else '  FAILS'}"
            for b in self.blocks
        ]
        verdict = (
            "certified: these are all the blocks this model can ever see, so it computes the parity of every string "
            "of every length in at most 4 steps"
            if self.holds
            else "not certified: the model is wrong, or too close to a threshold, on a block that occurs"
        )
        return "\n".join(("block  becomes  should  margin in logits   (_ is MASK)", *rows, verdict))


def certificate(model: Encoder) -> ParityProof:
    return ParityProof(certify(model))


@torch.no_grad()
def certify(model: Encoder) -> list[Block]:
    """Every block the model can ever see; the model is exact at all lengths if each of them holds.

    Raises ValueError for a model that is not a parity model with attention in blocks of two.
    """
    if model.vocab != VOCAB or (model.shape.attention, model.shape.span) != ("block", BLOCK):
        raise ValueError("only a parity model with attention in blocks of two positions can be certified")
    bits = [bits for length in range(1, BLOCK + 1) for bits in product((ZERO, ONE), repeat=length)]
    start = State.stack([Sequence(torch.tensor(block)) for block in bits])
    images = transition(start, teacher(start))
    later = sorted({tuple(images.sequence(row).ids.tolist()) for row in range(len(images))} - set(bits))
    blocks = State.stack([Sequence(torch.tensor(block)) for block in (*bits, *later)])
    prediction = model(blocks)
    after = transition(blocks, Greedy()(prediction, blocks))
    expected = transition(blocks, teacher(blocks))
    margins = _margins(prediction, blocks)
    return [
        Block(_text(blocks, row), _text(after, row), _text(expected, row), margins[row]) for row in range(len(blocks))
    ]


def _margins(prediction: Prediction, blocks: State) -> list[float]:
    """Over the decisions that matter in each block: delete decides at a MASK, remask at a bit, insert at a bit."""
    deciding = torch.where(blocks.masked, prediction.delete, prediction.remask).abs()
    inserting = torch.where(blocks.masked, torch.inf, prediction.insert.abs())
    return deciding.minimum(inserting).masked_fill(~blocks.valid, torch.inf).amin(1).tolist()


def _text(state: State, row: int) -> str:
    return "".join({ZERO: "0", ONE: "1", MASK: "_"}[token] for token in state.sequence(row).ids.tolist())
