"""Puzzles as people write them: in one line or in rows, with borders or in a table, in several alphabets.

It finds the puzzles of a file and turns each into one character a cell; the board then says whether that is a puzzle.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise

from apmdm.lines import Numbered
from apmdm.tasks.sudoku.grid import BOARDS, DIGITS, FOUR, NINE, SIXTEEN, Puzzle

EMPTY = ".0_*?X-·"
"""What stands for an empty cell, besides a blank. In 16x16 a 0 may be a value."""
HEXADECIMAL, LETTERS = "123456789ABCDEF0", "ABCDEFGHIJKLMNOP"
COLUMNS = ("puzzle", "puzzles", "quiz", "quizzes", "question", "questions", "sudoku", "problem", "grid")
"""Names of the column of puzzles in a table."""
SIDES = {board.side: board for board in BOARDS.values()}
PLAIN = re.compile(r"[1-9.0]{81}")
"""The usual way, which is quick to read."""
PART = re.compile(r"(?=.*[1-9])[1-9.0_*?xX·-]+")
"""Cells of a 9x9 puzzle, some of which have values."""
OBJECT = re.compile(r'(?:\s|\[)*\{\s*"[^"\n]*"\s*:')
"""How JSON begins that has objects."""
BEGINNING = 20
"""Lines that tell whether a file is JSON."""
LONG = (NINE.cells, SIXTEEN.cells)
SIZES = {*SIDES, *LONG}
HEADING = re.compile(
    r"\W*((puzzle|grid|sudoku|game|problem|level)s?(\b.{0,40}|\d{1,9}\W*)|(nr|no)\W*\d{1,9}\W*)", re.IGNORECASE
)
NUMBER = re.compile(r"\s*\d{1,4}[.:)]?\s*")
COMMENT = re.compile(r"\s*(%|;|--\s|\*/|\*\s*$)")
ENCLOSED = re.compile(r"^\s*/\*.*?(\*/|$)|/\*\s.*?\s\*/")
"""A comment; rows that are separated by / and have * for empty cells are none."""
ASSIGNED = re.compile(r"^\s*[A-Za-z_][\w\s.:,<>\[\]]*=\s*(?:[A-Za-z_][\w.]*\((?=[\[({]))?(?=[\[({])")
"""A name, = and perhaps a function, before the brackets of a grid that is written as code."""
Rows = list[tuple[int, str]]
"""Lines with their numbers."""
SECTION = re.compile(r"\[([A-Za-z][^\[\]]*)\]")
NO_PUZZLES = ("state", "solution", "candidates", "pencilmarks", "history")
"""Sections of a file in brackets that repeat a puzzle in another state."""
SHORT = 160
"""Characters of a line below which it may be words: a puzzle of 16x16 in letters has 256."""
WIDEST = 25
"""Characters of a row of 9x9 in which blanks are cells, within its border."""
BARS = str.maketrans("│┃║", "|||")
QUOTED_BLANK = re.compile(r"(['\"])\s*\1(?=\s*[,\]])")
RULE = re.compile(r"[\s|:]*([-_*])(?:[\s|:]*\1){2,}[\s|:]*")
"""One mark again and again, which also stands for an empty cell."""
BORDER = re.compile(r"[\s|:.'`,+*=_\u2500-\u257f-]*([=+\u2500\u2501\u2550]|--|__)[\s|:.'`,+*=_\u2500-\u257f-]*")


def puzzles_in(lines: Iterable[str]) -> Numbered:
    """The text of each puzzle in the lines of a file: one line, a cell of a table, or the rows of a grid.

    A table begins with a line of names, one of which is in COLUMNS. Words, borders, comments and blank lines may
    stand between puzzles, and blank lines between the bands of a grid. Of a file of words only the first line is told.
    Raises ValueError for objects of JSON.
    """
    lines = iter(lines)
    head = list(islice(lines, BEGINNING))
    if OBJECT.match("\n".join(head)):
        raise ValueError(
            "it is JSON, which is not read, since any of its fields may be the puzzle; write each puzzle in one line "
            "of 81 or 256 cells, as a grid, or in a table of which a column is called puzzle"
        )
    numbered = ((number, _bare(line)) for number, line in enumerate(chain(head, lines), 1))
    for number, line in numbered:
        if line.strip():
            place = _column(line)
            if place is not None:
                yield from _in_column(*place, numbered)
                continue
            found = _grids(chain([(number, line)], numbered))
            yield from chain([next(found, (number, line))], found)


def puzzle(text: str) -> Puzzle:
    """The values of a puzzle; raises ValueError, in one line, if it is none."""
    if PLAIN.fullmatch(text):
        return Puzzle(NINE.parse(text))
    given = enumerate(line for line in map(_bare, text.split("\n")) if line.strip())
    lines = [line for _, line, is_border in _with_borders(given) if not is_border] or [_bare(text)]
    if len(lines) == 1:
        _refuse_another(_fields(lines[0]))
    cells = _in_one_line(lines[0] if lines else "") if len(lines) < 2 else _in_rows(lines)
    board = next((board for board in BOARDS.values() if board.cells == len(cells)), None)
    if board is None:
        near = SIXTEEN if len(cells) > sum(LONG) // 2 else NINE
        return Puzzle(near.parse("".join(cells)))
    cells = [cell.upper() if board is SIXTEEN or cell == "x" else cell for cell in cells]
    signs = sorted(set(cells))
    if len(signs) > 1 and set(signs) <= set(EMPTY):
        raise ValueError(f"no cell has a value: {' and '.join(map(repr, signs))} both stand for empty cells")
    names = _names(set(cells)) if board is SIXTEEN else list(board.digits)
    told = "".join(_character(cell, names) for cell in cells)
    symbols = "".join(names) if set(names) in (set(HEXADECIMAL), set(LETTERS)) else DIGITS
    return Puzzle(board.parse(told), symbols)


def is_puzzle(text: str) -> bool:
    """Whether a text looks like a puzzle, which may have mistakes."""
    cells = "".join(_fields(text))
    return len(cells) in LONG or (cells != "" and set(cells) <= set(f"{NINE.digits}{EMPTY}"))


def _bare(line: str) -> str:
    """Without the name that code gives to a grid, and without comments.

    A comment is what follows # or //, what /* */ enclose, and a line that begins with a mark of comments. The mark --
    also stands for two empty cells and ; for an empty field, so a row or a puzzle is no comment.
    """
    if PLAIN.fullmatch(line):
        return line
    if COMMENT.match(line) and len(_row(line)) not in SIDES and len(_in_one_line(line)) not in LONG:
        return ""
    code = ASSIGNED.sub("", ENCLOSED.sub("", line).partition("#")[0].partition("//")[0])
    return "" if code != line and not code.strip(" \t,;") else QUOTED_BLANK.sub(".", code).translate(BARS)


def _fields(line: str) -> list[str]:
    """What is between blanks, commas and the like; a value after a + was filled in by a player and is no clue.

    Where as many fields as a row or a puzzle has cells stand between commas, semicolons or tabs, some may be empty.
    """
    for delimiter in ",;\t":
        cells = [cell.strip() for cell in line.split(delimiter)]
        cells = cells[: len(cells) - (cells[-1] == "" and len(cells) - 1 in SIZES)]
        if "" in cells and len(cells) in SIZES and _are_cells(cells):
            return [cell or "." for cell in cells]
    return [field for field in re.split(r"[^\w.*?·-]+", re.sub(r"\+[1-9A-Z]?", _left_empty, line)) if field]


def _left_empty(placed: re.Match[str]) -> str:
    return "." if len(placed[0]) == 2 else ""


def _are_cells(fields: list[str]) -> bool:
    return all(len(field) <= 2 for field in fields)


def _in_one_line(line: str) -> list[str]:
    """The cells of a puzzle in one line, which may have other fields, or what comes nearest to it."""
    fields = _fields(line)
    long = [field for field in fields if len(field) in LONG]
    if long:
        return list(next(iter(_with_empty_cells(long)), long[0]))
    if len(fields) in LONG and _are_cells(fields):
        return fields
    joined = "".join(fields)
    if len(joined) not in LONG:
        for size in LONG:
            if len(line.rstrip()) <= size <= len(line) and " " in line.rstrip() and not set(EMPTY) & set(joined):
                return list(line[:size].replace(" ", "."))
        if len(joined) > NINE.cells and fields:
            return list(max(fields, key=len))
    return list(joined)


def _with_empty_cells(long: list[str]) -> list[str]:
    """Those that are no solutions; in 16x16 a 0 beside another sign for empty cells is a value."""
    empty = set(EMPTY)
    if len(long[0]) == SIXTEEN.cells and set("".join(long)) & (empty - {"0"}):
        empty -= {"0"}
    return [field for field in long if set(field) & empty]


def _refuse_another(fields: list[str]) -> None:
    """Raises ValueError if another puzzle, or a part of one, stands beside a puzzle; a solution may."""
    fields = [*fields, "".join(field for field in fields if len(field) == 1)]
    long = [field for field in fields if len(field) in LONG]
    parts = [field for field in fields if len(field) > WIDEST and len(field) not in LONG and PART.fullmatch(field)]
    if long and (parts or len(_with_empty_cells(long)) > 1):
        raise ValueError("beside a puzzle of 81 or 256 cells stands another, or a part of one; write one puzzle a line")


def _row(line: str) -> list[str]:
    """The cells of a row, unless blanks are cells; of what is no row all characters."""
    fields = _fields(line)
    return fields if len(fields) in SIDES and _are_cells(fields) else list("".join(fields))


def _width(line: str, in_grid: bool) -> int:
    """The cells of a line that is a row of a grid, otherwise 0. in_grid: whether it follows a row."""
    row, inner = _row(line), _within(line)
    as_four = list(map(len, _fields(line))) in ([4], [2, 2], [1] * 4) and "  " not in line.strip()
    if len(row) in SIDES and (len(row) > FOUR.side or as_four):
        return len(row)
    if not row and line.strip(" \t|"):
        return 0
    with_blanks = "|" in line or " " in line.rstrip() or len(line) == NINE.side or (in_grid and bool(row))
    return NINE.side if set(row) <= set(NINE.digits) and with_blanks and len(inner) <= WIDEST else 0


def _within(line: str) -> str:
    """Without what is left and right of a border."""
    return re.sub(r"^\s{0,2}\||\|\s*$", "", line)


def _in_rows(lines: list[str]) -> list[str]:
    rows = list(map(_row, lines))
    side = Counter(_width(line, True) for line in lines).most_common(1)[0][0]
    if side == NINE.side and any(len(row) != side for row in rows):
        rows = _with_blanks(lines) or rows
    if not side:
        raise ValueError(f"no row of a puzzle has a form like {lines[0].strip()[:WIDEST]!r}")
    name = f"{side}x{side}"
    for number, row in enumerate(rows, 1):
        if len(row) != side:
            raise ValueError(f"row {number} of a {name} puzzle has {side} cells, not {len(row)}: {lines[number - 1]!r}")
    if len(rows) != side:
        raise ValueError(f"a {name} puzzle has {side} rows, this one has {len(rows)}")
    return list(chain.from_iterable(rows))


def _with_blanks(lines: list[str]) -> list[list[str]] | None:
    """Rows of 9x9 in which blanks are empty cells, with or without one more blank between cells."""
    within = list(map(_within, lines))
    if set("".join(within)) <= set(f"{NINE.digits} |"):
        for first, step in ((0, 1), (0, 2), (1, 2)):
            rows = [line[first::step].replace("|", "") for line in within]
            between = "".join(line[1 - first :: step] for line in within) if step > 1 else ""
            if not between.strip() and max(map(len, rows)) <= NINE.side:
                return [list(row.ljust(NINE.side).replace(" ", ".")) for row in rows]
    return None


def _names(cells: set[str]) -> list[str]:
    """How the 16 values are written: as 1 to 16, A to P, 0 to F, or 1 to 9 and A to G.

    0 is a value (16) only beside another sign for empty cells, and if no cell holds 16 or G. Without such a sign, a 0
    that is at most once in each row, column and box leads to the same solution either way.
    """
    zero_is_value = "0" in cells and bool(cells & set(EMPTY[:1] + EMPTY[2:]))
    if any(len(cell) == 2 for cell in cells):
        numbers = list(map(str, range(1, 17)))
        return [*numbers[:-1], "0"] if zero_is_value and "16" not in cells else numbers
    if cells & set(LETTERS[7:]) and not cells & set(DIGITS[:9]):
        return list(LETTERS)
    return list(HEXADECIMAL if zero_is_value and "G" not in cells else DIGITS)


def _character(cell: str, names: list[str]) -> str:
    """A cell as the board writes it; what is no value is left for the board to refuse."""
    cell = cell.lstrip("0") or "0" if len(cell) == 2 else cell
    if cell in names:
        return DIGITS[names.index(cell)]
    if len(cell) > 1:
        raise ValueError(f"numbers in a puzzle are 1 to {len(names)}, not {cell!r}")
    return "." if cell in EMPTY else cell


def _is_border(line: str) -> bool:
    no_cells = len(_row(line)) not in SIDES and len(_in_one_line(line)) not in LONG
    return BORDER.fullmatch(line) is not None and ("+" in line or no_cells)


def _is_rule(line: str, before: str, after: str) -> bool:
    """Whether a line of one mark underlines or separates. If a row beside it has that mark, it is an empty row."""
    rule, width = RULE.fullmatch(line), _width(line, True)
    if rule is None:
        return False
    words = [near for near in (before, after) if _is_words(near, width) or HEADING.fullmatch(near)]
    if before in words and len(before.strip()) == len(line.strip()):
        return True
    rows = [near for near in (before, after) if width and near not in words and _width(near, True) == width]
    return not any(rule[1] in near and not _is_border(near) for near in rows)


def _with_borders(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, bool]]:
    """Lines, with whether each is a border of a grid, an underline or the like."""
    before = ""
    for (number, line), (_, after) in pairwise(chain(numbered, [(0, "")])):
        yield number, line, not PLAIN.fullmatch(line) and (_is_border(line) or _is_rule(line, before, after))
        before = line


def _column(line: str) -> tuple[str, int] | None:
    """The delimiter of a table and the place of its column of puzzles, if the line has the names of columns."""
    for delimiter in ",;\t":
        names = [name.strip(' "').lower() for name in line.split(delimiter)]
        if len(names) > 1 and set(names) & set(COLUMNS):
            return delimiter, next(place for place, name in enumerate(names) if name in COLUMNS)
    return None


def _in_column(delimiter: str, place: int, numbered: Iterator[tuple[int, str]]) -> Numbered:
    for number, line in numbered:
        if line.strip():
            cells = next(csv.reader([line], delimiter=delimiter))
            yield number, cells[place] if place < len(cells) else ""


def _grids(numbered: Iterable[tuple[int, str]]) -> Numbered:
    """Puzzles in one line, and grids of as many rows as a row has cells; what is neither is a problem of its own."""
    grid: Rows = []
    for rows in _paragraphs(numbered):
        if not grid and len(rows) == 1 and PLAIN.fullmatch(rows[0][1]):
            yield from rows
            continue
        if not (grid and rows and _side(grid) == _side(rows) and len(grid + rows) <= _side(grid)):
            yield from _told(grid)
            grid = []
        grid = grid + rows
        side = _side(grid)
        if side in (0, len(grid)) or len(grid) % SIDES[side].box:
            yield from _told(grid)
            grid = []
    yield from _told(grid)


def _is_words(line: str, width: int) -> bool:
    """Whether a line of that width can be no damaged puzzle or row: it has more letters than else, or only marks.

    What is as long as a row or a puzzle of 16x16, which may have letters only, needs two letters that are no values.
    """
    signs, fields = "".join(line.split()), _fields(line)
    letters = [sign.upper() for sign in signs if sign.isalpha() and sign not in "xX"]
    if len(letters) <= len(signs) / 2:
        return signs != "" and not (width or fields)
    is_long = width == SIXTEEN.side or len(signs) >= SHORT or len(_in_one_line(line)) in LONG
    if is_long and len(set(letters) - set(LETTERS)) < 2:
        return False
    return not any(len(field) in LONG for field in fields)


def _paragraphs(numbered: Iterable[tuple[int, str]]) -> Iterator[Rows]:
    """Rows that follow each other, no more than a grid has; any other line alone; none at all for a heading."""
    rows: Rows = []
    skipped = False
    for number, line, is_border in _with_borders(numbered):
        if not rows and not skipped and PLAIN.fullmatch(line):
            yield [(number, line)]
            continue
        section = SECTION.fullmatch(line.strip())
        width = 0 if is_border else _width(line, bool(rows))
        is_words = not is_border and _side(rows) != SIXTEEN.side and _is_words(line, width)
        is_row = width > 0 and not is_words
        is_heading = section or is_words or HEADING.fullmatch(line) or (NUMBER.fullmatch(line) and not is_row)
        if is_heading or not line.strip():
            if rows:
                yield rows
            if is_heading:
                yield []
                skipped = bool(section and section[1].lower().startswith(NO_PUZZLES))
            rows = []
        elif is_row or (rows and not is_border and len(_in_one_line(line)) not in LONG):
            rows = [] if skipped else [*rows, (number, line)]
            if rows and len(rows) == _side(rows):
                yield rows
                rows = []
        elif not (skipped or is_border):
            if rows:
                yield rows
            yield [(number, line)]
            rows = []
    if rows:
        yield rows


def _side(rows: Rows) -> int:
    """The cells of a row; 0 if there are no rows."""
    return _width(rows[0][1], False) if rows else 0


def _told(rows: Rows) -> Numbered:
    """A grid, with an empty line for each that was left out; lines of 16 cells with no more than 1 to 4 are of 4x4."""
    if rows and _side(rows) == FOUR.cells and not set("".join(line for _, line in rows)) & set(DIGITS[4:]):
        yield from rows
    elif rows:
        gaps = ("\n" * (number - before) for (before, _), (number, _) in pairwise(rows))
        yield rows[0][0], "".join(chain.from_iterable(zip(["", *gaps], (line for _, line in rows), strict=True)))
