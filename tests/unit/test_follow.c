/* A file that grows, and whose fillers become packets, as seen by a follower; texts that are forgotten. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "packets.h"

#include "model/follow.h"
#include "model/strings.h"

static struct message file;
static char seen[64];

static void take(void *context, struct bytes packet, uint64_t offset) {
    (void)context;
    (void)offset;
    assert_true(packet.size >= 1 && strlen(seen) + 1 < sizeof seen);
    seen[strlen(seen)] = (char)packet.at[packet.size - 1];
}

/* The file's bytes as they are now. Returns what the follower takes of them. */
static const char *look(struct follower *follower) {
    memset(seen, 0, sizeof seen);
    assert_int_equal(pwrite(follower->fd, file.bytes, file.size, 0), (ssize_t)file.size);
    assert_int_equal(ftruncate(follower->fd, (off_t)file.size), 0);
    assert_int_equal(follower_poll(follower, file.size, take, NULL), 0);
    return seen;
}

static void put_letter(struct message *to, char letter) {
    char bytes[] = {'.', letter};
    put_bytes(to, TRACE__packet, bytes, sizeof bytes);
}

/* Letters, each a packet of four bytes, where a filler stood; the rest of it is a smaller one. */
static void fill(size_t at, size_t room, const char *letters) {
    size_t end = file.size;
    file.size = at;
    for (; *letters; letters++)
        put_letter(&file, *letters);
    size_t left = at + room - file.size;
    put_filler(&file, left - 2);
    assert_int_equal(file.size, at + room);
    file.size = end;
}

static void open_file(struct follower *follower) {
    char path[] = "/tmp/marey-follow-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    file.size = 0;
    follower_open(follower, fd);
}

static void close_file(struct follower *follower) {
    close(follower->fd);
    follower_close(follower);
}

static void fillers_become_packets(void **state) {
    struct follower follower;
    (void)state;
    open_file(&follower);
    put_letter(&file, 'a');
    put_filler(&file, 98); /* at 4, of 100 bytes */
    put_letter(&file, 'b');
    put_filler(&file, 98); /* at 108 */
    assert_string_equal(look(&follower), "ab");
    assert_string_equal(look(&follower), "");
    fill(108, 100, "c");
    assert_string_equal(look(&follower), "c");
    fill(4, 100, "de");
    fill(108, 100, "cf");
    assert_string_equal(look(&follower), "def");
    put_letter(&file, 'g');
    fill(4, 100, "deh");
    assert_string_equal(look(&follower), "hg");
    assert_int_equal(follower.packets, 8);
    close_file(&follower);
}

/* A chunk is claimed: one filler lies over many small ones, and then packets over their heads. */
static void a_larger_filler_takes_the_place_of_small_ones(void **state) {
    struct follower follower;
    (void)state;
    open_file(&follower);
    for (int i = 0; i < 10; i++)
        put_filler(&file, 8); /* of 10 bytes */
    assert_string_equal(look(&follower), "");
    assert_int_equal(follower.count, 10);
    fill(20, 60, "");
    assert_string_equal(look(&follower), "");
    fill(20, 60, "xyzxyzxyz");
    assert_string_equal(look(&follower), "xyzxyzxyz");
    fill(20, 60, "xyzxyzxyz!");
    fill(0, 10, "1");
    assert_string_equal(look(&follower), "1!");
    close_file(&follower);
}

static void a_packet_that_is_not_whole_is_waited_for(void **state) {
    struct follower follower;
    (void)state;
    open_file(&follower);
    put_letter(&file, 'a');
    put_letter(&file, 'b');
    file.size = 6;
    assert_string_equal(look(&follower), "a");
    file.size = 7;
    assert_string_equal(look(&follower), "");
    file.size = 8;
    assert_string_equal(look(&follower), "b");
    assert_true(follower.damaged_at == UINT64_MAX);
    put_raw(&file, "\xff\xff", 2);
    assert_string_equal(look(&follower), "");
    put_raw(&file, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10);
    (void)look(&follower);
    close_file(&follower);
}

/* A file that is still being copied. */
static void what_a_filler_of_which_a_part_is_there_covers_is_no_packet(void **state) {
    struct follower follower;
    (void)state;
    open_file(&follower);
    put_letter(&file, 'a');
    put_filler(&file, 98);
    put_letter(&file, 'b');
    size_t size = file.size;
    file.size = 50;
    assert_string_equal(look(&follower), "a");
    file.size = size;
    assert_string_equal(look(&follower), "b");
    assert_true(follower.damaged_at == UINT64_MAX);
    close_file(&follower);
}

static void bytes_that_are_no_trace_are_damage(void **state) {
    struct follower follower;
    (void)state;
    open_file(&follower);
    put_raw(&file, "root:x:0:0", 10);
    (void)look(&follower);
    assert_int_equal(follower.damaged_at, 0);
    close_file(&follower);
}

static void texts_are_forgotten_last_first(void **state) {
    struct strings strings = {0};
    char text[40];
    (void)state;
    uint32_t kept = strings_add_text(&strings, "kept");
    uint32_t count = strings.count;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3000; i++) {
            snprintf(text, sizeof text, "text %d of round %d", i, round);
            assert_int_equal(strings_add_text(&strings, text), count + (uint32_t)i);
        }
        strings_forget(&strings, count);
        assert_int_equal(strings.count, count);
        assert_int_equal(strings_add_text(&strings, "kept"), kept);
        assert_null(strings_text(&strings, count));
    }
    assert_int_equal(strings_add_text(&strings, "text 0 of round 0"), count);
    strings_free(&strings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fillers_become_packets),
        cmocka_unit_test(a_larger_filler_takes_the_place_of_small_ones),
        cmocka_unit_test(a_packet_that_is_not_whole_is_waited_for),
        cmocka_unit_test(what_a_filler_of_which_a_part_is_there_covers_is_no_packet),
        cmocka_unit_test(bytes_that_are_no_trace_are_damage),
        cmocka_unit_test(texts_are_forgotten_last_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
