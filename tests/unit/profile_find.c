/* See profile_find.h. */
#include "profile_find.h"

#include <stdio.h>
#include <string.h>

const struct profile_node *profile_find(const struct profile *profile, const char *path) {
    char names[256];
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    const struct profile_function *functions = profile_functions(profile, &count);
    uint32_t at = 0;
    snprintf(names, sizeof names, "%s", path);
    for (char *name = strtok(names, ";"); name; name = strtok(NULL, ";")) {
        for (at = nodes[at].first_child; at; at = nodes[at].next_sibling)
            if (!strcmp(functions[nodes[at].function].name, name))
                break;
        if (!at)
            return NULL;
    }
    return &nodes[at];
}
