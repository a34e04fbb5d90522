"""Texts to sequences and back, with characters and features known and unknown."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.pairs.sequence import GO_ID, SPARES, Code
from apmdm.pairs.table import Pair
from apmdm.state import Sequence
from apmdm.vocab import MASK
from support import unchecked

CODE = Code.of([Pair("ab@%", "Na", "N;DAT PL@"), Pair("", "GO", "")])


def symbols(sequence: Sequence) -> list[str]:
    return CODE.vocab.decode(sequence.ids.tolist())


def test_a_state_by_hand() -> None:
    sequence = CODE.encode("@xbx", "DAT;PL@")
    plain = ["%40", "UNKNOWN1", "b", "UNKNOWN1"]
    conditions = ["feature:DAT", "feature:PL%40"]
    assert symbols(sequence) == [*conditions, "SEP", *(f"{p}@source" for p in plain), "END", "GO", *plain]
    assert sequence.coordinates is not None
    assert sequence.coordinates[:, 0].tolist() == [-1, -1, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4]
    assert sequence.coordinates[2:4].tolist() == [[0, 1, -1], [1, 2, 0]]
    assert sequence.coordinates[:2].unique().tolist() == [-1]
    assert symbols(replace(CODE, start="empty").encode("ab"))[-2:] == ["END", "GO"]


def test_letters_features_and_what_structures_a_state_are_different_tokens() -> None:
    code = Code.of([Pair("NSEPGO<mask>1", "source@%25", "N;SEP;GO;a@source;%")])
    assert len(set(code.vocab.symbols)) == len(code.vocab)
    assert not {"SEP", "GO", "END"} & set(map(str, code.characters))
    assert code.decode("N@", code.encode("N@", "N;SEP")) == "N@"


@given(st.text(alphabet="abN@%GO\u20acé\U0001f600", max_size=12), st.sampled_from(["", "N", "PL@;DAT"]))
def test_decode_inverts_encode(source: str, features: str) -> None:
    assert CODE.decode(source, CODE.encode(source, features)) == source


def test_what_is_unfinished_or_damaged_is_not_told() -> None:
    whole = CODE.encode("axb", "N").ids.tolist()
    go = whole.index(GO_ID)
    wrong = [MASK, GO_ID, *CODE.vocab.encode(["a@source", "feature:N", "UNKNOWN2"])]
    damaged = [
        [*whole[:at], token, *whole[at + 1 :]] for at in range(1, go + 1) for token in wrong if token != whole[at]
    ]
    damaged += [*([*whole, token] for token in wrong), *(whole[:at] + whole[at + 1 :] for at in range(1, go + 1)), []]
    told = [CODE.decode("axb", Sequence(torch.tensor(ids, dtype=torch.long))) for ids in [whole, *damaged]]
    assert told == ["axb", *[None] * len(damaged)]


def test_targets() -> None:
    assert CODE.vocab.decode(CODE.target(Pair("xb", "x@N"))) == ["UNKNOWN1", "%40", "N"]
    with pytest.raises(ValueError, match="'y' of target 'y'"):
        CODE.target(Pair("x", "y"))


def test_unknown_features_and_too_many_unknown_characters() -> None:
    with pytest.raises(ValueError, match="unknown feature 'GEN'; known are DAT, N, PL@"):
        CODE.encode("a", "N;GEN")
    many = Code(("a",), tuple(f"F{number:02}" for number in range(12)))
    with pytest.raises(ValueError, match=r"F09, \.\.\.$"):
        many.encode("a", "G")
    assert many.decode("αβγδεζηθ", many.encode("αβγδεζηθ")) == "αβγδεζηθ"
    with pytest.raises(ValueError, match=f"has {SPARES + 1} different characters .* at most {SPARES}"):
        many.encode("αβγδεζηθι")


def test_a_code_is_rebuilt_from_json() -> None:
    saved = json.loads(json.dumps(asdict(CODE)))
    assert Code(**saved) == CODE
    with unchecked(), pytest.raises(ValueError, match="start is copy or empty, not 'middle'"):
        Code(**(saved | {"start": "middle"}))
    with pytest.raises(ValueError, match="length 1"):
        Code(("ab",))
