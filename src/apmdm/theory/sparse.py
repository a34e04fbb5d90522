"""A PRAM as an AP-MDM with sparse memory: cells for words that are not 0 only; insert makes them, delete frees them.

Cells as in `in_place`. A store to a word without a cell stops every machine step until the cell is there: the end of
the counter's cell inserts a MASK, one MASK becomes two and four, and these become a cell of memory that holds 0; of
processors that store to the same word the last one makes the cell. A cell that holds 0 and is not stored to is
remasked, then deleted. Other cells move, so they are found by what they hold and not by where they are. Steps: at most
5 T + 2.
"""

from functools import reduce
from operator import or_

from apmdm.state import Sequence
from apmdm.theory.array import ALWAYS, Array, anywhere, attend, cell, choose, together, unpack
from apmdm.theory.in_place import CELL, Cell, context, sequence_of, update
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.pram import Job, Program
from apmdm.theory.words import KIND_BITS, PC, own_kind, own_mask, own_word, vocabulary, word_atoms

LEFT, RIGHT = 2 * CELL - 1, CELL - 1
"""How far a position looks."""


def encode(job: Job) -> Sequence:
    return sequence_of(job, [("MEM", address, word) for address, word in enumerate(job.memory) if word])


def most_context(job: Job, live: int) -> int:
    """Tokens that suffice if at most so many words are not 0 at once."""
    return context(live, job.processors, job.program.num_registers) + 8 * job.processors


def policy(program: Program, bits: int, positions: int) -> ArrayPolicy:
    """For words of so many bits and sequences of at most so many positions."""
    width = (positions + RIGHT - 1).bit_length()
    own = together(own_kind(), own_word(bits), own_mask())
    around = {
        offset: attend(cell(width, offset=offset), cell(width), own, ALWAYS) if offset else own
        for offset in range(-LEFT, RIGHT + 1)
    }
    kind, word, mask = (
        {at: unpack(seen, KIND_BITS, bits, 1)[part] for at, seen in around.items()} for part in range(3)
    )

    role = [kind[-place].nonzero() for place in range(CELL)]
    outside = own_mask() & ~reduce(or_, role)
    is_counter = {at: kind[at].equals(PC) for at in range(1 - 2 * CELL, 1 - CELL)}
    spare = [outside & is_counter[-CELL - place] for place in range(CELL)]
    index = choose(
        *((here, word[1 - place]) for place, here in enumerate(role)),
        *((here, word[1 - CELL - place]) for place, here in enumerate(spare)),
    )
    value = choose(*((here, word[2 - place] | word[3 - place]) for place, here in enumerate(role)))
    mine = Cell(choose(*((here, kind[-place]) for place, here in enumerate(role))), index, value, role[0])

    step = update(program, mine)
    any_spare = reduce(or_, spare)
    wants = (mine.is_counter | any_spare) & step.instruction.ops["ST"] & ~step.present & step.word.nonzero()
    frozen = anywhere(wants & mine.head)
    wants &= attend(step.address, step.address, index, wants & mine.head, rightmost=True).equals(index)
    change = step.change & ~frozen
    dies = mine.is_memory & ~value.nonzero() & ~step.change & ~frozen

    complete = reduce(or_, (here & _all(mask, place) for place, here in enumerate(spare)))
    grows, becomes = wants & any_spare & ~complete, [wants & complete & here for here in spare]
    slot = role[2] | role[3]
    content = word_atoms(change | becomes[1] | becomes[2], choose((change, step.value), (becomes[1], step.address)))
    controls = {
        "remask": (slot & (own_mask() ^ change)) | dies | grows | becomes[3],
        "insert": grows | (wants & role[3] & ~mask[1]),
        "delete": outside & ~wants,
    }
    return ArrayPolicy(vocabulary(bits), content | {"MEM": becomes[0]}, controls)


def _all(mask: dict[int, Array], place: int) -> Array:
    """At spare `place`: all four that follow the counter's cell are there."""
    others = [mask[other - place] for other in range(1, CELL)]
    return others[0] & others[1] & others[2]
