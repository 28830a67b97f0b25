#include "stack_image.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "marey.h"

static int read_image(struct memory *memory, const struct piece *pieces, int count) {
    struct image *image = memory->image;
    for (int i = 0; i < count; i++) {
        uint64_t at = pieces[i].address - IMAGE_BASE;
        if (image->before_piece)
            image->before_piece(image, pieces[i].address);
        image->pieces++;
        if (at > IMAGE_BYTES || pieces[i].bytes > IMAGE_BYTES - at)
            return MAREY_EADDRESS;
        memcpy(pieces[i].into, image->bytes + at, pieces[i].bytes);
    }
    return 0;
}

void image_set64(struct image *image, uint64_t address, uint64_t value) {
    memcpy(image->bytes + (address - IMAGE_BASE), &value, sizeof value);
}

void image_set32(struct image *image, uint64_t address, uint32_t value) {
    memcpy(image->bytes + (address - IMAGE_BASE), &value, sizeof value);
}

uint64_t image_get64(const struct image *image, uint64_t address) {
    uint64_t value;
    memcpy(&value, image->bytes + (address - IMAGE_BASE), sizeof value);
    return value;
}

void image_init(struct image *image) {
    const struct layout *l = layout_table(0x030c);
    memset(image, 0, sizeof *image);
    image->process.memory =
        (struct memory){.pid = getpid(), .fd = -1, .read = read_image, .image = image};
    image->process.runtime = IMAGE_RUNTIME;
    image_set64(image, IMAGE_RUNTIME + l->runtime_interpreters, IMAGE_INTERP);
    image_set64(image, IMAGE_INTERP + l->interp_threads, IMAGE_THREAD);
    image_set64(image, IMAGE_THREAD + l->thread_interp, IMAGE_INTERP);
    image_set64(image, IMAGE_THREAD + l->thread_native_id, (uint64_t)getpid());
    image_set64(image, IMAGE_THREAD + l->thread_frame, IMAGE_CFRAME);
    image_set64(image, IMAGE_SHIM + l->frame_code, IMAGE_SHIM_CODE);
    image->bytes[IMAGE_SHIM - IMAGE_BASE + l->frame_owner] = 3;
}

static void write_str(struct image *image, uint64_t address, const char *text) {
    const struct layout *l = layout_table(0x030c);
    image_set64(image, address + l->object_type, IMAGE_TYPE);
    image_set64(image, address + l->str_length, strlen(text));
    image_set32(image, address + l->str_state, 1 << 2 | 1 << 5 | 1 << 6);
    memcpy(image->bytes + (address - IMAGE_BASE) + l->str_ascii_data, text, strlen(text));
}

uint64_t image_code_at(int number) {
    return IMAGE_CODES + (uint64_t)number * IMAGE_CODE_BYTES;
}

uint64_t image_code(struct image *image, int number) {
    const struct layout *l = layout_table(0x030c);
    uint64_t code = image_code_at(number), name = code + 0x100, file = code + 0x180;
    uint64_t lines = code + 0x200;
    char text[32];
    snprintf(text, sizeof text, "function%d", number);
    write_str(image, name, text);
    snprintf(text, sizeof text, "file%d.py", number);
    write_str(image, file, text);
    image_set64(image, code + l->code_qualname, name);
    image_set64(image, code + l->code_name, name);
    image_set64(image, code + l->code_filename, file);
    image_set64(image, code + l->code_lines, lines);
    image_set32(image, code + l->code_first_line, (uint32_t)(10 * number));
    image_set32(image, code + l->code_first_line + 8, IMAGE_FRAME_BYTES / 8); /* co_framesize */
    image_set64(image, code + l->code_units, 4);
    /* Two instructions of the first line, two of the next: no columns, 2 units, the line's difference times 2. */
    const uint8_t table[] = {0x80 | 13 << 3 | 1, 0, 0x80 | 13 << 3 | 1, 2};
    image_set64(image, lines + l->bytes_length, sizeof table);
    memcpy(image->bytes + (lines - IMAGE_BASE) + l->bytes_data, table, sizeof table);
    return code;
}

uint64_t image_frame(struct image *image, int number, int code, int instruction, bool runs) {
    const struct layout *l = layout_table(0x030c);
    uint64_t frame = IMAGE_FRAMES + (uint64_t)number * IMAGE_FRAME_BYTES;
    image_set64(image, frame + l->frame_previous, number ? frame - IMAGE_FRAME_BYTES : IMAGE_SHIM);
    image_set64(image, frame + l->frame_code, image_code_at(code));
    image_set64(image, frame + l->frame_instr,
                image_code_at(code) + l->code_instr + 2 * (uint64_t)instruction);
    image_set32(image, frame + l->frame_live, runs ? UINT32_MAX : 3);
    image->bytes[frame - IMAGE_BASE + l->frame_owner] = 0;
    return frame;
}

void image_top(struct image *image, uint64_t frame) {
    image_set64(image, IMAGE_CFRAME + layout_table(0x030c)->cframe_frame, frame);
}
