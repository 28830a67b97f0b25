/* Numbers as digits, for formats of many numbers: several times as fast as printf. Each writes at `at`, without a NUL,
 * and returns the place behind. */
#ifndef MAREY_OUTPUT_DIGITS_H
#define MAREY_OUTPUT_DIGITS_H

#include <stdint.h>
#include <string.h>

enum { DIGITS_MAX = 24 }; /* bytes that one takes at most */

/* Two at a time: a division costs as much as all else that is done for a digit. */
static inline char *digits_count(char *at, uint64_t value) {
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[DIGITS_MAX], *end = digits + DIGITS_MAX, *first = end;
    for (; value >= 100; value /= 100)
        memcpy(first -= 2, pairs + 2 * (value % 100), 2);
    memcpy(first -= 2, pairs + 2 * value, 2);
    first += value < 10;
    memcpy(at, first, (size_t)(end - first));
    return at + (end - first);
}

static inline char *digits_integer(char *at, int64_t value) {
    if (value < 0)
        *at++ = '-';
    return digits_count(at, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* Nanoseconds in units of a thousand or a million of them, exactly: "12", "12.345". */
static inline char *digits_parts(char *at, int64_t ns, unsigned decimals) {
    uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, unit = decimals == 3 ? 1000 : 1000000;
    uint64_t rest = size % unit;
    if (ns < 0)
        *at++ = '-';
    at = digits_count(at, size / unit);
    if (!rest)
        return at;
    *at++ = '.';
    for (unsigned i = decimals; i-- > 0; rest /= 10)
        at[i] = (char)('0' + rest % 10);
    for (at += decimals; at[-1] == '0';)
        at--;
    return at;
}

static inline char *digits_us(char *at, int64_t ns) {
    return digits_parts(at, ns, 3);
}

static inline char *digits_ms(char *at, int64_t ns) {
    return digits_parts(at, ns, 6);
}

/* A text of the program's own. */
#define DIGITS_TEXT(at, text) ((char *)memcpy((at), (text), sizeof(text) - 1) + sizeof(text) - 1)

#endif
