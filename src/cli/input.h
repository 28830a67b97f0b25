/* A trace file that a command makes another one of: its packets, one by one, without damage. */
#ifndef MAREY_CLI_INPUT_H
#define MAREY_CLI_INPUT_H

#include "cli/progress.h"
#include "model/packet.h"

struct input {
    const char *command; /* for what is said */
    const char *path;
    struct source source;
    struct progress progress; /* its source's watch points to it: the input stays where it is */
    struct walker walker;
    struct reader reader; /* has taken in all packets up to this one */
    struct packet packet; /* the one that input_next found */
    uint32_t strings;     /* of the reader, before it */
};

/* listener: as the reader's; it must not be NULL and outlives the input. Says what is wrong. Returns 0, or -1. */
int input_open(struct input *input, const char *command, const char *path,
               const struct listener *listener);
/* The next packet. One whose time is lost, because packets before it are, is left out: behind a copy's whole packets
 * nobody would know. Returns 1; 0 at the end. */
int input_next(struct input *input);
/* Whether all of it was read: 0. Else says on stderr what could not be, and returns 1. */
int input_check(struct input *input);
void input_close(struct input *input);

#endif
