"""Symbols, ids and products of atoms."""

import pytest

from apmdm.vocab import MASK, PAD, Vocab, joined


def test_pad_and_mask_come_first() -> None:
    vocab = Vocab.of("a", ["b", "c"], "d")
    assert vocab.symbols == ("<pad>", "<mask>", "a", "b", "c", "d")
    assert (vocab.ids["<pad>"], vocab.ids["<mask>"]) == (PAD, MASK) == (0, 1)
    assert len(vocab) == 6


def test_encode_and_decode_are_inverse() -> None:
    vocab = Vocab.of(joined("12", ["L0", "L1"]))
    assert vocab.decode(vocab.encode(vocab.symbols)) == list(vocab.symbols)
    assert vocab.encode([]) == vocab.decode([]) == []
    assert vocab.encode(iter(["2@L0", "<mask>"])) == [4, MASK]


def test_unknown_symbol_is_named_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"'x'.*<pad>, <mask>, a, b"):
        Vocab.of("a", "b").encode(["a", "x"])


@pytest.mark.parametrize("ids", [[-1], [4], [2, 99]])
def test_unknown_id_is_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match=str(ids[-1])):
        Vocab.of("a", "b").decode(ids)


@pytest.mark.parametrize(
    "symbols",
    [
        (),
        ("a", "b"),
        ("<mask>", "<pad>", "a"),
        ("<pad>", "<mask>", "a", "a"),
        ("<pad>", "<mask>", "<mask>"),
        ("<pad>", "<mask>", ""),
        ("<pad>", "<mask>", "a@"),
        ("<pad>", "<mask>", "a@@b"),
    ],
)
def test_bad_vocabulary_is_refused(symbols: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"vocabulary|empty"):
        Vocab(symbols)


@pytest.mark.parametrize("symbols", [("1@2", "2@1"), ("1", "1@1")])
def test_symbols_that_a_model_could_not_tell_apart_are_refused(symbols: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=f"{symbols[0]}|{symbols[1]}"):
        Vocab.of(*symbols)


def test_joined_is_every_product() -> None:
    assert joined("12", ["L0", "L1"]) == ["1@L0", "1@L1", "2@L0", "2@L1"]
    assert joined("12", "a", ["x"]) == ["1@a@x", "2@a@x"]
    assert joined("12", []) == []


def test_composition_marks_the_atoms_of_each_symbol() -> None:
    vocab = Vocab.of(joined("12", ["x"]), "x", "3")
    assert vocab.atoms == ("<pad>", "<mask>", "1", "x", "2", "3")
    for symbol, row in zip(vocab.symbols, vocab.composition, strict=True):
        assert [vocab.atoms[k] for k in row.nonzero()[:, 0].tolist()] == sorted(
            symbol.split("@"), key=vocab.atoms.index
        )
    assert set(vocab.composition.unique().tolist()) == {0.0, 1.0}


def test_equal_vocabularies_are_equal() -> None:
    assert Vocab.of("a", "b") == Vocab(["<pad>", "<mask>", "a", "b"])
    assert hash(Vocab.of("a")) == hash(Vocab.of(["a"]))
    assert Vocab.of("a", "b") != Vocab.of("b", "a")
