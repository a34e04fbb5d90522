; Parity of n bits by a tree in O(log n) steps, one processor a bit.
; Memory: 0: n. 1 to n: the bits; at the end, word 1 is their parity.
i = r0
n = r1
own = r2
x = r3          ; parity of the d bits from i on
d = r4
t = r5
y = r6
one = r7
    LI one 1
    LD n n
    ADD own i one
    LD x own
    LI d 1
again:
    LT t d n
    JZ t done
    ADD t own d
    LD y t              ; beyond the memory there are zeros
    XOR x x y
    ST own x
    ADD d d d
    JMP again
done:
    HALT
