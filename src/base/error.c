/* The one table of errors: code, text, hint (marey.h defines it, MAREY_ERRORS). */
#include "marey.h"

struct error {
    int code;
    const char *text;
    const char *hint;
};

#define ROW(name, value, text, hint) {name, text, hint},
static const struct error errors[] = {MAREY_ERRORS(ROW)};
#undef ROW

static const struct error *find(int code) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == code)
            return &errors[i];
    return NULL;
}

const char *marey_strerror(int code) {
    if (code == 0)
        return "no error";
    const struct error *error = find(code);
    return error ? error->text : "unknown error";
}

const char *marey_hint(int code) {
    const struct error *error = find(code);
    return error ? error->hint : "";
}
