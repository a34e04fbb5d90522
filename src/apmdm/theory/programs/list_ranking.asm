; Distance of n list nodes from the end of their list, by pointer jumping in O(log n) steps, one processor a node.
; Memory: 0: n. 1 to n: the successor of each node, itself at the end. n+1 to 2n: at the end, the distances.
i = r0
n = r1
own = r2
next = r3
rank = r4
t = r5
d = r6
one = r7
far = r8        ; address of the node's rank
    LI one 1
    LD n n
    ADD own i one
    ADD far own n
    LD next own
    EQ rank next i
    XOR rank rank one
    ST far rank
    LI d 1
again:
    LT t d n
    JZ t done
    ADD t next one
    ADD t t n
    LD t t
    ADD rank rank t
    ADD t next one
    LD next t
    ST own next
    ST far rank
    ADD d d d
    JMP again
done:
    HALT
