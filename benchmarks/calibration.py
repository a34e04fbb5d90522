"""How far the Sudoku model's probabilities can be believed: of its steps, and of each remask bit.

States of all kinds that training mixes, on freshly generated puzzles, labelled by the teacher. A step's probability is
that of all its decisions together; it is put into bins by how sure the model is of what it does itself (greedily).

    python benchmarks/calibration.py [WEIGHTS]     shipped weights if left out
"""

import json
import sys
from itertools import pairwise

import torch

from apmdm import weights
from apmdm.objective.supervised import same_step
from apmdm.policy import Greedy
from apmdm.tasks.sudoku.data import MIXED, answers_of, drawn_states, generated
from apmdm.tasks.sudoku.grid import NINE, as_state
from apmdm.tasks.sudoku.process import teacher

PUZZLES, STATES, SEED, AT_ONCE = 300, 2**16, 2026, 64
SURE = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0]


def binned(probability: torch.Tensor, right: torch.Tensor) -> list[dict[str, float]]:
    """For each range of probabilities how many there are, their mean, and the share that was right."""
    bins = []
    for low, high in pairwise(SURE):
        inside = (probability >= low) & ((probability < high) | (high == 1.0))
        if bool(inside.any()):
            mean, share = float(probability[inside].mean()), float(right[inside].double().mean())
            bins.append({"from": low, "count": int(inside.sum()), "mean": round(mean, 6), "right": round(share, 6)})
    return bins


def expected_error(probability: torch.Tensor, right: torch.Tensor) -> float:
    """Expected calibration error over ten equal bins (arXiv 1706.04599)."""
    number = (probability * 10).long().clamp(max=9)
    gaps = torch.zeros(10, dtype=torch.float64).index_add(0, number, probability - right.double())
    return float(gaps.abs().sum() / len(probability))


@torch.inference_mode()
def main() -> None:
    model = weights.load_encoder(sys.argv[1] if len(sys.argv) > 1 else "sudoku", NINE.vocab)
    puzzles = generated(PUZZLES, SEED)
    ids = drawn_states(STATES, torch.Generator().manual_seed(SEED), puzzles, answers_of(puzzles), MIXED)
    steps, steps_right, bits, bits_right = [], [], [], []
    for part in ids.split(AT_ONCE):
        state = as_state(part)
        edits, prediction = teacher(state), model(state)
        said = Greedy()(prediction, state)
        steps.append(prediction.log_probability(state, said).exp().double())
        steps_right.append(same_step(said, state, edits))
        bits.append(torch.sigmoid(prediction.remask.double().abs()).flatten())
        bits_right.append((said.remask == edits.remask).flatten())
    step, right, bit, bit_right = map(torch.cat, (steps, steps_right, bits, bits_right))
    record = {
        "benchmark": "calibration",
        "states": len(step),
        "steps_right": round(float(right.double().mean()), 6),
        "steps": binned(step, right),
        "steps_expected_calibration_error": round(expected_error(step, right), 6),
        "remask_bits": binned(bit, bit_right),
        "remask_bits_expected_calibration_error": round(expected_error(bit, bit_right), 8),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
