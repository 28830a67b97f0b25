#include "stack/still.h"

#include <stdlib.h>
#include <string.h>

void still_fini(struct still *still) {
    free(still->bytes);
    *still = (struct still){0};
}

/* Room in the buffer; what is there stays. */
static bool make_room(struct still *still, size_t bytes) {
    if (bytes <= still->room)
        return true;
    size_t room = 2 * bytes < STILL_BYTES_MAX ? 2 * bytes : STILL_BYTES_MAX;
    uint8_t *grown = realloc(still->bytes, room);
    if (!grown)
        return false;
    still->bytes = grown;
    still->room = room;
    return true;
}

/* Pieces are told by where they come from; `into` follows when all are known, as the buffer may move until then. */
static bool add(struct still *still, struct thread_reader *reader, bool *answer) {
    int left = MEMORY_PIECES_MAX - still->pieces_count;
    struct piece *pieces = still->pieces + still->pieces_count;
    size_t bytes = 0;
    int count = thread_reader_pieces(reader, pieces, left);
    for (int i = 0; i < count; i++)
        bytes += pieces[i].bytes;
    if (!count || bytes > STILL_BYTES_MAX - still->used || !make_room(still, still->used + bytes))
        return false;
    still->used += bytes;
    still->pieces_count += count;
    still->threads[still->threads_count++] = (struct still_thread){reader, answer, count};
    return true;
}

void still_ask(struct still *still, struct memory *memory, struct thread_reader *reader,
               bool *answer) {
    *answer = false;
    if (!reader->whole)
        return;
    if (add(still, reader, answer) || !still->threads_count)
        return;
    still_read(still, memory);
    add(still, reader, answer);
}

/* The pieces as they were, in the same order. */
static bool same(const struct thread_reader *reader, const struct piece *now, int count) {
    struct piece before[MEMORY_PIECES_MAX];
    if (thread_reader_pieces(reader, before, MEMORY_PIECES_MAX) != count)
        return false;
    for (int i = 0; i < count; i++)
        if (memcmp(before[i].into, now[i].into, now[i].bytes) != 0)
            return false;
    return true;
}

void still_read(struct still *still, struct memory *memory) {
    size_t at = 0;
    for (int i = 0; i < still->pieces_count; i++) {
        still->pieces[i].into = still->bytes + at;
        at += still->pieces[i].bytes;
    }
    /* On an error somebody has ended or moved: all are looked at by themselves. */
    bool read =
        still->pieces_count && memory_read_pieces(memory, still->pieces, still->pieces_count) == 0;
    const struct piece *pieces = still->pieces;
    for (int i = 0; read && i < still->threads_count; i++) {
        const struct still_thread *thread = &still->threads[i];
        *thread->still = same(thread->reader, pieces, thread->pieces_count);
        pieces += thread->pieces_count;
    }
    still->threads_count = still->pieces_count = 0;
    still->used = 0;
}
