; n words into ascending order by odd-even transposition in O(n) steps, one processor a word.
; Memory: 0: n. 1 to n: the words.
i = r0
n = r1
own = r2
x = r3
y = r4
round = r5
t = r6
other = r7      ; the word to compare with
one = r8
low = r9
    LI one 1
    LD n n
    ADD own i one
again:
    LT t round n
    JZ t done
    LD x own
    ADD t i round
    AND t t one         ; 0: the partner is to the right
    ADD t t t
    ADD other own one
    SUB other other t
    LT t n other        ; no partner beyond the last word
    JZ t inside
    MOV other own
    JMP left
inside:
    NOP
    NOP
left:
    MAX other other one ; nor before the first
    LD y other
    MIN low x y
    MAX y x y
    LT t own other
    JZ t upper
    MOV x low
    JMP join
upper:
    MOV x y
    NOP
join:
    ST own x
    ADD round round one
    JMP again
done:
    HALT
