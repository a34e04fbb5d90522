; A common label for each connected component of a graph, by hooking and pointer jumping in O(log n) rounds.
; A round has O(log n) steps. One processor for each arc (an edge is two arcs) and vertex: max(n, arcs). Common-CRCW.
; Each round every root hooks to its smallest neighbouring root; of two that choose each other the smaller stays, and
; longer cycles of smallest neighbours do not exist. So the components that can still grow halve in number.
; Memory: 0: n, later scratch. 1: arcs. 2: q, where 2^q >= n. Then n parents (at the end, the labels), n words for the
; choices, n of scratch, the tails of the arcs and their heads.
i = r0
n = r1
arcs = r2
q = r3
parents = r4
own = r5        ; address of the parent of vertex i
tail = r6       ; addresses of the parents of the arc's ends
head = r7
place = r8      ; address of the scratch, the choice or the parent of the root of the tail
other = r9      ; root of the head
alive = r10
bit = r11
t = r12
s = r13
one = r14
stamp = r15     ; tells this use of the scratch from earlier ones
    LI one 1
    LD arcs one
    ADD t one one
    LD q t
    LD n n
    ST bit bit          ; 0 is no stamp
    LI parents 3
    ADD own parents i
    ADD t own n
    ADD t t n
    ADD t t n
    LD tail t
    ADD tail tail parents
    ADD t t arcs
    LD head t
    ADD head head parents
    LT s i n
    JZ s no_parent
    ST own i
    JMP rounds
no_parent:
    NOP
    NOP
rounds:
    LD place tail
    LD other head
    LT alive i arcs
    EQ t place other
    LT alive t alive    ; an arc inside a component is out
    ADD stamp stamp one
    JZ alive inside
    ST bit stamp        ; bit is 0 here
    JMP counted
inside:
    NOP
    NOP
counted:
    LD t bit
    EQ t t stamp
    JZ t done           ; no arc is left between components
    ADD place place n
    ADD place place n
    ADD place place parents
    SHL bit one q
bits:                   ; of the arcs of one root those to the smallest root stay alive, found bit by bit
    SHR bit bit one
    JZ bit hook
    ADD stamp stamp one
    AND s other bit
    LT s s alive        ; alive with 0 in this bit
    JZ s not_zero
    ST place stamp
    NOP
    NOP
    NOP
    JMP bits
not_zero:
    NOP
    LD t place
    EQ t t stamp
    LT alive t alive
    JMP bits
hook:
    SUB place place n
    JZ alive no_choice
    ST place other
    JMP chosen
no_choice:
    NOP
    NOP
chosen:
    ADD t parents n
    ADD t t other
    LD t t              ; what the other root has chosen
    SUB place place n
    SUB s place parents
    EQ t t s
    LT s s other
    AND t t s
    LT alive t alive    ; of two that choose each other the smaller stays a root
    JZ alive no_hook
    ST place other
    JMP hooked
no_hook:
    NOP
    NOP
hooked:
    LT s i n
    SHL bit one q
jump:
    SHR bit bit one
    JZ bit rounds
    LD t own
    ADD t t parents
    LD t t
    JZ s no_vertex
    ST own t
    JMP jump
no_vertex:
    NOP
    JMP jump
done:
    HALT
