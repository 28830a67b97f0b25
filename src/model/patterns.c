/* See patterns.h. */
#include "model/patterns.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { NAME_ROOM = 1024 };

int patterns_choose(const struct patterns *patterns, const char *const *texts, uint32_t count) {
    int wanted = 0, met = 0;
    for (uint32_t i = 0; i < patterns->count; i++) {
        int refuses = *patterns->all[i] == '!';
        wanted |= !refuses;
        for (uint32_t j = 0; j < count; j++) {
            if (fnmatch(patterns->all[i] + refuses, texts[j], 0) != 0)
                continue;
            if (refuses)
                return 0;
            met = 1;
        }
    }
    return met || !wanted;
}

int patterns_choose_name(const struct patterns *patterns, const char *name, const char *module) {
    char whole[NAME_ROOM];
    const char *dot = strrchr(name, '.');
    const char *texts[] = {name, dot ? dot + 1 : name, whole};
    if (!patterns->count)
        return 1;
    if (!module || !*module)
        return patterns_choose(patterns, texts, 2);
    snprintf(whole, sizeof whole, "%s.%s", module, name);
    return patterns_choose(patterns, texts, 3);
}
