/* What is paid once: opening, the first event, the first event of another thread, stopping an almost empty recording.
 *
 *   once FILE LABEL
 *
 * The same names in every recording, so a process that records for the second time is measured as well as one that
 * records for the first: the first round is the series' first entry. Prints series, see series.h. */
#include "series.h"

#include <marey.h>
#include <pthread.h>

enum { ROUNDS = 25 };

static contestant opening = {.who = "open"};
static contestant first = {.who = "first event of the process"};
static contestant second = {.who = "second event, a new name"};
static contestant elsewhere = {.who = "first event of another thread"};
static contestant closing = {.who = "close"};

static void *first_elsewhere(void *round) {
    moment start = moment_now();
    marey_instant("hello from a thread");
    elsewhere.spent[*(int *)round] = moment_since(start);
    return NULL;
}

static void on_another_thread(int round) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, first_elsewhere, &round))
        fail("pthread_create", "no thread");
    pthread_join(thread, NULL);
}

static void once(const char *path, int round) {
    moment start = moment_now();
    int error = marey_open(path, NULL);
    opening.spent[round] = moment_since(start);
    if (error)
        fail(path, marey_strerror(error));

    start = moment_now();
    marey_instant("first");
    first.spent[round] = moment_since(start);

    start = moment_now();
    marey_instant("second");
    second.spent[round] = moment_since(start);

    on_another_thread(round);

    start = moment_now();
    marey_close();
    closing.spent[round] = moment_since(start);
}

int main(int argc, char **argv) {
    if (argc != 3)
        fail("usage", "once FILE LABEL");
    for (int round = 0; round < ROUNDS; round++)
        once(argv[1], round);
    char group[64];
    snprintf(group, sizeof group, "c.once.%s", argv[2]);
    const contestant *all[] = {&opening, &first, &second, &elsewhere, &closing};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        print_series(group, all[i], ROUNDS, 1);
    return 0;
}
