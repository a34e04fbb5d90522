; Reflexive and transitive closure of an n x n matrix of bits, by squaring it O(log n) times, each in O(1) steps.
; One processor for each (i, j, k): 2^3q, where 2^q >= n. Common-CRCW: whoever finds a path writes the same 1.
; Memory: 0: q. 1 to 4^q: the matrix by rows of 2^q, with ones on the diagonal; at the end, the closure.
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
    LI one 1
    LD q q
    SHL k one q
    SUB k k one         ; 2^q - 1
    SHR j r0 q
    AND j j k
    SHR i r0 q
    SHR i i q
    AND k k r0
    SHL row i q
    ADD row row one     ; address of (i, 0)
    ADD ij row j
    SHL y k q
    ADD y y j
    ADD j y one         ; address of (k, j)
    ADD i row k         ; address of (i, k)
    LI round 0
again:
    LT x round q
    JZ x done
    LD x i
    LD y j
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
done:
    HALT
