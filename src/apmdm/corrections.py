"""The most probable corrections of a sequence, found by search over the edits of a model that corrects in turns.

First some tokens are remasked and some MASKs inserted, all at once. Then one MASK a step is deleted or written, the one
whose content is surest. A run ends where no MASK is left, and its probability is that of all that was decided, the last
decision being that nothing more is wrong.

One error shows in the chances of several edits, each of which would undo it. So the edits that a model proposes for a
state without MASKs are taken as alternatives: that nothing is wrong has the probability which their sum leaves over.
Several of them at once count too, so the probabilities of all runs may sum to a little more than 1.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations, islice

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from apmdm.sampler import Predictor, Run
from apmdm.state import Sequence, State
from apmdm.vocab import MASK

Tokens = tuple[int, ...]
Path = tuple[float, tuple[Tokens, ...]]
"""A log-probability, and the states from the first to the last."""
WIDTH, DOUBTED, FLIPPED, WRITTEN = 16, 8, 2, 3
"""Paths kept; bits in doubt, at most how many of these are decided the other way, and tokens tried at a MASK."""
LEAST = 0.2
"""The share of the probability for independent errors that nothing being wrong has at least."""
AT_ONCE = 16
"""Sequences that are searched at once."""


def corrected(
    model: Predictor, starts: Iterable[Sequence], *, record: bool = False, device: str = "cpu"
) -> Iterator[list[Run]]:
    """For each start the most probable runs with different ends, the most probable first."""
    numbered = enumerate(starts)
    while group := list(islice(numbered, AT_ONCE)):
        searches = [_Search(index, tuple(start.ids.tolist())) for index, start in group]
        _carry_out(searches, model, device)
        for search in searches:
            runs = (Run.through(search.index, states, record) for _, states in search.found)
            scored = zip(runs, search.found, strict=True)
            yield [replace(run, log_probability=score, computed=search.computed) for run, (score, _) in scored]


@torch.no_grad()
def _carry_out(searches: Iterable["_Search"], model: Predictor, device: str) -> None:
    """All at once: the model is asked about what each of them wants to know next."""
    going = {search: search.asked() for search in searches}
    while wanted := [(search, tokens) for search, asked in going.items() for tokens in next(asked, [])]:
        said = model(State.stack([Sequence(torch.tensor(tokens)) for _, tokens in wanted]).to(device))
        bits = torch.stack((said.remask, said.insert, said.delete)).float().cpu()
        content = said.content.float().log_softmax(-1).cpu()
        for row, (search, tokens) in enumerate(wanted):
            search.hear(tokens, bits[:, row, : len(tokens)], content[row, : len(tokens)])


class _Search:
    """What the model says of the states of one search, each asked once. computed: the positions that this took."""

    def __init__(self, index: int, start: Tokens) -> None:
        self.index, self.start, self.computed, self.found = index, start, 0, list[Path]()
        self.content = dict[Tokens, Tensor]()
        self.bits = dict[Tokens, Tensor]()

    def hear(self, tokens: Tokens, bits: Float[Tensor, "3 L"], content: Float[Tensor, "L V"]) -> None:
        self.bits[tokens], self.content[tokens] = bits, content
        self.computed += len(tokens)

    def asked(self) -> Iterator[list[Tokens]]:
        """States, at least one, that the model is to be asked about before the search goes on."""
        yield [self.start]
        ended, going = list[Path](), [(0.0, (self.start,))]
        if MASK not in self.start:
            ended, going = going, self._begun(self.start)
        while going:
            yield from self._new(going)
            grown = sorted((longer for path in going for longer in self._grown(path)), reverse=True)[:WIDTH]
            going = [path for path in grown if MASK in path[1][-1]]
            ended += [path for path in grown if MASK not in path[1][-1]]
        yield from self._new(ended)
        whole = dict[Tokens, Path]()
        for score, states in sorted(ended, key=lambda path: -path[0]):
            total = score + self._nothing_wrong(states[-1])
            before, shown = whole.get(states[-1], (-math.inf, states))
            whole[states[-1]] = float(torch.logaddexp(torch.tensor(before), torch.tensor(total))), shown
        self.found = sorted(whole.values(), reverse=True)

    def _new(self, paths: Iterable[Path]) -> Iterator[list[Tokens]]:
        if new := [tokens for tokens in dict.fromkeys(states[-1] for _, states in paths) if tokens not in self.bits]:
            yield new

    def _proposed(self, tokens: Tokens) -> Tensor:
        """The logits of remasking each token but the first, and of a MASK after each."""
        remask, insert, _ = self.bits[tokens]
        return torch.cat((remask[1:], insert))

    def _nothing_wrong(self, tokens: Tokens) -> float:
        proposed = self._proposed(tokens)
        alone = float(logsigmoid(-proposed).sum())
        return max(math.log(max(1 - float(proposed.sigmoid().sum()), 1e-9)), math.log(LEAST) + alone)

    def _begun(self, start: Tokens) -> list[Path]:
        """The likeliest first steps: what is likelier than not, with some of the bits in doubt the other way."""
        proposed = self._proposed(start)
        doubted = proposed.abs().topk(min(DOUBTED, len(proposed)), largest=False).indices.tolist()
        found = []
        for number in range(FLIPPED + 1):
            for flipped in combinations(doubted, number):
                fires = proposed > 0
                fires[list(flipped)] ^= True
                if bool(fires.any()):
                    odds = float(proposed[fires].sum())
                    chosen = set(fires.nonzero()[:, 0].tolist())
                    found.append((odds, float(logsigmoid(proposed[fires]).sum()), chosen))
        found.sort(key=lambda one: -one[0])
        return [(score, (start, _masked(start, chosen))) for _, score, chosen in found[:WIDTH]]

    def _grown(self, path: Path) -> Iterator[Path]:
        """The path with the surest MASK deleted, or written in the likeliest ways."""
        score, states = path
        tokens = states[-1]
        content = self.content[tokens]
        surest = content.amax(-1).tolist()
        place = max((i for i, token in enumerate(tokens) if token == MASK), key=surest.__getitem__)
        delete, before, behind = self.bits[tokens][2, place], tokens[:place], tokens[place + 1 :]
        yield score + float(logsigmoid(delete)), (*states, before + behind)
        likeliest = content[place].topk(min(WRITTEN, int(content[place].isfinite().sum())))
        for chance, token in zip(likeliest.values.tolist(), likeliest.indices.tolist(), strict=True):
            yield score + float(logsigmoid(-delete)) + chance, (*states, (*before, token, *behind))


def _masked(tokens: Tokens, chosen: set[int]) -> Tokens:
    """The tokens with those that are chosen remasked, and MASKs after others; see `_proposed`."""
    rest = len(tokens) - 1
    pairs = (
        [MASK if i - 1 in chosen else token, *([MASK] if rest + i in chosen else [])] for i, token in enumerate(tokens)
    )
    return tuple(token for pair in pairs for token in pair)
