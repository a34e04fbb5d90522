"""Training states: what is drawn, and that they are a function of seed and number."""

from random import Random

import pytest
import torch

from apmdm.pairs.oracle import oracle
from apmdm.pairs.sequence import GO_ID, Code
from apmdm.pairs.states import Drawing, batches, chunk, varied
from apmdm.pairs.table import Pair
from apmdm.state import Sequence, State, same_rows
from apmdm.step import transition
from apmdm.vocab import MASK

PAIRS = [Pair("laufen", "gelaufen", "V;PTCP"), Pair("Hahn", "Hähne", "N;PL"), Pair("ab", "", "")]
CODE = Code.of(PAIRS)
ON_PATH = Drawing(runs=40, share_spoilt=0.0, share_partial=0.0, share_varied=0.0)


def copies(sequences: list[Sequence]) -> list[list[int]]:
    return [ids[ids.index(GO_ID) + 1 :] for ids in (sequence.ids.tolist() for sequence in sequences)]


def test_on_the_path_there_are_the_oracles_states_and_no_others() -> None:
    found = {(*copy,) for copy in copies(chunk(CODE, PAIRS, 0, ON_PATH)[0])}
    expected = set()
    for pair in PAIRS:
        state = State.stack([CODE.encode(pair.source, pair.features)])
        for _ in range(8):
            expected.add((*copies([state.sequence(0)])[0],))
            state = transition(state, oracle(state, [CODE.target(pair)]))
    assert found == expected


def test_spoilt_runs_leave_the_path_but_not_the_source_alone() -> None:
    starts = {(*CODE.encode(pair.source, pair.features).ids.tolist(),) for pair in PAIRS}
    read_only = {ids[: ids.index(GO_ID)] for ids in starts}
    sequences, targets = chunk(CODE, PAIRS, 0, Drawing(runs=60, share_spoilt=1.0, share_varied=0.0))
    assert len(sequences) == len(targets)
    for sequence in sequences:
        ids = sequence.ids.tolist()
        assert ids.count(GO_ID) == 1
        assert (*ids[: ids.index(GO_ID)],) in read_only
    on_path = {(*copy,) for copy in copies(chunk(CODE, PAIRS, 0, ON_PATH)[0])}
    assert sum((*copy,) not in on_path for copy in copies(sequences)) > len(sequences) / 3


def test_part_of_a_gap_may_be_written_before_the_rest() -> None:
    target = CODE.target(PAIRS[0])
    partly = Drawing(runs=60, share_spoilt=0.0, share_partial=1.0, share_varied=0.0)
    seen = [copy for copy in copies(chunk(CODE, PAIRS[:1], 0, partly)[0]) if len(copy) == len(target)]
    assert [MASK, target[1]] in [copy[:2] for copy in seen]
    assert [target[0], MASK] in [copy[:2] for copy in seen]


def test_a_varied_pair_keeps_the_ends_of_the_stem_and_what_is_around() -> None:
    random, seen = Random(0), ""
    for _ in range(40):
        pair = varied(CODE, PAIRS[0], random)
        assert (pair.source[0], pair.source[-1], pair.target[:3]) == ("l", "n", "gel")
        assert pair.target == "ge" + pair.source
        assert CODE.decode(pair.source, CODE.encode(pair.source)) == pair.source
        assert len(CODE.target(pair)) == len(pair.target)
        seen += pair.source
    assert set(seen) == {*CODE.characters, *CODE.strangers}
    assert varied(CODE, PAIRS[1], random) == PAIRS[1]


def test_batches_are_a_function_of_seed_and_number() -> None:
    drawing = Drawing(runs=50)
    drawn, again, other = (batches(CODE, PAIRS, seed, 4, drawing) for seed in (0, 0, 1))
    first, second = drawn(65), (again(3), again(65))[1]
    state = first.state
    assert same_rows(state, second.state).all()
    assert torch.equal(first.edits.remask, second.edits.remask)
    assert len(state) == 4
    assert int(state.lengths.max() - state.lengths.min()) <= 4
    assert not torch.equal(state.ids, other(65).state.ids)


def test_settings_out_of_range() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Drawing(runs=0)
    with pytest.raises(ValueError, match=r"are in \[0, 1\]"):
        Drawing(spoil=1.5)
