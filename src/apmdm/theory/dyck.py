"""Two-sided Dyck-k generated exactly (theorem 5): the process of `tasks.dyck`, written in arrays.

Every decision looks two positions to either side; what stops a run is that its fuel is spent, inside the context.
`tasks.dyck.process` explains the rules and names them as here.
"""

import math

from apmdm.tasks.dyck.process import CROWDED_CHANCE, HOP_CHANCE, MAX_K, START_CHANCE, VOCAB
from apmdm.tasks.dyck.process import LETTERS as ALL_LETTERS
from apmdm.theory.array import ALWAYS, Array, atoms, attend, cell, choose, together, unpack
from apmdm.theory.policy import SURE, ArrayPolicy
from apmdm.theory.words import own_mask

SIZES = [f"k{k}" for k in range(1, MAX_K + 1)]
LETTERS = ALL_LETTERS[: 2 * MAX_K]


def policy(positions: int) -> ArrayPolicy:
    """For sequences of at most so many positions, any k."""
    width = (positions + 1).bit_length()
    pair, hop, fuel, masked = *(atoms(name) for name in ("PAIR", "HOP", "FUEL")), own_mask()
    letters, sizes = atoms(*LETTERS), atoms(*SIZES)
    letter = letters.nonzero() & ~pair

    def at(offset: int, *values: Array) -> list[Array]:
        found = attend(cell(width, offset=offset), cell(width), together(*values), ALWAYS)
        return unpack(found, *(value.bits for value in values))

    right_pair, right_hop, right_letter, right_fuel, right_masked, right_letters = at(
        1, pair, hop, letter, fuel, masked, letters
    )
    far_fuel, far_masked = at(2, fuel, masked)
    left_pair, left_hop, left_letter, left_fuel, left_letters, left_size = at(
        -1, pair, hop, letter, fuel, letters, sizes
    )
    before_hop, before_size = at(-2, hop, sizes)

    landed, busy = right_letter & far_fuel, right_masked | right_pair | right_hop
    first = masked & right_pair
    second = masked & ~right_pair & left_pair
    chooses = masked & left_fuel & ~right_pair & ~right_hop & ~landed
    arrive = masked & ~right_pair & left_letter & before_hop & ~right_hop & ~landed
    hopped_over = letter & left_hop & ~busy & ~right_fuel & ~landed
    starts = fuel & ~busy & ~landed
    remask = (fuel & (right_pair | right_hop) & far_masked) | (hop & landed) | (pair & left_letter)
    delete = masked & ~first & ~second & ~chooses & ~arrive

    bits = [left_letters[i ^ 1 : (i ^ 1) + 1] for i in range(len(LETTERS))]
    allowed = [left_size[i // 2 : MAX_K].nonzero() for i in range(len(LETTERS))]
    written = choose((first, right_letters), (second, together(*bits)), (chooses, together(*allowed)))
    size = choose((arrive, before_size), (chooses, left_size))
    content = {name: written[i : i + 1] for i, name in enumerate(LETTERS)}
    content |= {name: size[i : i + 1] for i, name in enumerate(SIZES)}
    content |= {"PAIR": chooses, "HOP": chooses & right_letter, "FUEL": arrive}
    odds = HOP_CHANCE / (1 - HOP_CHANCE)
    chances = [
        ("HOP", chooses & right_letter & left_size[k - 1 : k], math.log(2 * k * odds)) for k in range(1, MAX_K + 1)
    ]
    for where, chance in ((starts & ~right_fuel, START_CHANCE), (starts & right_fuel, CROWDED_CHANCE)):
        chances.append(("insert", where, SURE + math.log(chance / (1 - chance))))
    controls = {"remask": remask, "insert": chooses | hopped_over, "delete": delete}
    return ArrayPolicy(VOCAB, content, controls, chances)
