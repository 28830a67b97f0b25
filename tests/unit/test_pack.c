/* Varints, messages by fields, and the heads of fillers: the bytes, against the encoding's definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/varint.h"
#include "trace/pack.h"
#include "trace/store.h"

static void varints_go_both_ways(void **state) {
    (void)state;
    uint64_t values[] = {0,         1, 127, 128, 300, 16383, 16384, 1u << 28, UINT64_C(1) << 63,
                         UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t bytes[VARINT_MAX];
        uint64_t back;
        uint8_t *end = varint_put(bytes, values[i]);
        assert_int_equal(end - bytes, varint_size(values[i]));
        assert_ptr_equal(varint_get(bytes, end, &back), end);
        assert_true(back == values[i]);
        assert_null(varint_get(bytes, end - 1, &back));
    }
    uint8_t bytes[VARINT_MAX];
    assert_int_equal(varint_put(bytes, 300) - bytes, 2);
    assert_memory_equal(bytes, "\xac\x02", 2);
}

static void an_endless_varint_is_refused(void **state) {
    (void)state;
    uint8_t bytes[16];
    uint64_t value;
    memset(bytes, 0xff, sizeof bytes);
    assert_null(varint_get(bytes, bytes + sizeof bytes, &value));
}

/* The head of a filler tells its length to any reader of varints. */
static void filler_heads_tell_their_length(void **state) {
    (void)state;
    for (size_t bytes = FILLER_STORE; bytes < (1u << 28); bytes = bytes * 3 + 1) {
        uint64_t head = filler_head(bytes), length;
        uint8_t raw[8];
        memcpy(raw, &head, 8);
        assert_int_equal(raw[0], 0x7a);
        const uint8_t *end = varint_get(raw + 1, raw + 8, &length);
        assert_int_equal(end - raw, FILLER_HEAD);
        assert_int_equal(length, bytes - FILLER_HEAD);
    }
}

static void messages_nest(void **state) {
    (void)state;
    uint8_t buffer[64];
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *outer = pack_open(&pack, 1);
    pack_varint(&pack, 2, 300);
    uint8_t *inner = pack_open(&pack, 3);
    pack_bytes(&pack, 4, "ab", 2);
    pack_close(&pack, inner);
    pack_close(&pack, outer);
    static const uint8_t expected[] = {0x0a, 9, 0x10, 0xac, 0x02, 0x1a, 4, 0x22, 2, 'a', 'b'};
    assert_int_equal(pack.full, 0);
    assert_int_equal(pack.at - buffer, sizeof expected);
    assert_memory_equal(buffer, expected, sizeof expected);
}

static void a_long_body_moves_up_for_its_length(void **state) {
    (void)state;
    uint8_t buffer[512], body[300];
    memset(body, 'x', sizeof body);
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *outer = pack_open(&pack, 1);
    pack_bytes(&pack, 2, body, sizeof body);
    pack_close(&pack, outer);
    assert_memory_equal(buffer, "\x0a\xaf\x02\x12\xac\x02x", 7);
    assert_int_equal(pack.at - buffer, 306);
}

static void what_does_not_fit_is_said_and_nothing_is_overrun(void **state) {
    (void)state;
    for (size_t room = 0; room < 120; room++) {
        uint8_t buffer[160];
        memset(buffer, 0xee, sizeof buffer);
        struct pack pack = pack_into(buffer, room);
        uint8_t *outer = pack_open(&pack, 1);
        pack_text(&pack, 2, "some text", 9, 64);
        pack_double(&pack, 3, 1.5);
        pack_close(&pack, outer);
        assert_true(pack.full || pack.at <= buffer + room);
        assert_true(room < 100 || !pack.full);
        for (size_t i = room; i < sizeof buffer; i++)
            assert_int_equal(buffer[i], 0xee);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_go_both_ways),
        cmocka_unit_test(an_endless_varint_is_refused),
        cmocka_unit_test(filler_heads_tell_their_length),
        cmocka_unit_test(messages_nest),
        cmocka_unit_test(a_long_body_moves_up_for_its_length),
        cmocka_unit_test(what_does_not_fit_is_said_and_nothing_is_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
