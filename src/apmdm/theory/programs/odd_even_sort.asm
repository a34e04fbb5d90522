; n words into ascending order by odd-even transposition in O(n) steps, one processor a word.
; Memory: 0: n. 1 to n: the words.
; Even processors look right first and odd ones left, so both of a pair look at each other; without a partner at oneself.
i = r0
n = r1
own = r2
x = r3
y = r4
left = r5
right = r6
pairs = r7      ; of rounds to go
one = r8
t = r9
    LI one 1
    LD n n
    ADD own i one
    LD x own
    MAX left i one
    ADD right own one
    MIN right right n
    ADD pairs n one
    SHR pairs pairs one
    AND t i one
    JZ t even
odd:
    JZ pairs done
    LD y left
    MAX x x y
    ST own x
    LD y right
    MIN x x y
    ST own x
    SUB pairs pairs one
    JMP odd
even:
    JZ pairs done
    LD y right
    MIN x x y
    ST own x
    LD y left
    MAX x x y
    ST own x
    SUB pairs pairs one
    JMP even
done:
    HALT
