"""Draws the pictures of docs/concepts.md: `python docs/figures/draw.py`.

A picture is rows of tokens; the letter before a token tells what made it, and so the colour of its box.
"""

from pathlib import Path
from xml.sax.saxutils import escape

FIGURES = Path(__file__).parent
SIZE, STEP, MARGIN = 34, 42, 16
FILLS = {
    "k": "#ffffff",  # kept
    "w": "#dcdcdc",  # a MASK that waits, or has not been touched
    "u": "#a9d7a1",  # unmasked
    "r": "#f6c59a",  # remasked
    "i": "#a8c8ec",  # inserted
    "d": "#e8b4b8",  # about to be deleted
}

# Label, boxes, note. A box is a letter of FILLS and a token; "->" is an arrow and "." an empty place.
OPERATIONS = [
    ("unmask", "ka wM kc . -> ka ub kc", "a MASK becomes a token"),
    ("remask", "ka kb kc . -> ka rM kc", "a token becomes MASK"),
    ("insert", "ka kb kc . -> ka kb iM kc", "a new MASK after b"),
    ("delete", "ka dM kc . -> ka kc", "a MASK disappears"),
    ("wait", "ka wM kc . -> ka wM kc", "a MASK stays MASK"),
]
INCREMENT = [
    ("state 0", "k> k1 k1 k+", "1 1 is remasked, > inserts a MASK"),
    ("state 1", "k> iM rM rM k+", "MASKs are unmasked, + is remasked"),
    ("state 2", "k> u1 u0 u0 rM", "the last MASK is deleted"),
    ("state 3", "k> k1 k0 k0", "nothing fires: halted"),
]


def svg(rows: list[tuple[str, str, str]], note_width: int) -> str:
    label_width = 80
    widest = max(len(boxes.split()) for _, boxes, _ in rows)
    width = 2 * MARGIN + label_width + widest * STEP + note_width
    height = 2 * MARGIN + (len(rows) - 1) * STEP + SIZE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="DejaVu Sans, Verdana, sans-serif" font-size="15" fill="#222222">',
        f'<rect width="{width}" height="{height}" rx="8" fill="#f8f8f8"/>',
    ]
    for number, (label, boxes, note) in enumerate(rows):
        top = MARGIN + number * STEP
        line = top + SIZE / 2 + 5
        parts.append(f'<text x="{MARGIN}" y="{line}">{label}</text>')
        parts += [drawn(box, MARGIN + label_width + at * STEP, top) for at, box in enumerate(boxes.split())]
        start = MARGIN + label_width + widest * STEP + 8
        parts.append(f'<text x="{start}" y="{line}" font-size="13">{escape(note)}</text>')
    return "\n".join([*filter(None, parts), "</svg>"]) + "\n"


def drawn(box: str, left: int, top: int) -> str:
    if box == ".":
        return ""
    kind, token = ("", "→") if box == "->" else (box[0], box[1:])
    text = f'<text x="{left + SIZE / 2}" y="{top + SIZE / 2 + 5}" text-anchor="middle">{escape(token)}</text>'
    if not kind:
        return text
    edge = f'rx="5" fill="{FILLS[kind]}" stroke="#666666"'
    return f'<rect x="{left}" y="{top}" width="{SIZE}" height="{SIZE}" {edge}/>{text}'


def main() -> None:
    (FIGURES / "concepts_operations.svg").write_text(svg(OPERATIONS, 170), encoding="utf-8")
    (FIGURES / "concepts_increment.svg").write_text(svg(INCREMENT, 255), encoding="utf-8")


if __name__ == "__main__":
    main()
