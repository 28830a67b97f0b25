/* record PID FILE: writes what the unwinder reads of a process's objects into a file, a seed of tests/fuzz/fuzz_objects.c. */
#define _GNU_SOURCE
#include <stdio.h>

#include "../fuzz/recorded.h"
#include "marey.h"
#include "stack/pages.h"

static int (*read_really)(struct memory *memory, const struct piece *pieces, int count);
static FILE *out;

enum { WRITTEN_MAX = 1 << 16 };

static struct {
    uint64_t address;
    size_t bytes;
} written[WRITTEN_MAX];

/* Each piece once. */
static void write_piece(const struct piece *piece) {
    uint16_t bytes = piece->bytes > UINT16_MAX ? UINT16_MAX : (uint16_t)piece->bytes;
    uint64_t i = (piece->address ^ piece->bytes << 48) * 0x9e3779b97f4a7c15u >> 48;
    for (; written[i].bytes; i = (i + 1) % WRITTEN_MAX)
        if (written[i].address == piece->address && written[i].bytes == piece->bytes)
            return;
    written[i].address = piece->address;
    written[i].bytes = piece->bytes;
    fwrite(&piece->address, sizeof piece->address, 1, out);
    fwrite(&bytes, sizeof bytes, 1, out);
    fwrite(piece->into, bytes, 1, out);
}

/* Whole pages are refused: their parts are asked for then, and the file is small. */
static int read_and_write(struct memory *memory, const struct piece *pieces, int count) {
    if (count == 1 && pieces->bytes == PAGE_BYTES)
        return MAREY_EADDRESS;
    int error = read_really(memory, pieces, count);
    for (int i = 0; !error && i < count; i++)
        write_piece(&pieces[i]);
    return error;
}

int main(int argc, char **argv) {
    static struct process process;
    struct layout again;
    if (argc != 3 || process_open(&process, (pid_t)strtol(argv[1], NULL, 10)))
        return 1;
    out = fopen(argv[2], "we");
    if (!out)
        return 1;
    fwrite(&process.version, sizeof process.version, 1, out);
    fwrite(&process.runtime, sizeof process.runtime, 1, out);
    read_really = process.memory.read;
    process.memory.read = read_and_write;
    int error = layout_find(&again, &process.memory, process.runtime, process.version);
    read_objects(&process);
    fclose(out);
    process_close(&process);
    return error != 0;
}
