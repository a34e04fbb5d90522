"""A synchronous word-RAM with many processors: instructions, assembler, reference interpreter with its checks.

Every processor runs the same program on its own registers and one shared memory. In a step all reads come before all
writes. r0 starts as the processor's number, everything else as 0; arithmetic is modulo 2^bits; a read outside of the
memory gives 0. A step counts if some processor has not reached HALT. Knows nothing of sequences, models or policies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

MAX_REGISTERS, MAX_BITS, MAX_STEPS = 16, 18, 100_000
"""Every word is a symbol of the vocabulary, so words are not wide. MAX_STEPS is the interpreter's default."""
ALU: dict[str, Callable[[int, int], int]] = {
    "ADD": lambda a, b: a + b,
    "SUB": lambda a, b: a - b,
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "SHL": lambda a, b: a << min(b, 64),
    "SHR": lambda a, b: a >> min(b, 64),
    "LT": lambda a, b: int(a < b),
    "EQ": lambda a, b: int(a == b),
    "MIN": min,
    "MAX": max,
}
OPERANDS = dict.fromkeys(ALU, "dab") | {
    "LI": "di", "LD": "da", "ST": "ab", "JZ": "ai", "JMP": "i", "HALT": "", "NOP": "", "MOV": "da",
}  # fmt: skip
"""What follows each operation: registers d, a, b, and i, a number or label. MOV d a is written for OR d a a."""
OPERATIONS = tuple(op for op in OPERANDS if op != "MOV")
Mode = Literal["CREW", "common-CRCW"]


@dataclass(frozen=True)
class Instruction:
    """op with registers d, a, b and the number i; what an operation does not take is 0."""

    op: str
    d: int = 0
    a: int = 0
    b: int = 0
    i: int = 0


@dataclass(frozen=True)
class Program:
    instructions: tuple[Instruction, ...]

    @property
    def num_registers(self) -> int:
        return 1 + max((max(x.d, x.a, x.b) for x in self.instructions), default=0)

    def at(self, pc: int) -> Instruction:
        return self.instructions[pc] if pc < len(self.instructions) else Instruction("HALT")


@dataclass(frozen=True)
class Job:
    """A program with what it runs on: the memory at the start, how many processors, how many bits a word has."""

    program: Program
    memory: tuple[int, ...]
    processors: int
    bits: int

    def __post_init__(self) -> None:
        if self.bits > MAX_BITS:
            raise ValueError(
                f"words have at most {MAX_BITS} bits, and these memory words, processors and numbers need {self.bits}"
            )
        limit, program = 2**self.bits, self.program
        needs = (
            ("memory words", len(self.memory), limit),
            ("processors, whose number is a word", self.processors, limit - 1),
            ("instructions and a HALT behind them", len(program.instructions) + 1, limit),
        )
        for what, count, most in needs:
            if not 1 <= count <= most:
                raise ValueError(f"words of {self.bits} bits allow 1 to {most:,} {what}, not {count:,}")
        numbers = [*self.memory, *(x.i for x in program.instructions)]
        wrong = [number for number in numbers if not 0 <= number < limit]
        if wrong:
            raise ValueError(f"{wrong[0]} is not a word of {self.bits} bits: 0 to {limit - 1}")


@dataclass(frozen=True)
class Result:
    """What is left when every processor has halted, the time in steps, and the most words that were not 0 at once.

    overflow, below: in words, the first step at which a result was too large for a word, or below 0; it was then taken
    modulo 2^bits. Empty if there was none.
    """

    registers: tuple[tuple[int, ...], ...]
    memory: tuple[int, ...]
    time: int
    live: int
    overflow: str = ""
    below: str = ""


def assemble(text: str) -> Program:
    """A program from its text: one instruction a line, `label:`, `name = r3` or `name = 5`, and comments after `;`.

    Raises ValueError, naming the line, for anything else.
    """
    lines, names = [], {f"r{number}": f"r{number}" for number in range(MAX_REGISTERS)}
    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition(";")[0].strip()
        while ":" in code:
            label, _, code = (part.strip() for part in code.partition(":"))
            _define(names, label, str(len(lines)), number)
        if "=" in code:
            name, _, value = (part.strip() for part in code.partition("="))
            _define(names, name, names.get(value, value), number)
        elif code:
            lines.append((number, code.replace(",", " ").split()))
    if not lines:
        raise ValueError("the program has no instruction")
    return Program(tuple(_instruction(number, words, names) for number, words in lines))


