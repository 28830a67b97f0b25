/* What marey_open, marey_join and marey_snapshot return.
 *
 *   errors open PATH [CATEGORIES [RING_BYTES]]    errors join PATH    errors snapshot TRACE PATH
 *   errors open-as USER_ID PATH                   as that user: who may not even see where this program stands */
#include "common.h"

static void open_path(char **arguments) {
    marey_options options = {.categories = arguments[1]};
    if (arguments[1] && arguments[2])
        options.ring_bytes = strtoull(arguments[2], NULL, 10);
    int code = marey_open(arguments[0], &options);
    say("code", code);
    marey_status_info info;
    say("status", marey_status(&info));
    say("recording", info.recording);
    if (code == 0) {
        marey_instant("instant");
        MUST(marey_close() == 0);
    }
}

static void open_as(char **arguments) {
    MUST(setuid((uid_t)atoi(arguments[0])) == 0);
    open_path(arguments + 1);
}

static void join_path(char **arguments) {
    say("code", marey_join(arguments[0]));
    for (int i = 0; i < 1000; i++)
        marey_instant("instant");
    marey_status_info info;
    say("status", marey_status(&info));
    say("closed", marey_close());
}

static void take_snapshot(char **arguments) {
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_instant("instant");
    say("code", marey_snapshot(arguments[1]));
    MUST(marey_close() == 0);
    say("off", marey_snapshot(arguments[1]));
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"open", open_path},         {"open-as", open_as}, {"join", join_path},
        {"snapshot", take_snapshot}, {NULL, NULL},
    };
    return run_command(commands, argc, argv);
}
