"""Log-linear and logistic models, as the recipes of repair fit them by L-BFGS."""

from collections import Counter

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

ITERATIONS = 300
BASE = "constant", "share", "paid", "alone"
RARE, PRIOR = 30, 1.5


def most_probable(
    rows: Tensor, right: Tensor, owner: Tensor, start: Tensor, near: float, free: Tensor | None = None
) -> Tensor:
    """The weights under which right rows are most probable among the rows of their owner.

    rows [N, F]: features, which count in favour of a row. right, owner [N]. start [F]: what the weights are kept near,
    by `near` times the squared difference. free [F]: 0 where a weight stays as it is.
    """
    num, change = int(owner.max()) + 1, torch.zeros_like(start, requires_grad=True)
    free = torch.ones_like(start) if free is None else free
    optimizer = torch.optim.LBFGS([change], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        score = rows @ (start + change * free)
        every = _log_sum(score, owner, num)
        good = _log_sum(score.masked_fill(~right, -1e9), owner, num)
        value = (every - good).sum() + near * change.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return (start + change * free).detach()


def logistic(rows: list[dict[str, float]], right: list[float]) -> dict[str, float]:
    """The weights under which being right is as probable as it was often.

    Those of features that are not in BASE are kept near 0, and are left out where fewer than RARE rows have them.
    """
    times = Counter(name for row in rows for name in row)
    names = [*BASE, *sorted(name for name, num in times.items() if num >= RARE and name not in BASE)]
    given, target = torch.tensor([[row.get(name, 0.0) for name in names] for row in rows]), torch.tensor(right)
    weights = torch.zeros(len(names), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = binary_cross_entropy_with_logits(given @ weights, target)
        value = value + PRIOR / len(rows) * weights[len(BASE) :].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return {name: round(weight, 4) for name, weight in zip(names, weights.tolist(), strict=True)}


def _log_sum(score: Tensor, owner: Tensor, num: int) -> Tensor:
    most = torch.full((num,), -1e9).scatter_reduce(0, owner, score, "amax").detach()
    return torch.zeros(num).index_add(0, owner, (score - most[owner]).exp()).log() + most
