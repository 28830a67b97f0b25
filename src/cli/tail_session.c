/* See tail_session.h. */
#define _GNU_SOURCE
#include "cli/tail_session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "trace/head.h"

_Static_assert((int)LOSS_KINDS *LOSS_BYTES <= TAIL_LOSSES_MAX, "all places of losses are read");

int tail_session_read(struct tail_session *session, int fd) {
    struct control control;
    if (pread(fd, &control, sizeof control, CONTROL_OFFSET) != (ssize_t)sizeof control ||
        memcmp(control.magic, CONTROL_MAGIC, sizeof control.magic) != 0 ||
        control.version != CONTROL_VERSION)
        return 0;
    *session = (struct tail_session){
        .claimed = control.cursor >= control.head_bytes ? control.cursor : UINT64_MAX,
        .pid_namespace = control.pid_namespace,
        .is_ring = control.ring_bytes != 0,
        .has_ended = control.state == STATE_ENDED,
        .losses_at = LOSS_OFFSET,
        .losses_bytes = (size_t)LOSS_KINDS * LOSS_BYTES,
    };
    return 1;
}

/* A lease for reading is given where nobody has the file open for writing. It is given back at once: who opens the file
 * meanwhile waits for that. */
int tail_session_has_writer(int fd) {
    if (fcntl(fd, F_SETLEASE, F_RDLCK))
        return errno == EAGAIN ? 1 : -1;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return 0;
}
