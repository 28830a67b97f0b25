/* Names that are wanted: patterns of fnmatch(3); one with "!" before it leaves out what it matches. */
#ifndef MAREY_MODEL_PATTERNS_H
#define MAREY_MODEL_PATTERNS_H

#include <stdint.h>

/* All zero: everything is wanted. */
struct patterns {
    const char *const *all;
    uint32_t count;
};

/* Whether one of the patterns is met by one of the texts, and none that leaves out is. If all of them leave out, what they
 * leave is wanted. */
int patterns_choose(const struct patterns *patterns, const char *const *texts, uint32_t count);
/* The same of a function's or span's name: it may be met by the name, by its last part ("save" of "User.save"), and by
 * both with the module, if there is one (NULL or "": none). */
int patterns_choose_name(const struct patterns *patterns, const char *name, const char *module);

#endif
