"""The teacher of minimum cuts: grow a search tree from the source, prune it to one path to the target, turn the path
into flow; when the target cannot be reached any more, delete the full edges that leave the tree.

The sequence is GO SRC DST and the edges; GO is GO@both if they may be used in either direction. Every position has
coordinates (tail, head). An edge is E without flow and F with it, and gets one slot behind it, with its coordinates:
MASK, a mark of the tree (A along an edge without flow, H the same into the target, B back along flow) or CUT.
@head and @tail say where the flow goes, or which end of its edge a mark reaches. All positions at once:

1. GO: an edge without slot inserts one.
2. GO and no H: a MASK slot becomes a mark if its edge leads from a reached node to one that is not.
3. GO: a mark goes if an earlier one reaches the same node, or if there is an H and it is neither H nor has a child.
4. Ready (GO, H, no mark goes by 3): edges with a mark are masked. Such a MASK becomes F where the mark is A or H, and
   E where it is B, while the mark goes.
5. Done (GO, no H, no mark goes by 3, no slot is written or missing): GO and every F are masked; the MASK slot of an F
   becomes CUT if the flow leaves the tree, else B, and rule 4 makes that edge an E.
6. A masked edge with CUT is deleted. Without GO, marks and CUT are masked, MASK slots and single MASKs deleted.

Every other MASK waits. It ends in SRC DST and the edges that are left; the longest state has 2m + 3 tokens. The set
deleted is the minimum cut closest to the source (Ford and Fulkerson's labelling, with shortest paths).

Letters: N states, L length, K nodes (number 0 is NOWHERE).
"""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import pad

from apmdm.edits import Edits
from apmdm.state import State
from apmdm.vocab import MASK, PAD, Vocab, joined

ENDS = ["head", "tail"]
VOCAB = Vocab.of("GO", "GO@both", "SRC", "DST", "E", joined("FAHB", ENDS), "CUT")
GO, BOTH, SRC, DST, E, CUT = VOCAB.encode(["GO", "GO@both", "SRC", "DST", "E", "CUT"])
F, A, H, B = (VOCAB.encode(joined([name], ENDS)) for name in "FAHB")
TO_HEAD, TO_TAIL = zip(A, H, B, strict=True)
MARKS, EDGES = [*TO_HEAD, *TO_TAIL], [E, *F]


def look(state: State) -> dict[str, Bool[Tensor, "N L"]]:
    """What the rules look up, for the whole state or for each position and its edge.

    beside X: that token is at the same edge. child, twin: some mark starts, or an earlier one ends, where this one
    ends. to head, to tail: a MASK slot whose edge would add that end to the tree. bare: an edge without slot.
    goes: a mark that rule 3 masks. Raises ValueError for a state without coordinates.
    """
    if state.coordinates is None:
        raise ValueError("edges are told apart by their coordinates (tail, head), and this state has none")
    ids, (tail, head) = state.ids, (state.coordinates + 1).unbind(-1)
    go, both, hit = (among(ids, kinds).any(1, keepdim=True).expand_as(ids) for kinds in ([GO, BOTH], [BOTH], H))
    partner = partners(state)
    edge, slot = among(ids, EDGES), (ids == MASK) & among(partner, EDGES)

    ends_at = torch.where(among(ids, TO_HEAD), head, tail.where(among(ids, TO_TAIL), 0))
    starts_at = torch.where(among(ids, TO_HEAD), tail, head.where(among(ids, TO_TAIL), 0))
    num_nodes = int(state.coordinates.max()) + 2 if ids.numel() else 1
    reached = _nodes(ends_at, num_nodes) | _nodes(tail.where(ids == SRC, 0), num_nodes)
    target = _nodes(tail.where(ids == DST, 0), num_nodes)
    head_in, tail_in = reached.gather(1, head), reached.gather(1, tail)
    child = _nodes(starts_at, num_nodes).gather(1, ends_at)
    here = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    first = here.new_full(reached.shape, here.shape[1]).scatter_reduce(1, ends_at, here, "amin")
    twin = (ends_at > 0) & (first.gather(1, ends_at) < here)
    return {
        "go": go,
        "both": both,
        "hit": hit,
        **{f"beside {VOCAB.symbols[token]}": partner == token for token in (MASK, E, *F, *MARKS, CUT)},
        "head reached": head_in,
        "tail reached": tail_in,
        "head is target": target.gather(1, head),
        "tail is target": target.gather(1, tail),
        "child": child,
        "twin": twin,
        "to head": slot & tail_in & ~head_in & ((partner == E) | (partner == F[1])),
        "to tail": slot & head_in & ~tail_in & ((partner == E) & both | (partner == F[0])),
        "bare": edge & (partner == PAD),
        "goes": among(ids, MARKS) & (twin | (hit & ~child & ~among(ids, H))),
    }


