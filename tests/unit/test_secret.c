/* Which names are those of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

static void words_are_found_however_they_are_joined(void **state) {
    (void)state;
    const char *const secret[] = {"token",   "access_token", "accessToken",   "X-Token",
                                  "TOKEN",   "auth.token",   "user_password", "apiKey",
                                  "API-KEY", "db_pwd"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        assert_true(marey__secret_is(secret[i]));
}

static void parts_of_words_are_none(void **state) {
    (void)state;
    const char *const plain[] = {"",          "tokens", "tokenizer", "author",
                                 "authority", "keys",   "cookies"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_false(marey__secret_is(plain[i]));
}

static void a_long_name_is_looked_at_so_far(void **state) {
    (void)state;
    char name[4 * SECRET_NAME_MAX];
    memset(name, 'A', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(marey__secret_is(name));
    memcpy(name, "secret_", 7);
    assert_true(marey__secret_is(name));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_however_they_are_joined),
        cmocka_unit_test(parts_of_words_are_none),
        cmocka_unit_test(a_long_name_is_looked_at_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
