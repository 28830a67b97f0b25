/* Which code is the user's own: not the standard library's, not what was installed. By the path of its file. */
#ifndef MAREY_MODEL_OWN_H
#define MAREY_MODEL_OWN_H

#include <stdint.h>

enum { OWN_RULES_MAX = 256 };

struct own_rule {
    const char *pattern; /* fnmatch(3) of the whole path, '*' matches '/' too */
    int own;
};

/* The user's rules, which go before those that are built in. All zero: none. */
struct own_rules {
    struct own_rule all[OWN_RULES_MAX];
    uint32_t count;
};

/* Returns 0, or -1 where there are too many. The pattern is the caller's and outlives the rules. */
int own_rule_add(struct own_rules *rules, const char *pattern, int own);
/* Of the user's rules the last that matches counts, of those built in the first; where none does it is own. rules: NULL is
 * none. */
int own_is(const struct own_rules *rules, const char *file);

#endif
