/* Calls as JSON: nested as they called each other. */
#ifndef MAREY_OUTPUT_TREE_JSON_H
#define MAREY_OUTPUT_TREE_JSON_H

#include "model/calls.h"
#include "output/json.h"

enum { TREE_JSON_VERSION = 1 };

/* Writes the members of an object that says all of it: scopes, what was lost, "calls" with "children" inside. Where
 * the JSON is indented each call is a line. Levels below TREE_DEPTH_MAX are left out and counted. */
void tree_json(const struct calls *calls, struct json *json);

#endif
