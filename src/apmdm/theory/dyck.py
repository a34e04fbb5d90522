"""Two-sided Dyck-k generated exactly (theorem 5): the process of `tasks.dyck`, written in arrays.

Every decision looks two positions to either side; what stops a run is that its fuel is spent, inside the context.
`tasks.dyck.process` explains the rules and names them as here.
"""

import math

from apmdm.tasks.dyck.process import HOP_CHANCE, LETTERS, MAX_K, START_CHANCE, VOCAB
from apmdm.theory.array import Array, Constant, atoms, attend, cell, choose, together, unpack
from apmdm.theory.evaluate import SURE, Policy
from apmdm.theory.words import own_mask

SIZES = [f"k{k}" for k in range(1, MAX_K + 1)]


def policy(positions: int) -> Policy:
    """For sequences of at most so many positions, any k."""
    width = positions.bit_length()
    pair, hop, fuel, moved, masked = *(atoms(name) for name in ("PAIR", "HOP", "FUEL", "MOVED")), own_mask()
    letters, sizes = atoms(*LETTERS), atoms(*SIZES)
    letter = letters.nonzero() & ~pair

    def at(offset: int, *values: Array) -> list[Array]:
        found = attend(cell(width, offset=offset), cell(width), together(*values), Constant(1, 1))
        return unpack(found, *(value.bits for value in values))

    right_pair, right_hop, right_letter, right_fuel, right_moved, right_masked, right_letters = at(
        1, pair, hop, letter, fuel, moved, masked, letters
    )
    far_moved, far_masked = at(2, moved, masked)
    left_pair, left_hop, left_letter, left_fuel, left_letters, left_size = at(
        -1, pair, hop, letter, fuel | moved, letters, sizes
    )
    before_hop, before_size = at(-2, hop, sizes)

    any_fuel, landed = fuel | moved, right_letter & far_moved
    first = masked & right_pair
    second = masked & ~right_pair & left_pair
    chooses = masked & left_fuel & ~right_pair & ~right_hop & ~landed
    arrive = masked & ~right_pair & left_letter & before_hop
    hopped_over = letter & left_hop & ~right_masked & ~right_moved
    blocked = right_masked | right_pair | right_hop | right_fuel | right_moved | landed
    remask = (any_fuel & (right_pair | right_hop) & far_masked) | (hop & landed) | (pair & left_letter)
    delete = masked & ~first & ~second & ~chooses & ~arrive

    bits = [left_letters[i ^ 1 : (i ^ 1) + 1] for i in range(len(LETTERS))]
    allowed = [left_size[i // 2 : MAX_K].nonzero() for i in range(len(LETTERS))]
    written = choose((first, right_letters), (second, together(*bits)), (chooses, together(*allowed)))
    size = choose((arrive, before_size), (chooses, left_size))
    content = {name: written[i : i + 1] for i, name in enumerate(LETTERS)}
    content |= {name: size[i : i + 1] for i, name in enumerate(SIZES)}
    content |= {"PAIR": chooses, "HOP": chooses & right_letter, "MOVED": arrive}
    odds = HOP_CHANCE / (1 - HOP_CHANCE)
    chances = [
        ("HOP", chooses & right_letter & left_size[k - 1 : k], math.log(2 * k * odds)) for k in range(1, MAX_K + 1)
    ]
    start = math.log(START_CHANCE / (1 - START_CHANCE))
    chances.append(("insert", any_fuel & ~blocked, SURE + start))
    controls = {"remask": remask, "insert": chooses | hopped_over, "delete": delete}
    return Policy(VOCAB, content, controls, chances)
