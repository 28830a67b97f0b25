/* Errors of the system as ours. */
#ifndef MAREY_BASE_ERROR_H
#define MAREY_BASE_ERROR_H

#include <errno.h>

#include "marey.h"

/* The enum marey_error for an errno value. */
static inline int error_from_errno(int value) {
    switch (value) {
    case ENOENT:
    case ENOTDIR: return MAREY_ENOENT;
    case EACCES:
    case EPERM:
    case EROFS: return MAREY_EACCES;
    case ENOSPC:
    case EDQUOT: return MAREY_ENOSPC;
    case EFBIG: return MAREY_ELIMIT;
    case ENOMEM:
    case EAGAIN:
    case EMFILE:
    case ENFILE: return MAREY_ENOMEM;
    case ENODEV: return MAREY_EMAP;
    case EISDIR:
    case ENXIO: return MAREY_ENOTFILE;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP: return MAREY_EINVAL;
    default: return MAREY_EIO;
    }
}

#endif
