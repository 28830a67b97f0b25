#include "stack/value_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "stack/text.h"
#include "stack/values.h"

struct out {
    struct objects *objects;
    char *text;
    uint32_t used, size;
    bool full;
};

/* What does not fit is cut, at a whole character of UTF-8. */
static void put_bytes(struct out *out, const char *bytes, size_t count) {
    size_t room = out->size - out->used - 1;
    if (out->full)
        return;
    if (count > room) {
        out->full = true;
        for (count = room; count && ((uint8_t)bytes[count] & 0xc0) == 0x80; count--)
            ;
    }
    memcpy(out->text + out->used, bytes, count);
    out->used += (uint32_t)count;
    out->text[out->used] = '\0';
}

static void put(struct out *out, const char *text) {
    put_bytes(out, text, strlen(text));
}

static void __attribute__((format(printf, 2, 3)))
put_format(struct out *out, const char *format, ...) {
    char text[OBJECT_TYPE_NAME_BYTES + 128];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    put(out, text);
}

static void put_value(struct out *out, uint64_t object, int depth);

/* ---- plain ones */

static void put_int(struct out *out, uint64_t object) {
    int64_t value;
    if (object_integer(out->objects, object, &value))
        put_format(out, "%lld", (long long)value);
    else
        put_format(out, "<int of up to %llu bits>",
                   (unsigned long long)object_integer_bits(out->objects, object));
}

/* The shortest of its texts that means it. */
static void put_float(struct out *out, uint64_t object) {
    uint64_t bits = object_first(out->objects, object);
    double value;
    char text[40] = "";
    memcpy(&value, &bits, sizeof value);
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    put(out, text);
    if (strspn(text, "-0123456789") == strlen(text))
        put(out, ".0");
}

static void put_str(struct out *out, uint64_t object) {
    char *text;
    if (text_read_quoted(out->objects->memory, out->objects->layout, object, VALUES_STR_BYTES,
                         &text)) {
        put(out, "<str>");
        return;
    }
    put(out, text);
    free(text);
}

static void put_bytes_object(struct out *out, uint64_t object) {
    const struct layout *layout = out->objects->layout;
    uint8_t bytes[VALUES_STR_BYTES];
    int64_t length = (int64_t)memory_pointer(out->objects->memory, object + layout->bytes_length);
    size_t count = length < 0 ? 0 : length < VALUES_STR_BYTES ? (size_t)length : VALUES_STR_BYTES;
    if (count && memory_read(out->objects->memory, object + layout->bytes_data, bytes, count)) {
        put(out, "<bytes>");
        return;
    }
    put(out, "b'");
    for (size_t i = 0; i < count; i++) {
        char escaped[4];
        put_bytes(out, escaped, (size_t)text_escape(escaped, bytes[i]));
    }
    put(out, length > VALUES_STR_BYTES ? "'..." : "'");
}

/* ---- containers */

static bool is_secret(struct out *out, uint64_t key) {
    char *text;
    if (object_kind(out->objects, key) != OBJECT_STR ||
        text_read(out->objects->memory, out->objects->layout, key, SECRET_NAME_MAX, &text))
        return false;
    bool secret = marey__secret_is(text);
    free(text);
    return secret;
}

static void put_entry(struct out *out, const struct object_entry *entry, bool pairs, int depth) {
    put_value(out, entry->key, depth);
    if (!pairs)
        return;
    put(out, ": ");
    if (is_secret(out, entry->key))
        put(out, "***");
    else
        put_value(out, entry->value, depth);
}