def _define(names: dict[str, str], name: str, value: str, number: int) -> None:
    if name in names:
        raise ValueError(f"line {number}: {name!r} is the name of something else already")
    if not name.isidentifier() or not (value in names or value.isdecimal()):
        raise ValueError(
            f"line {number}: {name!r} cannot be named {value!r}: it takes a new name, a register or number"
        )
    names[name] = value


def _instruction(number: int, words: list[str], names: dict[str, str]) -> Instruction:
    op, *given = words[0].upper(), *words[1:]
    if op not in OPERANDS:
        raise ValueError(f"line {number}: unknown operation {words[0]!r}; there are {', '.join(OPERANDS)}")
    if len(given) != len(OPERANDS[op]):
        raise ValueError(f"line {number}: {op} takes {len(OPERANDS[op])} operands, not {len(given)}")
    fields = {
        field: _operand(number, field, names.get(word, word)) for field, word in zip(OPERANDS[op], given, strict=True)
    }
    if op == "MOV":
        op, fields = "OR", fields | {"b": fields["a"]}
    return Instruction(op, **fields)


def _operand(number: int, field: str, word: str) -> int:
    digits = word if field == "i" else word.removeprefix("r")
    if not digits.isdecimal() or (field != "i" and (digits == word or int(digits) >= MAX_REGISTERS)):
        wanted = "a number or a label" if field == "i" else f"a register, r0 to r{MAX_REGISTERS - 1}"
        raise ValueError(f"line {number}: {word!r} is not {wanted}")
    return int(digits)


def execute(job: Job, mode: Mode = "common-CRCW", max_steps: int = MAX_STEPS) -> Result:
    """Run a job on the reference interpreter.

    Raises ValueError for a write outside of the memory, for two writes to one word in one step (CREW) or for two
    that disagree (common-CRCW), and if max_steps do not suffice.
    """
    program, memory, top = job.program, list(job.memory), 2**job.bits
    registers = [[number] + [0] * (program.num_registers - 1) for number in range(job.processors)]
    counters, time = [0] * job.processors, 0
    running, live = list(range(job.processors)), sum(map(bool, memory))
    wrapped: dict[bool, str] = {}
    while running := [pid for pid in running if program.at(counters[pid]).op != "HALT"]:
        if time == max_steps:
            raise ValueError(f"not halted after {max_steps:,} steps, which is the limit (--max-steps)")
        stores: list[tuple[int, int]] = []
        for pid in running:
            instruction, own = program.at(counters[pid]), registers[pid]
            a, b = own[instruction.a], own[instruction.b]
            counters[pid] += 1
            match instruction.op:
                case "LI":
                    own[instruction.d] = instruction.i
                case "LD":
                    own[instruction.d] = memory[a] if a < len(memory) else 0
                case "ST":
                    stores.append((a, b))
                case "JZ" if a:
                    pass
                case "JZ" | "JMP":
                    counters[pid] = instruction.i
                case "NOP":
                    pass
                case op:
                    exact = ALU[op](a, b)
                    own[instruction.d] = exact % top
                    if not 0 <= exact < top:
                        said = f"step {time}: {op} of {a} and {b} on processor {pid}"
                        wrapped.setdefault(exact < 0, said)
        _write(memory, stores, mode, time)
        time, live = time + 1, max(live, sum(map(bool, memory)))
    overflow, below = wrapped.get(False, ""), wrapped.get(True, "")
    return Result(tuple(map(tuple, registers)), tuple(memory), time, live, overflow, below)


def _write(memory: list[int], stores: Sequence[tuple[int, int]], mode: Mode, time: int) -> None:
    written: dict[int, int] = {}
    for address, value in stores:
        if address >= len(memory):
            raise ValueError(f"step {time}: write to word {address} of a memory of {len(memory)}")
        if address in written and (mode == "CREW" or written[address] != value):
            raise ValueError(f"step {time}: two processors write to word {address}, against {mode}")
        written[address] = value
    for address, value in written.items():
        memory[address] = value
