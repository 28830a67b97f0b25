/* See own.h. */
#include "model/own.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

static const struct own_rule built_in[] = {
    {"", 0},                         /* markers: native code, garbage collection */
    {"<frozen *", 0},                /* modules inside the interpreter */
    {"<attrs generated *", 0},       /* what libraries make as they run */
    {"<__array_function__ *", 0},    /* numpy */
    {"*/site-packages/*", 0},        /* installed */
    {"*/dist-packages/*", 0},        /* installed by Debian */
    {"*/lib/python[23]*/*", 0},      /* the standard library */
    {"*/lib64/python[23]*/*", 0},    /* where 64-bit libraries have a folder of their own */
    {"/usr/share/python3/*", 0},     /* Debian's helpers */
    {"*/lib/python[23]*.zip/*", 0},  /* the standard library in one file */
    {"*/pypy[23]*/lib-python/*", 0}, /* PyPy's */
};

int own_rule_add(struct own_rules *rules, const char *pattern, int own) {
    if (rules->count == OWN_RULES_MAX)
        return -1;
    rules->all[rules->count++] = (struct own_rule){pattern, own};
    return 0;
}

int own_is(const struct own_rules *rules, const char *file) {
    for (uint32_t i = rules ? rules->count : 0; i--;)
        if (fnmatch(rules->all[i].pattern, file, 0) == 0)
            return rules->all[i].own;
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        if (fnmatch(built_in[i].pattern, file, 0) == 0)
            return built_in[i].own;
    return strpbrk(file, "/.<") !=
           NULL; /* else a library gave it to code that it made: "__init__" */
}
