; Whether n brackets are balanced and every pair agrees on its kind, in O(log n) steps, one processor a bracket.
; Memory: 0: n. 1: at the end, 1 if so, else 0. 2 to n+1: the brackets, 2c opens and 2c+1 closes kind c.
; Then for each k with 2^k < 2n, n words: the least of the heights at the 2^k brackets up to this one.
i = r0
n = r1
one = r2
bracket = r3
own = r4        ; address of the bracket
h = r5          ; height after it, plus n
d = r6
t = r7
y = r8
table = r9      ; address in the table of heights
least = r10
left = r11      ; how many brackets are left of the inside of the pair that closes here
closes = r12
error = r13
zero = r14
    LI one 1
    ST one one
    LD n zero
    LI t 2
    ADD own i t
    LD bracket own
    AND closes bracket one
    SUB h one closes
    SUB h h closes
    LT t i one
    SUB t zero t
    AND t t n
    ADD h h t           ; the first adds n
    ADD table own n
    ST table h
    LI d 1
sum:
    LT t d n
    JZ t summed
    SUB t table d
    LD y t
    LT t i d
    SUB t t one
    AND y y t
    ADD h h y
    ST table h
    ADD d d d
    JMP sum
summed:
    LT error h n        ; below the ground
    ADD t i one
    EQ t t n
    EQ y h n
    LT t y t            ; the last, and not at the ground
    OR error error t
    MOV least h
    LI d 1
build:
    LT t d n
    JZ t built
    SUB t table d
    LD y t
    LT t i d
    SUB t t one
    AND y y t           ; 0 beyond the left end
    MIN least least y
    ADD table table n
    ST table least
    ADD d d d
    JMP build
built:
    MOV left i
descend:                ; over all brackets to the left that are higher
    JZ d match
    SUB t table i
    ADD t t left
    SUB t t one
    LD y t
    LT t left d
    SUB t t one
    AND y y t
    LT t h y
    SUB t zero t
    AND t t d
    SUB left left t
    SHR d d one
    SUB table table n
    JMP descend
match:
    LI t 2
    ADD t t left
    LD y t
    XOR y y bracket     ; 1 if it is the opening bracket of this kind
    EQ y y one
    LT y y closes
    OR error error y
    JZ error end
    ST one zero
end:
    HALT
