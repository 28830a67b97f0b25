#include "base/secret.h"

#include <string.h>

static const char *const names[] = {
    "password", "passwd",     "passphrase",  "pwd",        "secret",      "secrets",
    "token",    "api_key",    "apikey",      "access_key", "private_key", "authorization",
    "auth",     "credential", "credentials", "cookie",     "session_id",
};

bool marey__secret_is(const char *name) {
    char whole[SECRET_PATTERN_BYTES], part[SECRET_PATTERN_BYTES];
    secret_normalise(name, strlen(name), whole);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        secret_normalise(names[i], strlen(names[i]), part);
        if (strstr(whole, part))
            return true;
    }
    return false;
}
