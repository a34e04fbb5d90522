"""Every way of writing puzzles that people have gives the same cells, and what is no puzzle is told in one line."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from apmdm.lines import Problems, text_at
from apmdm.tasks.sudoku.data import generated
from apmdm.tasks.sudoku.formats import HEXADECIMAL, LETTERS, puzzle, puzzles_in
from apmdm.tasks.sudoku.grid import DIGITS, FOUR, NINE, SIXTEEN, Board, to_text
from apmdm.tasks.sudoku.puzzles import full_grid

FOREIGN = Path(__file__).parents[4] / "shared/data/foreign"
WIKIPEDIA = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
OTHER = to_text(generated(1, 5)[0].tolist())
ROWS: list[str] = [WIKIPEDIA[first : first + 9] for first in range(0, 81, 9)]


def found(text: str) -> list[str]:
    return [to_text(puzzle(one)) for _, one in puzzles_in(text.split("\n"))]


def drawn(rows: list[str], line: str, bar: str, between: str = " ", around: bool = True) -> str:
    """A grid with borders."""
    told = []
    for number, row in enumerate(rows):
        if number in ((0, 3, 6) if around else (3, 6)):
            told.append(line)
        parts = [between.join(row[first : first + 3]) for first in (0, 3, 6)]
        inner = f"{between}{bar}{between}".join(parts)
        told.append(f"{bar}{between}{inner}{between}{bar}" if around else inner)
    return "\n".join([*told, line] if around else told)


@pytest.mark.parametrize("empty", [".", "0", "_", "*", "?", "x", "X", "-", "·"])
def test_every_sign_for_an_empty_cell_is_read(empty: str) -> None:
    blank = "." * 81
    for text in (WIKIPEDIA, OTHER, blank):
        assert found(text.replace(".", empty)) == [text]
        rows = [text.replace(".", empty)[first : first + 9] for first in range(0, 81, 9)]
        assert found("\n".join(rows)) == [text]
        assert found("\n".join(" ".join(row) for row in rows)) == [text]
        assert found(drawn(rows, "+-------+-------+-------+", "|")) == [text]


@pytest.mark.parametrize(
    "text",
    [
        WIKIPEDIA.replace(".", " "),
        "\n".join(row.replace(".", " ") for row in ROWS),
        "\n".join(row.replace(".", " ").rstrip() for row in ROWS),
        "\n".join(" ".join(row.replace(".", " ")).rstrip() for row in ROWS),
        drawn([row.replace(".", " ") for row in ROWS], "+---+---+---+", "|", ""),
        drawn([row.replace(".", " ") for row in ROWS], "+-------+-------+-------+", "|"),
        drawn([row.replace(".", " ") for row in ROWS], "------+-------+------", "|", around=False),
        drawn([row.replace(".", " ") for row in ROWS], "┼───────┼───────┼", "│"),
    ],
)
def test_blanks_are_empty_cells(text: str) -> None:
    assert found(text) == [WIKIPEDIA]


@pytest.mark.parametrize(
    "text",
    [
        drawn(ROWS, "*-----------*", "|", ""),
        drawn(ROWS, "|---+---+---|", "|", ""),
        drawn(ROWS, "───┼───┼───", "│", "", around=False),
        drawn(ROWS, "╠═══╬═══╬═══╣", "║", ""),
        drawn(ROWS, ":-------+-------+-------:", "|"),
        drawn(ROWS, "=====================", "|"),
        drawn(ROWS, "-----------", "|", "", around=False),
        "\n".join("+---+---+---+---+---+---+---+---+---+\n| " + " | ".join(row) + " |" for row in ROWS),
    ],
)
def test_borders_are_no_rows(text: str) -> None:
    assert found(text) == [WIKIPEDIA]
    assert found(f"{text}\n\n{text}\n{text}") == [WIKIPEDIA] * 3
    assert to_text(puzzle(text)) == WIKIPEDIA


@pytest.mark.parametrize(
    "text",
    [
        ",".join(WIKIPEDIA),
        " ".join(WIKIPEDIA),
        " ".join(ROWS),
        "/".join(ROWS),
        "\n".join(",".join(row) for row in ROWS),
        "\n".join(",".join(row) for row in ROWS).replace(".", "0"),
        "\n".join(f"{row[:3]} {row[3:6]} {row[6:]}" for row in ROWS),
        str([[int(cell) for cell in row.replace(".", "0")] for row in ROWS]),
        f'"{WIKIPEDIA}"',
        f"Puzzle 1: {WIKIPEDIA}",
        f"0000183b305c {WIKIPEDIA}  1.2",
        f"{WIKIPEDIA} # ED=7.2/1.2/1.2",
        f"{WIKIPEDIA}; 12 some name",
        f"{WIKIPEDIA},{'1' * 81}",
        f"{'1' * 81},{WIKIPEDIA}",
        f"{WIKIPEDIA} {' '.join('1' * 81)}",
        f"{WIKIPEDIA} 1 9.0 2 20240131120000 {'-' * 40}",
        f":0000:x:{WIKIPEDIA.replace('9', '+9', 1)}:::".replace("+9", "9"),
        WIKIPEDIA[:4] + WIKIPEDIA[4:].replace("......", "+1.....", 0),
    ],
)
def test_separators_and_further_fields(text: str) -> None:
    assert found(text) == [WIKIPEDIA]


@pytest.mark.parametrize("more", [OTHER, OTHER.replace(".", "0"), OTHER[1:], OTHER * 2, " ".join(OTHER), "1" * 80])
def test_a_puzzle_beside_another_is_not_left_out_without_a_word(more: str) -> None:
    for line in (f"{WIKIPEDIA} {more}", f"{WIKIPEDIA},{more}", f'["{WIKIPEDIA}", "{more}"]'):
        ((number, text),) = puzzles_in([line])
        assert number == 1
        with pytest.raises(ValueError, match="stands another, or a part of one; write one puzzle a line"):
            puzzle(text)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "content", [{"seeds": [{"mask": "0" * 81}]}, [{"quiz": WIKIPEDIA}], [[{"solution": "1" * 81}]]]
)
def test_json_is_refused_as_json(content: object, indent: int | None) -> None:
    with pytest.raises(ValueError, match=r"it is JSON, which is not read.* of which a column is called puzzle"):
        found(json.dumps(content, indent=indent))


def test_quotes_and_brackets_alone_are_no_json() -> None:
    texts = json.dumps([WIKIPEDIA, OTHER], indent=2), "{\n" + ",\n".join(f'  "{row}"' for row in ROWS) + "\n}"
    assert list(map(found, texts)) == [[WIKIPEDIA, OTHER], [WIKIPEDIA]]


@pytest.mark.parametrize("name", ["problem = [", "int grid[9][9] = {", "let hard: number[][] = [", "p = np.array(["])
@pytest.mark.parametrize("between", ["", "\n"])
def test_the_name_that_code_gives_to_a_grid_is_no_part_of_its_first_row(name: str, between: str) -> None:
    rows = [f"[{' , '.join(row.replace('.', '0'))}]" for row in ROWS]
    grid = name + between + ",\n".join(rows) + "]\n"
    assert found(grid * 2) == [WIKIPEDIA] * 2


@pytest.mark.parametrize("blank", ["' '", "''", '" "'])
def test_a_quoted_blank_is_an_empty_cell(blank: str) -> None:
    rows = [", ".join(blank if cell == "." else blank[0] + cell + blank[-1] for cell in row) for row in ROWS]
    assert found("[" + "\n".join(f"[{row}]," for row in rows) + "]") == [WIKIPEDIA]


def test_what_a_player_filled_in_is_no_clue() -> None:
    assert found("53..+6....6..195" + WIKIPEDIA[15:]) == [WIKIPEDIA[:4] + "." + WIKIPEDIA[5:]]


@pytest.mark.parametrize("blank", ["", "\n"])
@pytest.mark.parametrize(
    "heading", ["", "Grid 01\n", "[Puzzle]\n", "1\n", "#A somebody\n", "puzzle 2 (hard)\n", "No. 7\n"]
)
def test_grids_follow_each_other(blank: str, heading: str) -> None:
    grid = heading + "\n".join(ROWS) + "\n"
    assert found(blank.join([grid] * 3)) == [WIKIPEDIA] * 3


def test_blank_lines_between_bands() -> None:
    bands = ["\n".join(ROWS[first : first + 3]) for first in (0, 3, 6)]
    assert found("\n\n".join(bands * 2)) == [WIKIPEDIA] * 2


def test_a_broken_grid_spoils_no_other() -> None:
    whole = "\n".join(ROWS)
    for rows, reason in (
        (ROWS[:8], "has 9 rows, this one has 8"),
        (ROWS[:6], "has 9 rows, this one has 6"),
        ([*ROWS[:4], "53..7...", *ROWS[5:]], "row 5 of a 9x9 puzzle has 9 cells, not 8"),
    ):
        told = list(puzzles_in("\n".join([whole, "", *rows, "", whole, whole]).split("\n")))
        assert [number for number, _ in told] == [1, 11, 12 + len(rows), 21 + len(rows)]
        assert [to_text(puzzle(told[place][1])) for place in (0, 2, 3)] == [WIKIPEDIA] * 3
        with pytest.raises(ValueError, match=reason):
            puzzle(told[1][1])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["puzzle", "puzzles", "quizzes", "Quiz", '"question"'])
def test_the_column_of_a_table_is_found_by_its_name(delimiter: str, name: str) -> None:
    lines = [("id", "solution", name), ("1", "1" * 81, WIKIPEDIA), ("2", "1" * 81, f'"{OTHER}"'), ("3", "1" * 81)]
    told = list(puzzles_in([delimiter.join(line) for line in lines]))
    assert [number for number, _ in told] == [2, 3, 4]
    assert [to_text(puzzle(text)) for _, text in told[:2]] == [WIKIPEDIA, OTHER]
    with pytest.raises(ValueError, match="this one has 0"):
        puzzle(told[2][1])


def test_other_sections_of_a_file_are_left_out() -> None:
    state = "\n".join(["1........", *ROWS[1:]])
    assert found("[Puzzle]\n" + "\n".join(ROWS) + "\n[State]\n" + state + "\n[Puzzle]\n" + "\n".join(ROWS)) == [
        WIKIPEDIA,
        WIKIPEDIA,
    ]


def large() -> list[int]:
    grid = full_grid(np.random.default_rng(1), SIXTEEN)
    return [0 if cell % 3 == 0 else value for cell, value in enumerate(grid)]


@pytest.mark.parametrize(
    ("names", "empty", "symbols"),
    [
        (list(DIGITS), ".", DIGITS),
        (list(DIGITS), "0", DIGITS),
        (list(DIGITS.lower()), ".", DIGITS),
        (list(HEXADECIMAL), ".", HEXADECIMAL),
        (list(HEXADECIMAL.lower()), "-", HEXADECIMAL),
        (list(LETTERS), ".", LETTERS),
        (list(LETTERS), "0", LETTERS),
        (list(map(str, range(1, 17))), "0", DIGITS),
        (list(map(str, range(1, 17))), ".", DIGITS),
        ([f"{number:02}" for number in range(1, 17)], "00", DIGITS),
    ],
)
def test_16x16_in_every_alphabet(names: list[str], empty: str, symbols: str) -> None:
    values = large()
    cells = [[empty, *names][value] for value in values]
    lines = [cells[first : first + 16] for first in range(0, 256, 16)]
    texts = [" ".join(cells), "\n".join(map(" ".join, lines)), "\n".join(map(",".join, lines))]
    texts += [] if len(names[15]) > 1 else ["".join(cells), "\n".join(map("".join, lines))]
    for text in texts:
        ((_, one),) = puzzles_in(text.split("\n"))
        assert puzzle(one) == values
        assert puzzle(one).symbols == symbols
    ((_, one),) = puzzles_in([texts[0]])
    assert puzzle(one).write(values) == "".join(f".{symbols}"[value] for value in values)


def test_whether_0_is_a_value_makes_no_difference_where_it_cannot_be_told() -> None:
    """A 0 without another sign for an empty cell, and no G: if hexadecimal, the grid is full, and each 0 is a G."""
    grid = full_grid(np.random.default_rng(2), SIXTEEN)
    told = puzzle("".join(HEXADECIMAL[value - 1] for value in grid))
    assert all(given in (0, value) for given, value in zip(told, grid, strict=True))
    assert {value for given, value in zip(told, grid, strict=True) if not given} == {16}


@pytest.mark.parametrize("board", [FOUR, SIXTEEN])
def test_grids_of_other_boards(board: Board) -> None:
    text = to_text(generated(1, 3, board)[0].tolist())
    rows = [text[first : first + board.side] for first in range(0, board.cells, board.side)]
    assert found(text) == found("\n".join(rows)) == [text]
    assert found("\n".join([*rows, "", *rows, *rows])) == [text] * 3
    assert found("\n".join([text] * 20)) == [text] * 20


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (WIKIPEDIA[1:], "a 9x9 puzzle has 81 characters, this one has 80"),
        (WIKIPEDIA + "1", "this one has 82"),
        (WIKIPEDIA[1:] + "  ", "this one has 80"),
        ("." * 255, "a 16x16 puzzle has 256 characters, this one has 255"),
        ("hello world", "this one has 10"),
        ("²" + WIKIPEDIA[1:], "not with '²'"),
        ("A" + WIKIPEDIA[1:], "a 9x9 puzzle is written with 1 to 9 and . or 0 for an empty cell, not with 'A'"),
        (" ".join(["17", *"." * 255]), "numbers in a puzzle are 1 to 16, not '17'"),
        ("11" + "." * 79, "1 twice in row 1"),
        ("H" + DIGITS + "." * 239, "written with 1 to 9, A to G and . or 0 for an empty cell, not with 'H'"),
        ("\n".join(ROWS[:7]), "a 9x9 puzzle has 9 rows, this one has 7"),
        ("", "this one has 0"),
    ],
)
def test_what_is_no_puzzle_is_told_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as raised:
        puzzle(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("puzzle", [WIKIPEDIA, "\n".join(ROWS), drawn(ROWS, "-------+-------+-------", "|")])
@pytest.mark.parametrize(
    "words",
    [
        "% generated, hard",
        "Board",
        "Wednesday",
        "Tuesday, my hardest one",
        "A title\n",
        "exports.found = [\n    {",
        "many words " * 12,
    ],
)
def test_words_between_puzzles_are_no_puzzles(words: str, puzzle: str) -> None:
    assert found(f"{words}\n{puzzle}\n{words}\n{puzzle}\n{words}") == [WIKIPEDIA] * 2


@pytest.mark.parametrize(
    "comment",
    ["// 6", "    // 6", "# 6", "; 6", ";6", "-- 6", "/* 6 */", "/* 6", " * ", " */", ", // Puzzle 6", "    ,"],
)
@pytest.mark.parametrize("puzzle", [WIKIPEDIA, "\n".join(ROWS), "\n".join(f'    "{row}"' for row in ROWS)])
def test_a_comment_above_a_grid_is_no_row(comment: str, puzzle: str) -> None:
    assert found(f"{comment}\n{puzzle}\n{comment}\n{puzzle}\n{comment}") == [WIKIPEDIA] * 2


@pytest.mark.parametrize("comment", ["// 6", "/* 6 */", "# 6"])
def test_a_comment_behind_a_row_is_no_cell(comment: str) -> None:
    assert found("\n".join(f'"{row}" {comment}' for row in ROWS)) == [WIKIPEDIA]
    assert found(f'"{WIKIPEDIA}", {comment}') == [WIKIPEDIA]


@pytest.mark.parametrize(("row", "same"), [("--....7..", "......7.."), ("; ; 5 ; ; ; ; ; ;", "..5......")])
def test_marks_of_comments_that_are_empty_cells_are_read(row: str, same: str) -> None:
    assert found("\n".join([row, *ROWS[1:]])) == [same + WIKIPEDIA[9:]]
    assert found("/".join(ROWS).replace(".", "*")) == [WIKIPEDIA]


def test_a_refused_grid_names_all_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("\n".join([WIKIPEDIA, "", *ROWS[:3], "---+---+---", *ROWS[3:6], "", *ROWS[6:8], "4195"]))
    problems = Problems(text_at(path, "puzzles"), puzzles_in, puzzle)
    (error,) = (str(told) for _, told in problems.read() if isinstance(told, ValueError))
    assert error == "lines 3-13: row 9 of a 9x9 puzzle has 9 cells, not 4: '4195'"


PROSE = "Most generators begin with a full grid and take the numbers away one after the other, " * 3


@pytest.mark.parametrize("puzzle", [WIKIPEDIA, "\n".join(ROWS)])
@pytest.mark.parametrize(
    "words",
    [
        PROSE,
        PROSE[:100],
        "sudoku_backtrack",
        "stop " * 20 + "s",
    ],
)
def test_prose_of_any_length_is_no_puzzle(words: str, puzzle: str) -> None:
    assert found(f"{words}\n{puzzle}\n\n{words}\n\n{puzzle}\n{words}") == [WIKIPEDIA] * 2


@pytest.mark.parametrize("puzzle", [WIKIPEDIA, "\n".join(ROWS), drawn(ROWS, "-------+-------+-------", "|")])
@pytest.mark.parametrize("width", [3, 4, 9, 16, 81, 256])
@pytest.mark.parametrize("mark", "-_*=~")
def test_underlines_are_no_puzzles(mark: str, width: int, puzzle: str) -> None:
    rule = mark * width
    assert found(f"{rule}\n{puzzle}\n{rule}\n\nA title\n{rule}\n\n{rule}\n{puzzle}") == [WIKIPEDIA] * 2


@pytest.mark.parametrize("rule", ["---------", "---|---|---", "_________", "- - - - - - - - -"])
def test_lines_of_one_mark_between_bands_are_no_rows(rule: str) -> None:
    grid = "\n".join([*ROWS[:3], rule, *ROWS[3:6], rule, *ROWS[6:]])
    assert found(f"{grid}\n{rule}\n{grid}") == [WIKIPEDIA] * 2
    assert to_text(puzzle(grid)) == WIKIPEDIA


@pytest.mark.parametrize("empty", "-_*")
def test_a_row_without_values_is_no_underline(empty: str) -> None:
    rows = [empty * 9, *(row.replace(".", empty) for row in ROWS[1:8]), empty * 9]
    assert found("\n".join(["sudoku-01", empty * 9, *rows])) == ["." * 9 + WIKIPEDIA[9:72] + "." * 9]
    assert found("\n".join([empty * 9] * 9)) == ["." * 81]
    assert found(empty * 81) == ["." * 81]


def test_words_are_told_if_a_file_has_nothing_else() -> None:
    assert list(puzzles_in(["", "hello world", "and more"])) == [(2, "hello world")]
    assert list(puzzles_in(["", "# a comment"])) == []


@pytest.mark.parametrize(
    "damaged", [WIKIPEDIA[1:], "A" + WIKIPEDIA[1:], WIKIPEDIA[:50], WIKIPEDIA.replace(".", "x")[2:]]
)
def test_a_damaged_puzzle_among_words_is_told_with_its_line(damaged: str) -> None:
    told = list(puzzles_in(["words", WIKIPEDIA, "words", damaged, "words", *ROWS]))
    assert [number for number, _ in told] == [2, 4, 6]
    with pytest.raises(ValueError, match="a 9x9 puzzle"):
        puzzle(told[1][1])


def test_a_damaged_row_of_letters_is_no_title() -> None:
    grid = full_grid(np.random.default_rng(1), SIXTEEN)
    rows = ["".join(LETTERS[value - 1] for value in grid[first : first + 16]) for first in range(0, 256, 16)]
    ((_, text),) = puzzles_in([*rows[:4], rows[4][1:], *rows[5:]])
    with pytest.raises(ValueError, match="row 5 of a 16x16 puzzle has 16 cells, not 15"):
        puzzle(text)


@pytest.mark.parametrize("mark", [",", ";", "\t", ", "])
def test_an_empty_field_of_a_table_is_an_empty_cell(mark: str) -> None:
    empty = [mark.join(row).replace(".", "") for row in ROWS]
    assert found("\n".join(empty)) == [WIKIPEDIA]
    assert found("\n".join(f"{row}{mark.strip(' ')}" for row in empty)) == [WIKIPEDIA]


def test_two_signs_for_empty_cells_and_no_value_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no cell has a value: '\*' and '\.' both stand for empty cells"):
        puzzle("\n".join(["*.**.**.*"] * 9))


def test_what_has_no_form_of_a_puzzle_is_told_as_it_is_written() -> None:
    with pytest.raises(ValueError, match="not with 'a'"):
        puzzle("a" + WIKIPEDIA[1:])
    with pytest.raises(ValueError, match="no row of a puzzle has a form like"):
        puzzle("one\ntwo")


@pytest.mark.skipif(not FOREIGN.is_dir(), reason="needs the shared data")
@pytest.mark.parametrize("pattern", ["16_*", "bank*", "empty_*", "grid*", "puzzle*", "trailing*", "given_plus*"])
def test_files_of_others_are_read(pattern: str) -> None:
    for path in FOREIGN.glob(pattern + ".*" if "." not in pattern else pattern):
        for _, text in puzzles_in(text_at(path, "puzzles")):
            found = puzzle(text)
            assert len(found) == (SIXTEEN if path.name.startswith("16") else NINE).cells
            if "16" not in path.name and "grid.txt" not in path.name:
                assert to_text(found)[5:] == WIKIPEDIA[5:]
