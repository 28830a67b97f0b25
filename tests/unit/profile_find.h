/* For tests of profiles. */
#ifndef MAREY_TESTS_PROFILE_FIND_H
#define MAREY_TESTS_PROFILE_FIND_H

#include "model/profile.h"

/* The node at a path of names, as "main;load"; NULL where there is none. */
const struct profile_node *profile_find(const struct profile *profile, const char *path);

#endif
