/* Several traces as a TAR, for viewers that open one: the files as they are, and a manifest of the machine of each. */
#ifndef MAREY_CLI_MERGE_TAR_H
#define MAREY_CLI_MERGE_TAR_H

#include <stdio.h>

#include "cli/merge_plan.h"

/* Returns 0, or -1 after saying what is wrong; whether the output took all of it, `to` says. */
int merge_write_tar(const struct merge_plan *plan, FILE *to);

#endif
