"""Texts to sequences and back, with characters and features known and unknown."""

import json
from dataclasses import asdict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.pairs.sequence import GO_ID, SPARES, Code
from apmdm.pairs.table import Pair
from apmdm.state import Sequence
from apmdm.vocab import MASK

CODE = Code.of([Pair("ab@%", "Na", "N;DAT PL@"), Pair("", "GO", "")])


def symbols(sequence: Sequence) -> list[str]:
    return CODE.vocab.decode(sequence.ids.tolist())


def test_a_state_by_hand() -> None:
    sequence = CODE.encode("@xbx", "DAT;PL@")
    plain = ["%40", "UNKNOWN1", "b", "UNKNOWN1"]
    conditions = ["feature:DAT", "feature:PL%40"]
    assert symbols(sequence) == [*conditions, "SEP", *(f"{p}@source" for p in plain), "END", "GO", *["<mask>"] * 6]
    assert sequence.coordinates is not None
    assert sequence.coordinates[:, 0].tolist() == [-1, -1, 0, 1, 2, 3, 4, 5, 0, 0, 1, 2, 3, 4, 5]
    assert sequence.coordinates[2:4].tolist() == [[0, 1, -1], [1, 2, 0]]
    assert sequence.coordinates[:2].unique().tolist() == [-1]


def test_a_mirrored_state_by_hand() -> None:
    sequence = CODE.encode("@xb", "DAT", mirrored=True)
    source = ["b@source", "UNKNOWN1@source", "%40@source"]
    assert symbols(sequence) == ["MIRRORED", "feature:DAT", "SEP", *source, "END", "GO", *["<mask>"] * 5]


def test_letters_features_and_what_structures_a_state_are_different_tokens() -> None:
    code = Code.of([Pair("NSEPGO<mask>1", "source@%25", "N;SEP;GO;a@source;%")])
    assert len(set(code.vocab.symbols)) == len(code.vocab)
    assert not {"SEP", "GO", "END"} & set(map(str, code.characters))
    assert code.decode("N@", written(code, "N@", "N;SEP")) == "N@"


def written(code: Code, source: str, features: str = "", mirrored: bool = False) -> Sequence:
    """The state whose copy is like the source."""
    shown = source[::-1] if mirrored else source
    places = range(1, len(source) + 1)
    return code.copied(shown, code.conditions(features, mirrored), code.tokens(shown), places)


@given(st.text(alphabet="abN@%GO\u20acé\U0001f600", max_size=12), st.sampled_from(["", "N", "PL@;DAT"]), st.booleans())
def test_a_copy_of_the_source_is_told_as_the_source(source: str, features: str, mirrored: bool) -> None:
    assert CODE.decode(source, written(CODE, source, features, mirrored)) == source
    assert CODE.decode(source, CODE.encode(source, features, mirrored)) is None


def test_what_is_unfinished_or_damaged_is_not_told() -> None:
    whole = written(CODE, "axb", "N").ids.tolist()
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
    assert CODE.vocab.decode(CODE.target(Pair("x", "yN"))) == ["STRANGE", "N"]


@pytest.mark.parametrize(
    ("source", "target", "possible"),
    [("x", "xN", True), ("x", "y", False), ("x", "", True), ("αβγδεζηθ", "θα", True), ("αβγδεζηθι", "θ", False)],
)
def test_a_target_can_be_written_if_its_characters_are_known_or_copied(
    source: str, target: str, possible: bool
) -> None:
    assert CODE.can_write(Pair(source, target)) == possible


def test_unknown_features_and_too_many_unknown_characters() -> None:
    assert symbols(CODE.encode("a", "N;GEN"))[:2] == ["feature:N", "STRANGE"]
    assert CODE.decode("αβγδεζηθ", written(CODE, "αβγδεζηθ")) == "αβγδεζηθ"
    with pytest.raises(ValueError, match=f"has {SPARES + 1} different characters .* at most {SPARES}"):
        CODE.refuse_strangers("αβγδεζηθι")
    assert symbols(CODE.encode("αβγδεζηθι"))[8:10] == ["UNKNOWN8@source"] * 2


def test_a_code_is_rebuilt_from_json() -> None:
    saved = json.loads(json.dumps(asdict(CODE)))
    assert Code(**saved) == CODE
    with pytest.raises(ValueError, match="length 1"):
        Code(("ab",))
