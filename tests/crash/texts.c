/* Names, texts and arguments that are not what one expects.
 *
 *   texts odd|long|many|deep|cyclic|names|widths TRACE */
#include "common.h"

static void record_odd(char **arguments) {
    static const char nul[] = "a\0b";
    MUST(marey_open(arguments[0], NULL) == 0);
    marey_begin("bad \xff\xc0\x80 utf-8", MAREY_STRN("nul", nul, 3), MAREY_STR("none", NULL),
                MAREY_STR("surrogate", "\xed\xa0\x80"), MAREY_STR("cut", "\xe2\x82"),
                MAREY_STR("good", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xa2"), MAREY_STR("empty", ""),
                MAREY_STR("\xfe key", "value"));
    marey__end();
    marey__begin(marey_name_id_n(nul, 3));
    marey__end();
    marey__begin(marey_name_id(NULL));
    marey__end();
    marey__begin(marey_name_id(""));
    marey__end();
    marey_thread_name("thread \xff");
    marey_process_name("process \xff");
    marey_attribute_text("key \xff", "value \xff");
    marey_instant("end");
    MUST(marey_close() == 0);
}

static void record_long(char **arguments) {
    enum { BYTES = 10 << 20 };
    char *text = malloc(BYTES + 1), *wide = malloc(BYTES + 1);
    MUST(text && wide);
    memset(text, 'x', BYTES);
    for (int i = 0; i + 2 < BYTES; i += 3)
        memcpy(wide + i, "\xe2\x82\xac", 3);
    text[BYTES] = wide[BYTES / 3 * 3] = 0;
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < 20; i++) {
        marey_begin(text, MAREY_STR("text", text), MAREY_STR("wide", wide));
        marey_end();
    }
    marey_thread_name(text);
    marey_process_name(wide);
    marey_attribute_text(text, wide);
    marey_counter *counter = marey_counter_open(wide, text, MAREY_OF_PROCESS);
    marey_counter_set_i64(counter, 1);
    marey_track *track = marey_track_open(text, MAREY_OF_PROCESS);
    marey_track_instant(track, MAREY_NOW, "end");
    marey_track_close(track);
    marey_counter_close(counter);
    free(text);
    free(wide);
    MUST(marey_close() == 0);
}

static void record_many(char **arguments) {
    enum { MANY = 200 };
    marey_arg many[MANY];
    char text[4096];
    memset(text, 'x', sizeof text);
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < MANY; i++)
        many[i] = (marey_arg){.name = marey_name_id("number"), .kind = MAREY_KIND_I64, .i64 = i};
    marey__begin_args(marey_name_id("many"), many, MANY);
    marey_end();
    marey_arg array = {
        .name = marey_name_id("array"), .kind = MAREY_KIND_ARRAY, .args = many, .count = MANY};
    marey__begin_args(marey_name_id("array"), &array, 1);
    marey_end();
    for (int i = 0; i < MANY; i++)
        many[i] = (marey_arg){.name = marey_name_id("text"),
                              .kind = MAREY_KIND_TEXT,
                              .text = text,
                              .count = sizeof text};
    marey__begin_args(marey_name_id("much text"), many, MANY);
    marey__end_args(many, MANY);
    many[0].kind = 999;
    marey__begin_args(marey_name_id("unknown kind"), many, 1);
    marey_end();
    marey__begin_args(marey_name_id("none"), NULL, 0);
    marey_end();
    say_losses();
    MUST(marey_close() == 0);
}

static void record_deep(char **arguments) {
    enum { DEEP = 40 };
    marey_arg deep[DEEP];
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < DEEP; i++)
        deep[i] = (marey_arg){.name = marey_name_id("in"),
                              .kind = i % 3 == 2 ? MAREY_KIND_ARRAY : MAREY_KIND_DICT,
                              .args = &deep[i + 1],
                              .count = 1};
    deep[DEEP - 1] =
        (marey_arg){.name = marey_name_id("bottom"), .kind = MAREY_KIND_BOOL, .i64 = 1};
    marey__begin_args(marey_name_id("deep"), deep, 1);
    marey_end();
    marey_begin("shapes", MAREY_DICT("d", MAREY_I64("x", -1), MAREY_ARRAY("a", MAREY_F64("", 0.5))),
                ((marey_arg){.name = marey_name_id("no entries"), .kind = MAREY_KIND_DICT}),
                ((marey_arg){.name = marey_name_id("no items"), .kind = MAREY_KIND_ARRAY}),
                MAREY_U64("u", UINT64_MAX), MAREY_I64("i", INT64_MIN), MAREY_PTR("p", 16),
                MAREY_BOOL("b", 7));
    marey_end();
    MUST(marey_close() == 0);
}

/* A dict of itself, 64 times over: 64 to the power of 16 values. */
static void record_cyclic(char **arguments) {
    enum { WIDE = 64 };
    marey_arg wide[WIDE];
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int i = 0; i < WIDE; i++)
        wide[i] = (marey_arg){.name = marey_name_id("self"),
                              .kind = i % 2 ? MAREY_KIND_DICT : MAREY_KIND_ARRAY,
                              .args = wide,
                              .count = WIDE};
    uint64_t start = now_ns();
    for (int i = 0; i < 10; i++) {
        marey__begin_args(marey_name_id("cyclic"), wide, WIDE);
        marey_end();
    }
    say("ms", (long long)(now_ns() - start) / 1000000);
    say_losses();
    MUST(marey_close() == 0);
}

/* More names than there are numbers for; in two rounds, so that a busy chunk has them all. */
static void record_names(char **arguments) {
    enum { NAMES = MAREY_NAMES_MAX + 1000 };
    char name[32];
    MUST(marey_open(arguments[0], NULL) == 0);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < NAMES; i++) {
            snprintf(name, sizeof name, "n%d", i);
            marey_begin(name);
            marey_end();
        }
    marey_instant("late", MAREY_I64("late argument", 1));
    say_losses();
    MUST(marey_close() == 0);
}

/* Arguments of every size around the room that a chunk has left. */
static void record_widths(char **arguments) {
    enum { WIDEST = 4000 };
    char text[WIDEST];
    memset(text, 'x', sizeof text);
    MUST(marey_open(arguments[0], NULL) == 0);
    for (size_t width = 0; width < WIDEST; width += 7) {
        marey_begin("width", MAREY_STRN("text", text, width));
        marey_end(MAREY_U64("width", width));
    }
    say_losses();
    MUST(marey_close() == 0);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"odd", record_odd},       {"long", record_long},
        {"many", record_many},     {"deep", record_deep},
        {"cyclic", record_cyclic}, {"names", record_names},
        {"widths", record_widths}, {NULL, NULL},
    };
    return run_command(commands, argc, argv);
}
