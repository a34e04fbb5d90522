"""What is a document in a text: an object or array in a sentence is one, a plain value stands alone or in a fence."""

from collections.abc import Iterator
from itertools import accumulate

from apmdm.text_repair.costs import BITS
from apmdm.text_repair.folding import CLOSERS, OPENERS
from apmdm.text_repair.tokens import Kind
from apmdm.text_repair.ways import UNKNOWN, Way

PLAIN = {Kind.TEXT, Kind.SINGLE_TEXT, Kind.QUOTE, Kind.NUMBER, Kind.LITERAL, Kind.FOREIGN_LITERAL}
_NO_TEXT = {Kind.END, Kind.FENCE, Kind.LINE_COMMENT, Kind.BLOCK_OPEN, *CLOSERS}
_LABELS = {Kind.WORD, Kind.NUMBER, Kind.COMMA}, {Kind.WORD, Kind.NUMBER, Kind.QUOTE, Kind.TEXT}
_LIST = BITS["unquoted value"] | BITS["missing comma"] | BITS["missing comma at a line's end"]
_HALF = BITS["unquoted value"] | BITS["truncated"]


class RunningText:
    """The text around a document, told from the kinds of its tokens.

    label_ends: where brackets hold nothing but words, as `[General]` and `[remote "origin"]` do, the opening bracket's
    place with that of the closing one.
    """

    def __init__(self, kinds: list[Kind]) -> None:
        self.kinds = kinds
        never = -len(kinds)
        self.last_fence = list(accumulate((at if kind == Kind.FENCE else never for at, kind in enumerate(kinds)), max))
        self.label_ends = dict(_labels(kinds))

    def begins_alone(self, way: Way) -> bool:
        """No running text stands before a plain value, or a fence does, which may name its language."""
        return not way.seen & BITS["prose"] or way.at - self.last_fence[way.at] <= 2

    def is_label(self, way: Way) -> bool:
        """Brackets that hold nothing but words begin here, and there is text beside them that no fence keeps apart."""
        end = self.label_ends.get(way.at)
        return end is not None and (self.kinds[end + 1] not in _NO_TEXT or not self.begins_alone(way))

    def may_lack_brackets(self, way: Way) -> bool:
        """What begins here is no running text that has labels."""
        return not self.label_ends or (self.kinds[way.at] != Kind.WORD and self.begins_alone(way))

    def ended_alone(self, way: Way) -> bool:
        """The document is no plain value, or a comma or a fence stands behind it."""
        brackets = self.kinds[way.root] not in PLAIN or way.seen & BITS["no brackets around"]
        return bool(brackets) or self.kinds[way.at] == Kind.COMMA or self.last_fence[way.at] > way.root

    def opens_unseen(self, way: Way) -> bool:
        """The innermost frame is the document, and neither its opening bracket nor a fence is in the text."""
        frame = way.frame
        return frame is not None and (frame.parent, frame.line) == (None, UNKNOWN) and self.last_fence[way.at] < 0

    def is_sentence(self, way: Way) -> bool:
        """No bracket of the document is in the text, and there is text beside it, or it is a list or pairs of words.

        Neither is a list of one item a document, nor one without commas, nor one pair without a colon.
        """
        if way.frame is None or not self.opens_unseen(way):
            return False
        if way.frame.size < 2 and (way.frame.array or way.seen & BITS["missing colon"]):
            return True
        words = way.seen & _LIST if way.frame.array else way.seen & BITS["unquoted key"] and way.seen & _HALF
        return self.kinds[way.at] != Kind.END or bool(words or way.seen & BITS["prose"])


def _labels(kinds: list[Kind]) -> Iterator[tuple[int, int]]:
    opened = -1
    for at, kind in enumerate(kinds):
        if kind == Kind.CLOSE_ARRAY and opened >= 0:
            inside = set(kinds[opened + 1 : at])
            if Kind.WORD in inside and any(inside <= label for label in _LABELS):
                yield opened, at
        if kind in OPENERS or kind in CLOSERS:
            opened = at if kind == Kind.OPEN_ARRAY else -1
