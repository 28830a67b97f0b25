/* hello.c: counts the lines and words of files, and shows in a timeline how.
 *
 *   export PKG_CONFIG_PATH=$(python -c "import marey; print(marey.get_lib_dir())")/pkgconfig
 *   cc -O2 hello.c -o hello $(pkg-config --cflags --libs marey)
 *   ./hello hello.c                     writes hello.perfetto-trace
 *   marey run ./hello hello.c           writes hello.perfetto-trace too, and prints a report
 */
#include <ctype.h>
#include <marey.h>
#include <stdio.h>

enum { BUFFER_SIZE = 64 * 1024 };

static marey_track *disk;
static marey_counter *words_seen;

struct totals {
    long lines, words;
    int in_word; /* so far: a word may go on in the next piece */
};

static void count(struct totals *totals, const char *text, size_t size) {
    MAREY_SPAN("count", MAREY_U64("bytes", size)); /* ends where the function does */
    for (size_t i = 0; i < size; i++) {
        int is_space = isspace((unsigned char)text[i]);
        totals->lines += text[i] == '\n';
        totals->words += !totals->in_word && !is_space;
        totals->in_word = !is_space;
    }
}

/* Reading is shown on a track of its own. A flow, the number `arrow`, leads from there to the counting. */
static size_t read_piece(FILE *file, char *buffer, uint64_t arrow) {
    marey_track_begin(disk, MAREY_NOW, "read", MAREY_FLOW_OUT(arrow));
    size_t size = fread(buffer, 1, BUFFER_SIZE, file);
    marey_track_end(disk, MAREY_NOW, MAREY_U64("bytes", size));
    return size;
}

static int count_file(struct totals *all, const char *path) {
    static char buffer[BUFFER_SIZE];
    struct totals totals = {0};
    FILE *file = fopen(path, "r");
    if (!file) {
        marey_instant("cannot open", MAREY_STR("path", path));
        perror(path);
        return 1;
    }
    marey_begin("file", MAREY_STR("path", path), MAREY_HERE);
    for (;;) {
        uint64_t arrow = marey_flow_new();
        size_t size = read_piece(file, buffer, arrow);
        if (!size)
            break;
        marey_begin("piece", MAREY_FLOW_END(arrow));
        count(&totals, buffer, size);
        marey_end();
    }
    marey_end(MAREY_I64("lines", totals.lines), MAREY_I64("words", totals.words));
    fclose(file);
    all->lines += totals.lines;
    all->words += totals.words;
    marey_counter_set(words_seen, all->words);
    printf("%8ld lines %8ld words  %s\n", totals.lines, totals.words, path);
    return 0;
}

int main(int argc, char **argv) {
    struct totals all = {0};
    int failed = 0;
    int error = marey_join(NULL); /* by `marey run`: its file */
    if (error == MAREY_EOFF)
        error = marey_open("hello.perfetto-trace", NULL);
    if (error) /* the program does its work nevertheless */
        fprintf(stderr, "hello: not recorded: %s; %s\n", marey_strerror(error), marey_hint(error));
    disk = marey_track_open("disk", MAREY_OF_PROCESS);
    words_seen = marey_counter_open("words seen", "words", MAREY_OF_PROCESS);
    marey_attribute_text("language", "C");
    for (int i = 1; i < argc; i++)
        failed |= count_file(&all, argv[i]);
    marey_close();
    return failed;
}