NUM_HINTS = 24


def hints(state: State) -> Bool[Tensor, "N L hints"]:
    """The look-ups as bits, in their order."""
    return torch.stack(list(look(state).values()), -1)


def teacher(state: State) -> Edits:
    """The edits of one step."""
    ids, see, partner = state.ids, look(state), partners(state)
    go, hit, bare = see["go"], see["hit"], see["bare"]
    masked, slot = ids == MASK, (ids == MASK) & among(partner, EDGES)
    goes = go & see["goes"]
    settled = go & ~goes.any(1, keepdim=True)
    ready = settled & hit
    done = settled & ~hit & ~(see["to head"] | see["to tail"] | bare).any(1, keepdim=True)

    content = torch.full_like(ids, PAD)
    for end, (near, far) in enumerate((("tail", "head"), ("head", "tail"))):
        grows = go & ~hit & see[f"to {far}"]
        content[grows & (partner == E)] = A[end]
        content[grows & (partner == E) & see[f"{far} is target"]] = H[end]
        content[grows & (partner == F[1 - end])] = B[end]
        full, leaves = done & slot & (partner == F[end]), see[f"{near} reached"] & ~see[f"{far} reached"]
        content[full & leaves] = CUT
        content[full & ~leaves] = B[1 - end]
        content[masked & among(partner, [A[end], H[end]])] = F[end]
    content[masked & among(partner, B)] = E

    delete = masked & ((partner == CUT) | (~go & (slot | (partner == PAD)))) & state.valid
    waits = masked & ~delete & (content == PAD)
    over = among(ids, [*MARKS, CUT]) & (goes | (partner == MASK) | ~go)
    turns = (among(ids, EDGES) & among(partner, MARKS) & ready) | (among(ids, [GO, BOTH, *F]) & done)
    return Edits(content, (waits | over | turns) & state.valid, bare & go, delete)


def among(ids: Int[Tensor, "N L"], tokens: Iterable[int]) -> Bool[Tensor, "N L"]:
    return torch.isin(ids, torch.tensor(list(tokens), device=ids.device))


def _nodes(at: Int[Tensor, "N L"], num: int) -> Bool[Tensor, "N K"]:
    """Which nodes occur; never NOWHERE."""
    found = torch.zeros(len(at), num, dtype=torch.bool, device=at.device).scatter(1, at, True)
    return found.index_fill(1, torch.zeros(1, dtype=torch.long, device=at.device), False)


def partners(state: State) -> Int[Tensor, "N L"]:
    """The neighbour with the same coordinates, PAD if there is none: a slot stands right behind its edge."""
    ids, places = state.ids, state.coordinates
    assert places is not None
    same = pad((places[:, 1:] == places[:, :-1]).all(-1) & (places[:, 1:, 0] >= 0), (1, 1))
    before, after = pad(ids, (1, 0))[:, :-1], pad(ids, (0, 1))[:, 1:]
    return torch.where(same[:, :-1], before, torch.where(same[:, 1:], after, PAD))
