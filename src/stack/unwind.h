/* Stacks of a process's Python threads, read while they run.
 *
 * One read takes it all (window.h): the thread's pointer to its top frame, then the frames. The thread goes on
 * meanwhile, so what was read may never have been: such a stack is torn. It is told by
 *   - its frames: each has an owner, a code object that is one, an instruction within that; the chain ends where chains
 *     end, and has no circle;
 *   - the marks that CPython itself leaves in a frame that is on the stack and takes from one that has ended (enum
 *     layout_live);
 *   - frames in other places than the main part, which have to be the same before and after it was copied;
 *   - the time that reading took: one that was interrupted is of two moments.
 * Even so, a program that calls and returns some ten million times a second may slip a frame in while its neighbour is
 * copied. So a call (from this instruction of one function to another function) has to be seen a few times before it is
 * believed, or the whole stack has to be the same several times in a row: what is not true does not come again so soon.
 * From then on the call is known, and is believed at once. A torn stack is read again, a number of times, then counted
 * and given up; it is never handed out. */
#ifndef MAREY_STACK_UNWIND_H
#define MAREY_STACK_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/frames.h"
#include "stack/object.h"
#include "stack/process.h"
#include "stack/window.h"

enum {
    STACK_FRAMES_MAX = 4096, /* of a stack; of a deeper one the callers furthest away are cut off */
    UNWIND_TRIES_MAX = 100,  /* to get a stack that is not torn */
    UNWIND_MISSES_MAX = 64, /* how often frames may turn up where none was expected, in one stack */
    UNWIND_CFRAMES = 4,     /* places that a thread's _PyCFrame may be at by turns, ... */
    UNWIND_TURNS = 32,      /* ... all read for so many reads after it was at another than before */
    UNWIND_ALONG_MAX =
        WINDOW_HEAD_PIECES_MAX - 1 - UNWIND_CFRAMES, /* pieces that are read along with a stack */
    UNWIND_STILL = 5,        /* a stack that is the same so many times in a row does not move */
    UNWIND_STILL_ODD = 50,   /* ... if its marks are odd and not all its calls are known */
    UNWIND_CANDIDATES = 256, /* calls that were seen, but are not believed yet */
    UNWIND_SOON = 256,       /* chains within which they have to be seen again */
    UNWIND_SEEN = 6,         /* how often */
    UNWIND_SEEN_APART = 10,  /* how often in a row, from one part of memory to another */
    UNWIND_SETTLES = 8,      /* what was not seen in so many chains makes room for others */
    UNWIND_KNOWN = 4096,     /* calls that are remembered as true */
    UNWIND_PAUSE_NS = 20000, /* after so long nothing is in the caches any more */
    UNWIND_UNMARKED = 64,    /* reads that ask which frame is on top, after marks did not tell */
    UNWIND_PROOFS_MAX = 32,  /* calls that are proven in one chain; others wait for the next */
};

struct stack {
    struct frame *frames; /* the running function first, then its callers */
    int depth;
    bool cut;    /* it was deeper than STACK_FRAMES_MAX */
    bool native; /* 3.14 and later: the first function has called something that is not Python */
    /* frames, code objects and instructions are those of this thread's stack before */
    bool repeated;
};

struct unwind_counts {
    uint64_t stacks;  /* read well */
    uint64_t torn;    /* given up */
    uint64_t retries; /* read again */
    uint64_t misses;  /* read again because frames were elsewhere than expected */
};

struct unwinder {
    struct process *process;
    struct codes codes;
    struct objects objects;
    struct unwind_counts counts;
};

/* A call that was seen a few times, and when it was last. */
struct candidate {
    uint64_t hash, chain; /* hash 0: there is none */
    uint32_t times;
    bool true_once; /* it was believed */
};

/* What is remembered of one thread. */
struct thread_reader {
    uint64_t thread, interpreter; /* addresses of their states */
    uint32_t head_from, head_to;  /* what is read of the thread's */
    uint64_t usual_ns[2];         /* how long a read takes, at the least: warm, cold */
    uint64_t read_ns;             /* when the last one ended */
    bool slow;                    /* it took much longer */
    bool by_marks;                /* the last one did not ask which frame is on top */
    uint16_t shim_others;         /* how many shims in a row had something else than shim_code */
    uint32_t unmarked;            /* so many more will ask */
    /* 3.11, 3.12: where its _PyCFrame was lately, the last place first (a generator that is called from C has one of its
     * own, always at the same place); 0: nowhere else. */
    uint64_t cframes[UNWIND_CFRAMES];
    uint64_t running, entry; /* which frames were on top there, and the first of that loop; 0 */
    uint64_t datastack;      /* the memory that its frames stood in then (3.11, 3.12) */
    uint64_t shim_code;      /* what shims have in the place of a code object; 0: not known yet */
    uint32_t turns;          /* so many more reads will look at all those places */
    int head_count;
    struct piece head[2];      /* where the last read found the top frame, ... */
    uint64_t head_words[2];    /* ... and what it found there */
    const struct piece *along; /* what else is read by the call that reads the stack */
    int along_count;
    bool whole; /* the last stack is what the window holds now, and stood the same in both copies */
    struct window window;
    struct candidate candidates[UNWIND_CANDIDATES];
    uint64_t chains; /* that were looked at, and not odd */
    /* Hash of the last true stack, and how many code objects had changed then. */
    uint64_t last, last_changed;
    uint64_t *known; /* UNWIND_KNOWN hashes of calls */
    uint64_t proofs; /* pairs of functions that are known to call each other directly (3.9, 3.10) */
    uint64_t root, root_seen; /* address of the outermost frame: known; seen lately (3.9, 3.10) */
    int root_times;           /* how often in a row */
    struct frame *frames;     /* of the stack that is being read */
    struct frame *before;     /* of the last one that was read well */
    int before_depth;         /* -1: none */
    uint64_t before_state;    /* codes_state then */
    int room;                 /* of both */
};

void unwinder_init(struct unwinder *unwinder, struct process *process);
void unwinder_fini(struct unwinder *unwinder);

/* Code objects are compared again with what is there when they are met from now on. To be called before a stack that
 * has to be right now, or every few milliseconds in a row of many. */
void unwinder_tick(struct unwinder *unwinder);

void thread_reader_init(struct thread_reader *reader, const struct unwinder *unwinder,
                        const struct thread *thread);
void thread_reader_fini(struct thread_reader *reader);

/* Reads the stack of a thread; its frames belong to the reader and stand until its next use. A thread that runs no
 * Python code has depth 0. Returns 0, or MAREY_ETORN (counted), MAREY_EADDRESS (the thread has ended),
 * MAREY_ENOPROCESS, MAREY_EPTRACE or MAREY_ENOMEM. */
int unwind_thread(struct unwinder *unwinder, struct thread_reader *reader, struct stack *stack);
/* The same; the call that reads the stack reads these pieces, too, before it. They are right where it returns 0. */
int unwind_thread_along(struct unwinder *unwinder, struct thread_reader *reader,
                        struct stack *stack, const struct piece *along, int along_count);

/* What the last stack was read from, and (`into`) what stood there: as long as that does not change, the thread has that
 * stack. Returns how many pieces; 0: there is no such stack, or they are more than `max`. */
int thread_reader_pieces(const struct thread_reader *reader, struct piece *pieces, int max);

#endif
