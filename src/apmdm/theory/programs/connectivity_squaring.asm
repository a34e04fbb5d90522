; Smallest vertex connected to each of n vertices, by squaring the adjacency matrix O(log n) times.
; One processor for each (i, j, k): 2^3q, where 2^q >= n. Common-CRCW.
; Memory: 0: q. 1 to 4^q: the matrix by rows of 2^q, with ones on the diagonal; at the end, who reaches whom.
; Then 4^q words of scratch (1 for a pair (i, j) if i reaches some k < j), then 2^q words: at the end, the answer.
q = r1
i = r2
j = r3
k = r4
row = r5
x = r6
y = r7
ij = r8
round = r9
one = r10
ik = r11
kj = r12
    LI one 1
    LD q q
    SHL k one q
    SUB k k one
    SHR j r0 q
    AND j j k
    SHR i r0 q
    SHR i i q
    AND k k r0
    SHL row i q
    ADD row row one
    ADD ij row j
    ADD ik row k
    SHL kj k q
    ADD kj kj j
    ADD kj kj one
    LI round 0
again:
    LT x round q
    JZ x label
    LD x ik
    LD y kj
    AND x x y
    JZ x nothing
    ST ij x
    JMP join
nothing:
    NOP
    NOP
join:
    ADD round round one
    JMP again
label:
    ADD kj q q
    SHL kj one kj       ; 4^q
    ADD round ij kj     ; address of the scratch of (i, j)
    LD x ik
    LT y k j
    AND x x y
    JZ x skip
    ST round x
    JMP first
skip:
    NOP
    NOP
first:
    LD x round          ; 1 unless j is the first that i reaches
    LD y ij
    LT y x y
    JZ y end
    ADD kj kj kj
    ADD kj kj one
    ADD kj kj i         ; address of the answer of i
    ST kj j
end:
    HALT
