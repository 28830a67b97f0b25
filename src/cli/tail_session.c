/* See tail_session.h. */
#include "cli/tail_session.h"

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