static void put_container(struct out *out, uint64_t object, enum object_kind kind, int depth) {
    bool pairs = kind == OBJECT_DICT, tuple = kind == OBJECT_TUPLE;
    struct object_entries entries = {0};
    int error = pairs ? object_dict(out->objects, object, VALUES_ITEMS, &entries)
                : kind == OBJECT_SET
                    ? object_set(out->objects, object, VALUES_ITEMS, &entries)
                    : object_sequence(out->objects, object, VALUES_ITEMS, &entries);
    if (!error && kind == OBJECT_SET && entries.total == 0) {
        put(out, "set()");
        object_entries_free(&entries);
        return;
    }
    put(out, tuple ? "(" : kind == OBJECT_LIST ? "[" : "{");
    if (error || (depth == 0 && entries.count)) {
        put(out, "...");
    } else {
        for (uint32_t i = 0; i < entries.count; i++) {
            put(out, i ? ", " : "");
            put_entry(out, &entries.list[i], pairs, depth - 1);
        }
        if (entries.total > entries.count)
            put(out, entries.count ? ", ..." : "...");
        else if (tuple && entries.count == 1)
            put(out, ",");
    }
    put(out, tuple ? ")" : kind == OBJECT_LIST ? "]" : "}");
    object_entries_free(&entries);
}

/* ---- types and what has no text of its own */

static void put_text_of(struct out *out, uint64_t str) {
    char *text;
    if (object_kind(out->objects, str) == OBJECT_STR &&
        text_read(out->objects->memory, out->objects->layout, str, VALUES_STR_BYTES, &text) == 0) {
        put(out, text);
        free(text);
    }
}

/* "module.Name": a class that is written in Python keeps its module in its dict, others have it in their name. */
static void put_type(struct out *out, const struct object_type *type) {
    uint64_t module = object_item(out->objects, type->dict, "__module__");
    if (module && !strchr(type->name, '.') && object_kind(out->objects, module) == OBJECT_STR &&
        !object_is_text(out->objects, module, "builtins")) {
        put_text_of(out, module);
        put(out, ".");
    }
    put(out, type->name);
}

static void put_other(struct out *out, uint64_t object, const struct object_type *type) {
    if (type->kind == OBJECT_TYPE) {
        const struct object_type *shown = object_type_at(out->objects, object);
        struct object_type copy = shown ? *shown : *type;
        put(out, "<class '");
        put_type(out, &copy);
        put(out, "'>");
    } else if (type->kind == OBJECT_MODULE) {
        put(out, "<module '");
        put_text_of(out, object_item(out->objects, object_first(out->objects, object), "__name__"));
        put(out, "'>");
    } else {
        put(out, "<");
        put_type(out, type);
        put_format(out, " at 0x%llx>", (unsigned long long)object);
    }
}

static void put_plain(struct out *out, uint64_t object, const struct object_type *type, int depth) {
    int64_t truth;
    switch (type->kind) {
    case OBJECT_NONE: put(out, "None"); break;
    case OBJECT_BOOL:
        put(out, object_integer(out->objects, object, &truth) && truth ? "True" : "False");
        break;
    case OBJECT_INT: put_int(out, object); break;
    case OBJECT_FLOAT: put_float(out, object); break;
    case OBJECT_STR: put_str(out, object); break;
    case OBJECT_BYTES: put_bytes_object(out, object); break;
    case OBJECT_TUPLE:
    case OBJECT_LIST:
    case OBJECT_DICT:
    case OBJECT_SET: put_container(out, object, type->kind, depth); break;
    default: put_other(out, object, type); break;
    }
}

static void put_value(struct out *out, uint64_t object, int depth) {
    const struct object_type *found = object_type(out->objects, object);
    if (out->full)
        return;
    if (!found) {
        put(out, "<?>");
        return;
    }
    struct object_type type = *found; /* the next object may take its place */
    bool named = type.kind >= OBJECT_BOOL && type.kind <= OBJECT_SET &&
                 (!type.exact || strcmp(type.name, "frozenset") == 0);
    if (named) {
        put_type(out, &type);
        put(out, "(");
    }
    put_plain(out, object, &type, depth);
    if (named)
        put(out, ")");
}

void value_text(struct objects *objects, uint64_t object, char *text, uint32_t size) {
    enum { DOTS = 3 };
    text[0] = '\0';
    struct out out = {.objects = objects, .text = text, .size = size - DOTS};
    put_value(&out, object, VALUES_DEPTH);
    if (out.full)
        memcpy(text + out.used, "...", DOTS + 1);
}
