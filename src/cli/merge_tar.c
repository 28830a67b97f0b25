/* See merge_tar.h. The format is ustar (POSIX.1-2017, pax, "ustar Interchange Format"); files above 8 GiB have their size
 * in base 256, as GNU tar writes it. The manifest is perfetto_manifest, version 1. */
#include "cli/merge_tar.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "output/display.h"
#include "output/json.h"

enum { BLOCK = 512, SIZE_OCTAL_BITS = 33, COPY_BYTES = 1 << 16 };
enum { LABEL_BYTES_MAX = 64, MACHINE_BYTES_MAX = 200 }; /* of names that are made */

struct tar_head {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
    char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155];
    char rest[12];
};
_Static_assert(sizeof(struct tar_head) == BLOCK, "a header is one block");

static void put_size(struct tar_head *head, uint64_t size) {
    if (size >> SIZE_OCTAL_BITS == 0) {
        snprintf(head->size, sizeof head->size, "%011llo", (unsigned long long)size);
        return;
    }
    head->size[0] = (char)0x80;
    for (int i = 0; i < 8; i++)
        head->size[11 - i] = (char)(size >> (8 * i));
}

static void write_head(FILE *to, const char *name, uint64_t size) {
    struct tar_head head;
    unsigned sum = 0;
    memset(&head, 0, sizeof head);
    snprintf(head.name, sizeof head.name, "%s", name);
    memcpy(head.mode, "0000600", 8);
    memcpy(head.uid, "0000000", 8);
    memcpy(head.gid, "0000000", 8);
    memcpy(head.mtime, "00000000000", 12);
    put_size(&head, size);
    head.type = '0';
    memcpy(head.magic, "ustar", 6);
    memcpy(head.version, "00", 2);
    memset(head.checksum, ' ', sizeof head.checksum);
    for (size_t i = 0; i < sizeof head; i++)
        sum += ((const unsigned char *)&head)[i];
    snprintf(head.checksum, sizeof head.checksum, "%06o", sum);
    fwrite(&head, sizeof head, 1, to);
}

static void write_zeros(FILE *to, uint64_t count) {
    static const char zeros[2 * BLOCK];
    fwrite(zeros, 1, count < sizeof zeros ? (size_t)count : sizeof zeros, to);
}

/* In a file nothing is written. */
static void write_hole(FILE *to, uint64_t bytes) {
    if (fseeko(to, (off_t)bytes, SEEK_CUR) == 0)
        return;
    for (; bytes && !ferror(to); bytes -= bytes < BLOCK ? bytes : BLOCK)
        write_zeros(to, bytes < BLOCK ? bytes : BLOCK);
}

static void end_file(FILE *to, uint64_t size) {
    write_zeros(to, (BLOCK - size % BLOCK) % BLOCK);
}

/* "3-name.pftrace": no two are equal, and viewers know the ending. */
static void entry_name(char *to, size_t room, const struct merge_plan *plan, uint32_t place) {
    const char *label = plan->files[place].own_label;
    int bytes = (int)character_cut(label, strlen(label), LABEL_BYTES_MAX);
    snprintf(to, room, "%u-%.*s.pftrace", place + 1, bytes, label);
}

/* ----------------------------------------------------------------- manifest */

/* Files of one machine have one name, those of others another. */
static void machine_name(char *to, size_t room, const struct merge_plan *plan,
                         const struct merge_file *file) {
    for (const struct merge_file *first = plan->files; first < file; first++)
        if (first->first_machine == file->first_machine)
            file = first;
    const char *name = file->label ? file->label : file->host ? file->host : file->own_label;
    int bytes = (int)character_cut(name, strlen(name), MACHINE_BYTES_MAX);
    if (file->first_machine)
        snprintf(to, room, "%.*s (%u)", bytes, name, file->first_machine + 1);
    else
        snprintf(to, room, "%.*s", bytes, name);
}

static int write_manifest(const struct merge_plan *plan, FILE *to) {
    char *text = NULL, name[256];
    size_t size = 0;
    struct json json;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return -1;
    json_init(&json, memory, 1);
    json_object(&json, NULL);
    json_object(&json, "perfetto_manifest");
    json_integer(&json, "version", 1);
    json_array(&json, "files");
    for (uint32_t i = 0; i < plan->count; i++) {
        json_object(&json, NULL);
        entry_name(name, sizeof name, plan, i);
        json_text(&json, "path", name);
        json_object(&json, "machine");
        machine_name(name, sizeof name, plan, &plan->files[i]);
        json_text(&json, "name", name);
        json_end(&json);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    json_end(&json);
    json_finish(&json);
    if (fclose(memory)) {
        free(text);
        return -1;
    }
    write_head(to, "perfetto_manifest.json", size);
    fwrite(text, 1, size, to);
    end_file(to, size);
    free(text);
    return 0;
}

/* -------------------------------------------------------------------- files */

static int open_source(struct source *source, const char *path) {
    int error = source_open(source, path);
    if (error)
        read_error("merge", path, error);
    return error ? -1 : 0;
}

/* How many bytes the trace has, decompressed. Returns 0 or -1. */
static int measure(const char *path, uint64_t *size) {
    struct source source;
    if (open_source(&source, path))
        return -1;
    *size = source_skip(&source, UINT64_MAX);
    source_close(&source);
    return 0;
}

/* How far it is to the next byte that was ever written, at most `size`. */
static uint64_t skip_hole(struct source *source, uint64_t size) {
    uint64_t from = source->offset;
    source_skip_hole(source);
    return source->offset - from < size ? source->offset - from : size;
}

/* Copies so many bytes; those of a file that has become shorter meanwhile are zeros, which a trace may end in. */
static int copy_file(const char *path, uint64_t size, FILE *to) {
    struct source source;
    if (open_source(&source, path))
        return -1;
    while (size && !ferror(to)) {
        uint64_t hole = skip_hole(&source, size);
        size_t have = source_have(&source, COPY_BYTES);
        if (!have)
            hole = size;
        if (hole)
            write_hole(to, hole);
        size -= hole;
        size_t take = have < size ? have : (size_t)size;
        if (take)
            fwrite(source.at, 1, take, to);
        source_skip(&source, take);
        size -= take;
    }
    source_close(&source);
    return 0;
}

int merge_write_tar(const struct merge_plan *plan, FILE *to) {
    char name[256];
    if (write_manifest(plan, to)) {
        read_error("merge", plan->files[0].path, MAREY_ENOMEM);
        return -1;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const char *path = plan->files[i].path;
        uint64_t size;
        entry_name(name, sizeof name, plan, i);
        if (measure(path, &size))
            return -1;
        write_head(to, name, size);
        if (copy_file(path, size, to))
            return -1;
        end_file(to, size);
    }
    write_zeros(to, (uint64_t)2 * BLOCK);
    return ferror(to) ? -1 : 0;
}
