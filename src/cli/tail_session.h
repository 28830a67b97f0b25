/* What a recording says of itself to those who take part in it (docs/FORMAT.md, control block), for those who look on. */
#ifndef MAREY_CLI_TAIL_SESSION_H
#define MAREY_CLI_TAIL_SESSION_H

#include <stddef.h>
#include <stdint.h>

enum { TAIL_LOSSES_MAX = 4096 };

struct tail_session {
    uint64_t claimed; /* bytes of the file that threads have taken; behind are fillers alone */
    uint64_t pid_namespace;
    uint8_t is_ring, has_ended;
    /* Where losses stand: packets that change in place. */
    uint64_t losses_at;
    size_t losses_bytes; /* at most TAIL_LOSSES_MAX */
};

/* Returns 1, or 0 where the file is no recording of ours. */
int tail_session_read(struct tail_session *session, int fd);

/* Whether any process can still write to the file, of whatever container of this machine: a recorder has it open for that
 * as long as it records. Returns 1, 0, or -1 where the system does not say (another user's file, some file systems). */
int tail_session_has_writer(int fd);

#endif
