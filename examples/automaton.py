"""Eight generations of the cellular automaton Rule 110, all cells at once, one generation a step.

A cell cannot be rewritten in place: masked, it would forget what it and its neighbours need. So every cell has a MASK
beside it. The MASKs become the next generation while the cells become MASKs, and so forth, to and fro:

    a_b_c_ -> _A_B_C -> a_b_c_ -> ... -> abc

A cell is a product of its value and the number of generations left, which also says on which side its MASK is. Outside
of the row all is 0. A token depends on the three to either side: learned from up to 12 cells, it holds for 100. It does
not hold for more generations than 8, as there are no symbols for them.

    apmdm check examples/automaton.py
    apmdm train examples/automaton.py
    apmdm eval examples/automaton.py --weights runs/automaton --num 1000
    apmdm run examples/automaton.py 00000000000000000001 --weights runs/automaton --watch

Measured by these commands on 2 shared cores of an AMD EPYC, one thread: 1,000 of 1,000 rows of 1 to 100 cells right.
Training took 64 s (35 s of processor time), the measuring 43 s.
"""

from apmdm import MASK, Settings, Task

RULE, STEPS = 110, 8


def start(cells):
    return [symbol for cell in cells for symbol in ((int(cell), STEPS), MASK)]


def step(state):
    cells = [symbol for symbol in state if symbol != MASK]
    if not cells or cells[0][1] == 0:
        return cells
    row = [0, *(value for value, _ in cells), 0]
    around = zip(row, row[1:], row[2:], strict=False)
    new = [(RULE >> 4 * left + 2 * own + right & 1, cells[0][1] - 1) for left, own, right in around]
    return [symbol for cell in new for symbol in ((cell, MASK) if state[0] == MASK else (MASK, cell))]


def problem(random, most=12):
    return "".join(random.choices("01", k=random.randint(1, most)))


def right(cells, answer):
    for _ in range(STEPS):
        cells = "".join(str(RULE >> int(("0" + cells + "0")[i : i + 3], 2) & 1) for i in range(len(cells)))
    return answer == cells


task = Task.from_process(
    step,
    problem,
    name="automaton",
    start=start,
    answer=lambda cells: "".join(str(value) for value, _ in cells),
    verify=right,
    training=Settings(steps=600),
    test_problem=lambda random: problem(random, 100),
)
