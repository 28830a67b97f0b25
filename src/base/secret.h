/* Names of secrets: a value whose name has one of them as a word is kept out of what Marey shows.
 *
 * "token" covers access_token, accessToken and X-Token, but not tokens. */
#ifndef MAREY_BASE_SECRET_H
#define MAREY_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "marey.h"

enum {
    SECRET_NAME_MAX = 128,                         /* of longer names, so much is looked at */
    SECRET_PATTERN_BYTES = 2 * SECRET_NAME_MAX + 4 /* of what secret_normalise writes */
};

/* Lower case, words joined by "_", a "_" before and after: "X-ApiKey" is "_x_api_key_". Returns its length. */
static inline size_t secret_normalise(const char *text, size_t bytes, char *out) {
    size_t n = 0;
    char before = '_';
    out[n++] = '_';
    for (size_t i = 0; i < bytes && i < SECRET_NAME_MAX; i++) {
        char c = text[i];
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
        if (upper && before >= 'a' && before <= 'z')
            out[n++] = '_';
        before = c;
        out[n++] = upper ? (char)(c + 32) : lower || (c >= '0' && c <= '9') || c < 0 ? c : '_';
    }
    out[n++] = '_';
    out[n] = 0;
    return n;
}

/* Is it the name of a secret, by the names that Marey starts with (python/marey/_secrets.py)? */
MAREY_API bool marey__secret_is(const char *name);

#endif
