/* The first pages of a file: whole items at every state, and losses that become visible in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/varint.h"
#include "trace/head.h"

static _Alignas(8) uint8_t head[3 * HEAD_PAGE];

static struct control a_control(uint32_t bytes) {
    return (struct control){.magic = CONTROL_MAGIC,
                            .version = CONTROL_VERSION,
                            .head_bytes = bytes,
                            .cursor = bytes,
                            .next_sequence = FIRST_SEQUENCE,
                            .origin = {1, 1000}};
}

static void build(uint32_t bytes) {
    struct control control = a_control(bytes);
    memset(head, 0, sizeof head);
    head_build(head, &control);
}

/* How many packets there are; fails unless the items fill all of it exactly. */
static int packets_in(size_t bytes) {
    int packets = 0;
    size_t at = 0;
    while (at < bytes) {
        uint64_t length;
        assert_true(head[at] == 0x0a || head[at] == 0x7a);
        packets += head[at] == 0x0a;
        const uint8_t *body = varint_get(head + at + 1, head + bytes, &length);
        assert_non_null(body);
        at = (size_t)(body - head) + length;
    }
    assert_int_equal(at, bytes);
    return packets;
}

static void a_head_is_whole_items(void **state) {
    (void)state;
    build(2 * HEAD_PAGE);
    assert_int_equal(packets_in(2 * HEAD_PAGE), 3);
    build(3 * HEAD_PAGE);
    assert_int_equal(packets_in(3 * HEAD_PAGE), 3);
}

static void each_kind_of_loss_shows_itself(void **state) {
    (void)state;
    build(2 * HEAD_PAGE);
    for (int kind = 0; kind < LOSS_KINDS; kind++) {
        head_count_loss(head, (enum loss)kind, 2, 10);
        head_count_loss(head, (enum loss)kind, 3, 20);
        assert_int_equal(packets_in(2 * HEAD_PAGE), 3 + 3 * (kind + 1));
        assert_int_equal(head_control(head)->lost[kind], 5);
    }
}

static void only_our_own_are_valid(void **state) {
    (void)state;
    build(2 * HEAD_PAGE);
    assert_true(head_valid(head, 2 * HEAD_PAGE));
    assert_false(head_valid(head, HEAD_PAGE)); /* the file is shorter than it says */
    head_control(head)->version++;
    assert_false(head_valid(head, 2 * HEAD_PAGE));
    build(2 * HEAD_PAGE);
    head_control(head)->magic[0] ^= 1;
    assert_false(head_valid(head, 2 * HEAD_PAGE));
    build(2 * HEAD_PAGE);
    head_control(head)->head_bytes = 0xfffff000;
    assert_false(head_valid(head, UINT64_MAX));
    build(2 * HEAD_PAGE);
    head_control(head)->cursor = 3 * HEAD_PAGE; /* behind the file's end */
    assert_false(head_valid(head, 2 * HEAD_PAGE));
    head_control(head)->cursor = HEAD_PAGE; /* within the head */
    assert_false(head_valid(head, 2 * HEAD_PAGE));
}

static void a_rings_numbers_must_agree(void **state) {
    (void)state;
    build(3 * HEAD_PAGE);
    struct control *control = head_control(head);
    control->slots = 128;
    control->chunk_bytes = CHUNK_MIN;
    control->ring_bytes = 128 * CHUNK_MIN;
    assert_true(head_valid(head, 1 << 20));
    control->slots = 100000; /* more than there are places for */
    assert_false(head_valid(head, 1 << 20));
    control->slots = 127;
    assert_false(head_valid(head, 1 << 20));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_whole_items),
        cmocka_unit_test(each_kind_of_loss_shows_itself),
        cmocka_unit_test(only_our_own_are_valid),
        cmocka_unit_test(a_rings_numbers_must_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
