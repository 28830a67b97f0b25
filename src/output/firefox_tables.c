/* See firefox.h: stacks, and the tables that they are made of. Stacks, frames and functions keep the places that they have
 * in the trace (but for the empty stack, which there is none of). */
#include "output/firefox.h"

static void put_stacks(struct firefox *writer) {
    const struct samples *samples = &writer->trace->reader.samples;
    uint32_t count = samples->stack_count ? samples->stack_count - 1 : 0;
    fprintf(writer->to, "\"stackTable\":{\"length\":%u", count);
    column_begin(writer, "frame");
    for (uint32_t i = 0; i < count; i++)
        column_integer(writer, i, samples->stacks[i + 1].frame);
    column_end(writer);
    column_begin(writer, "prefix");
    for (uint32_t i = 0; i < count; i++)
        if (samples->stacks[i + 1].parent)
            column_integer(writer, i, samples->stacks[i + 1].parent - 1);
        else
            column_null(writer, i);
    column_end(writer);
    fputs("}", writer->to);
}

/* A column that is the same in each row. */
static void put_same(struct firefox *writer, const char *name, uint32_t count, const char *value) {
    column_begin(writer, name);
    for (uint32_t i = 0; i < count; i++)
        column_put(writer, i, value, strlen(value));
    column_end(writer);
}

static int64_t category_of(const struct samples *samples, uint32_t frame) {
    static const uint8_t categories[] = {[SAMPLE_PYTHON] = FIREFOX_PYTHON,
                                         [SAMPLE_NATIVE] = FIREFOX_NATIVE,
                                         [SAMPLE_GC] = FIREFOX_GC,
                                         [SAMPLE_TASK] = FIREFOX_TASK};
    uint8_t kind = samples->functions[samples->frames[frame].function].kind;
    return kind < sizeof categories ? categories[kind] : FIREFOX_OTHER;
}

/* A line, where it is known. */
static void put_line(struct firefox *writer, uint32_t row, int32_t line) {
    if (line > 0)
        column_integer(writer, row, line);
    else
        column_null(writer, row);
}

static void put_frames(struct firefox *writer) {
    const struct samples *samples = &writer->trace->reader.samples;
    uint32_t count = samples->frame_count;
    fprintf(writer->to, ",\n\"frameTable\":{\"length\":%u", count);
    column_begin(writer, "func");
    for (uint32_t i = 0; i < count; i++)
        column_integer(writer, i, samples->frames[i].function);
    column_end(writer);
    column_begin(writer, "line");
    for (uint32_t i = 0; i < count; i++)
        put_line(writer, i, samples->frames[i].line);
    column_end(writer);
    column_begin(writer, "category");
    for (uint32_t i = 0; i < count; i++)
        column_integer(writer, i, category_of(samples, i));
    column_end(writer);
    put_same(writer, "subcategory", count, "0");
    put_same(writer, "address", count, "-1");
    put_same(writer, "inlineDepth", count, "0");
    put_same(writer, "nativeSymbol", count, "null");
    put_same(writer, "innerWindowID", count, "0");
    put_same(writer, "column", count, "null");
    fputs("}", writer->to);
}

static void put_functions(struct firefox *writer) {
    const struct samples *samples = &writer->trace->reader.samples;
    uint32_t count = samples->function_count;
    fprintf(writer->to, ",\n\"funcTable\":{\"length\":%u", count);
    column_begin(writer, "name");
    for (uint32_t i = 0; i < count; i++)
        column_integer(writer, i, firefox_place(&writer->strings, samples->functions[i].name));
    column_end(writer);
    column_begin(writer, "source");
    for (uint32_t i = 0; i < count; i++)
        if (samples->functions[i].file)
            column_integer(writer, i, firefox_place(&writer->sources, samples->functions[i].file));
        else
            column_null(writer, i);
    column_end(writer);
    column_begin(writer, "lineNumber");
    for (uint32_t i = 0; i < count; i++)
        put_line(writer, i, samples->functions[i].first_line);
    column_end(writer);
    put_same(writer, "isJS", count, "false");
    put_same(writer, "relevantForJS", count, "false");
    put_same(writer, "resource", count, "-1");
    put_same(writer, "columnNumber", count, "null");
    fputs("}", writer->to);
}

static void put_sources(struct firefox *writer) {
    uint32_t count = writer->sources.count;
    fprintf(writer->to, ",\n\"sources\":{\"length\":%u", count);
    put_same(writer, "uuid", count, "null");
    column_begin(writer, "filename");
    for (uint32_t i = 0; i < count; i++)
        column_integer(writer, i, firefox_place(&writer->strings, writer->sources.all[i]));
    column_end(writer);
    fputs("}", writer->to);
}

static void put_strings(struct firefox *writer) {
    column_begin(writer, "stringArray");
    for (uint32_t i = 0; i < writer->strings.count; i++) {
        fputs(i ? ",\n" : "\n", writer->to);
        json_put_text(writer->to, trace_text(writer->trace, writer->strings.all[i]));
    }
    column_end(writer);
}

void firefox_shared(struct firefox *writer) {
    fputs(",\n\"shared\":{", writer->to);
    put_stacks(writer);
    put_frames(writer);
    put_functions(writer);
    put_sources(writer);
    fputs(",\n\"resourceTable\":{\"length\":0,\"lib\":[],\"name\":[],\"host\":[],\"type\":[]}"
          ",\n\"nativeSymbols\":{\"length\":0,\"libIndex\":[],\"address\":[],\"name\":[],"
          "\"functionSize\":[]}",
          writer->to);
    put_strings(writer);
    fputs("}", writer->to);
}
