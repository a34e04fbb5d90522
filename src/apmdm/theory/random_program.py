"""Random programs that respect exclusive writes: each processor stores to words of its own, and loads from anywhere."""

from random import Random

from apmdm.theory.pram import ALU, Job, assemble

LENGTH, WORDS, ROUNDS = 14, 4, 2


def random_job(random: Random, bits: int = 6) -> Job:
    """A loop of random instructions with forward jumps, on one to four processors."""
    processors = random.randint(1, 4)

    def register(first: int = 1) -> str:
        return f"r{random.randrange(first, 5)}"

    def operation() -> str:
        return f"{random.choice(list(ALU))} {register()} {register(0)} {register(0)}"

    lines = [f"LI r5 {ROUNDS}", "again:"]
    for number in range(LENGTH):
        match random.choices(("alu", "immediate", "load", "store", "jump"), (9, 2, 3, 5, 1))[0]:
            case "alu":
                lines.append(operation())
            case "immediate":
                lines.append(f"LI {register()} {random.randrange(2**bits)}")
            case "load":
                lines.append(f"LD {register()} {register(0)}")
            case "store":
                own = processors * random.randrange(WORDS)
                lines += [f"LI r4 {own}", "ADD r4 r4 r0", f"ST r4 {random.choice(('r0', 'r1', 'r2', 'r3', 'r6'))}"]
            case _:
                lines += [f"JZ {register()} skip{number}", operation(), f"skip{number}:"]
    lines += ["LI r4 1", "SUB r5 r5 r4", "JZ r5 out", "JMP again", "out:", "HALT"]
    memory = tuple(random.choice((0, random.randrange(2**bits))) for _ in range(processors * WORDS))
    return Job(assemble("\n".join(lines)), memory, processors, bits)
