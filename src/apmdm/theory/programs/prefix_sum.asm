; Prefix sums of n words in O(log n) steps, one processor a word.
; Memory: 0: n. 1 to n: the words; at the end, their prefix sums.
i = r0
n = r1
own = r2        ; address of word i
x = r3          ; sum of the d words that end at i
d = r4
address = r5
y = r6
inside = r7
one = r8
    LI one 1
    LD n n
    ADD own i one
    LD x own
    LI d 1
again:
    LT inside d n
    JZ inside done
    SUB address own d
    LD y address
    LT inside i d       ; 1 if there is no word d places to the left
    SUB inside inside one
    AND y y inside
    ADD x x y
    ST own x
    ADD d d d
    JMP again
done:
    HALT
