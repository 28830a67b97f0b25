/* See foreign.h. */
#include "model/foreign.h"

static const struct {
    const char *magic;
    uint16_t size, offset;
    const char *kind;
} magics[] = {
    {"\x7f"
     "ELF",
     4, 0, "an ELF file (a program or a library)"},
    {"\x89PNG", 4, 0, "a PNG image"},
    {"\xff\xd8\xff", 3, 0, "a JPEG image"},
    {"GIF8", 4, 0, "a GIF image"},
    {"%PDF-", 5, 0, "a PDF document"},
    {"PK\x03\x04", 4, 0, "a zip archive: unpack it first"},
    {"\x28\xb5\x2f\xfd", 4, 0, "packed by zstd: unpack it first"},
    {"\xfd"
     "7zXZ",
     5, 0, "packed by xz: unpack it first"},
    {"BZh", 3, 0, "packed by bzip2: unpack it first"},
    {"\x1f\x8b", 2, 0, "packed by gzip twice: unpack it first"},
    {"ustar", 5, 257, "a tar archive: unpack it first"},
    {"SQLite format 3", 15, 0, "an SQLite database"},
    {"PERFILE2", 8, 0, "a recording of perf: 'perf script' reads it"},
    {"<!DOCTYPE", 9, 0, "an HTML page"},
    {"<html", 5, 0, "an HTML page"},
    {"<?xml", 5, 0, "XML"},
};

static int is_text(struct bytes head) {
    for (size_t i = 0; i < head.size; i++) {
        uint8_t byte = head.at[i];
        if ((byte < ' ' && !(byte >= '\t' && byte <= '\r') && byte != 0x1b) || byte == 0x7f)
            return 0;
    }
    return 1;
}

static int is_zero(struct bytes head) {
    for (size_t i = 0; i < head.size; i++)
        if (head.at[i])
            return 0;
    return 1;
}

const char *foreign_kind(struct bytes head) {
    if (!head.size)
        return "an empty file";
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if ((size_t)magics[i].offset + magics[i].size <= head.size &&
            !memcmp(head.at + magics[i].offset, magics[i].magic, magics[i].size))
            return magics[i].kind;
    if (is_zero(head))
        return "zeros, as a file has them that was never written";
    return is_text(head) ? "text" : "data of another kind";
}
