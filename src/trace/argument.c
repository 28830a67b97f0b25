/* See argument.h. */
#include "argument.h"

#include <stdio.h>
#include <string.h>

static size_t bounded(size_t count) {
    return count < MAREY_ARGS_MAX ? count : MAREY_ARGS_MAX;
}

static int is_nest(const marey_arg *arg) {
    return arg->kind == MAREY_KIND_DICT || arg->kind == MAREY_KIND_ARRAY;
}

static int give_source_id(marey_source *source) {
    static uint32_t last;
    uint32_t none = 0, id = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    return __atomic_compare_exchange_n(&source->id, &none, id, 0, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

/* *left: how many more of them to look at. What is beyond cannot be in the packet. */
static int intern_level(struct writer *writer, const marey_arg *args, size_t count, int level,
                        int *left) {
    for (size_t i = 0; i < bounded(count) && *left > 0; i++, --*left) {
        const marey_arg *arg = &args[i];
        if (arg->kind == MAREY_KIND_SOURCE) {
            if (!__atomic_load_n(&arg->source->id, __ATOMIC_RELAXED))
                give_source_id(arg->source);
            if (!writer_intern_source(writer, arg->source))
                return 0;
        } else if (arg->name && !writer_intern(writer, INTERNED_ARGUMENT, arg->name)) {
            return 0;
        }
        if (is_nest(arg) && level < MAREY_NESTING_MAX &&
            !intern_level(writer, arg->args, arg->count, level + 1, left))
            return 0;
    }
    return 1;
}

int arguments_intern(struct writer *writer, const marey_arg *args, size_t count) {
    enum { LEAST_BYTES = 2 }; /* of an argument: tag and length */
    int left = MAREY_PACKET_MAX / LEAST_BYTES;
    return intern_level(writer, args, count, 1, &left);
}

static void pack_fixed_text(struct pack *pack, const char *text) {
    pack_bytes(pack, ANNOTATION__string_value, text, strlen(text));
}

static void pack_annotation(struct pack *pack, const struct writer *writer, unsigned field,
                            const marey_arg *arg, int named, int level);

/* The entries, up to MAREY_ARGS_MAX; beyond that, how many more there were. */
static void pack_nest(struct pack *pack, const struct writer *writer, const marey_arg *arg,
                      int level) {
    int is_dict = arg->kind == MAREY_KIND_DICT;
    unsigned field = is_dict ? ANNOTATION__dict_entries : ANNOTATION__array_values;
    if (arg->count == 0 || level >= MAREY_NESTING_MAX) { /* a reader drops empty ones */
        pack_fixed_text(pack, arg->count ? "..." : is_dict ? "{}" : "[]");
        return;
    }
    for (size_t i = 0; i < bounded(arg->count) && !pack->full; i++)
        pack_annotation(pack, writer, field, &arg->args[i], is_dict, level + 1);
    if (arg->count > MAREY_ARGS_MAX && !pack->full) {
        char text[48];
        snprintf(text, sizeof text, "(%llu more)",
                 (unsigned long long)(arg->count - MAREY_ARGS_MAX));
        marey_arg more = {.kind = MAREY_KIND_TEXT,
                          .text = text,
                          .count = strlen(text),
                          .key = "...",
                          .key_length = 3};
        pack_annotation(pack, writer, field, &more, is_dict, level + 1);
    }
}

static void pack_value(struct pack *pack, const struct writer *writer, const marey_arg *arg,
                       int level) {
    switch ((enum marey_kind)arg->kind) {
    case MAREY_KIND_BOOL: pack_varint(pack, ANNOTATION__bool_value, arg->i64 != 0); break;
    case MAREY_KIND_I64: pack_varint(pack, ANNOTATION__int_value, arg->u64); break;
    case MAREY_KIND_U64: pack_varint(pack, ANNOTATION__uint_value, arg->u64); break;
    case MAREY_KIND_F64: pack_fixed64(pack, ANNOTATION__double_value, arg->u64); break;
    case MAREY_KIND_POINTER: pack_varint(pack, ANNOTATION__pointer_value, arg->u64); break;
    case MAREY_KIND_TEXT:
        if (arg->text)
            pack_text(pack, ANNOTATION__string_value, arg->text, arg->count, MAREY_TEXT_MAX);
        else
            pack_fixed_text(pack, "NULL");
        break;
    case MAREY_KIND_DICT:
    case MAREY_KIND_ARRAY: pack_nest(pack, writer, arg, level); break;
    default: pack_fixed_text(pack, "?"); break;
    }
}

static void pack_annotation(struct pack *pack, const struct writer *writer, unsigned field,
                            const marey_arg *arg, int named, int level) {
    uint8_t *annotation = pack_open(pack, field);
    if (named && arg->name)
        pack_varint(pack, ANNOTATION__name_iid, writer_iid(writer, INTERNED_ARGUMENT, arg->name));
    else if (named)
        pack_text(pack, ANNOTATION__name, arg->key ? arg->key : "", arg->key ? arg->key_length : 0,
                  MAREY_NAME_MAX);
    pack_value(pack, writer, arg, level);
    pack_close(pack, annotation);
}

static void pack_one(struct pack *pack, struct writer *writer, const marey_arg *arg) {
    if (arg->kind == MAREY_KIND_FLOW)
        pack_fixed64(pack, EVENT__flow_ids, arg->u64);
    else if (arg->kind == MAREY_KIND_FLOW_END)
        pack_fixed64(pack, EVENT__terminating_flow_ids, arg->u64);
    else if (arg->kind == MAREY_KIND_SOURCE)
        pack_varint(pack, EVENT__source_location_iid, writer_intern_source(writer, arg->source));
    else if (arg->kind != MAREY_KIND_NONE)
        pack_annotation(pack, writer, EVENT__debug_annotations, arg, 1, 1);
}

size_t arguments_pack(struct pack *pack, struct writer *writer, const marey_arg *args,
                      size_t count) {
    for (size_t i = 0; i < bounded(count); i++) {
        struct pack before = *pack;
        pack_one(pack, writer, &args[i]);
        if (pack->full) {
            *pack = before;
            return i;
        }
    }
    return bounded(count);
}
