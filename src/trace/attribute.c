/* See attribute.h. The first few go into the file's second page, where no ring overwrites them; the rest among the events. */
#include "attribute.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "session_inside.h"

enum { KEY_MAX = 128, VALUE_MAX = 700, CLOSING_BYTES = 2 * VARINT_MAX };

struct attribute {
    const char *key;
    const char *text; /* NULL: number */
    int64_t number;
};

static size_t build(uint8_t *buffer, size_t size, const struct attribute *attributes,
                    size_t count) {
    struct pack pack = pack_into(buffer, size);
    uint8_t *packet = pack_open(&pack, TRACE__packet);
    uint8_t *body = pack_open(&pack, PACKET__trace_attributes);
    for (size_t i = 0; i < count; i++) {
        struct pack before = pack;
        uint8_t *entry = pack_open(&pack, TRACE_ATTRIBUTES__attribute);
        pack_text(&pack, ATTRIBUTE__key, attributes[i].key, strlen(attributes[i].key), KEY_MAX);
        if (attributes[i].text)
            pack_text(&pack, ATTRIBUTE__string_value, attributes[i].text,
                      strlen(attributes[i].text), VALUE_MAX);
        else
            pack_varint(&pack, ATTRIBUTE__long_value, (uint64_t)attributes[i].number);
        pack_close(&pack, entry);
        if (pack.full)
            pack = before;
    }
    pack.end += CLOSING_BYTES;
    pack_close(&pack, body);
    pack_close(&pack, packet);
    return (size_t)(pack.at - buffer);
}

static void write_attributes(const struct attribute *attributes, size_t count) {
    uint8_t buffer[ATTRIBUTE_BYTES];
    size_t bytes = build(buffer, sizeof buffer - FILLER_STORE - CLOSING_BYTES, attributes, count);
    if (!marey_recording() || !recording_enter())
        return;
    struct writer *writer = session_writer(bytes);
    if (writer && store_attribute(writer->store, buffer, bytes) != 0)
        writer_commit(writer, buffer, bytes);
    recording_leave();
}

void marey_attribute_text(const char *key, const char *value) {
    if (key && value)
        write_attributes(&(struct attribute){key, value, 0}, 1);
}

void marey_attribute_number(const char *key, int64_t value) {
    if (key)
        write_attributes(&(struct attribute){key, NULL, value}, 1);
}

static void read_command(char *out, size_t size) {
    size_t n = identity_command_line(out, size);
    for (size_t i = 0; i + 1 < n; i++)
        if (out[i] == 0)
            out[i] = ' ';
}

void attributes_of_session(void) {
    char command[VALUE_MAX];
    char system[3 * sizeof((struct utsname *)0)->release];
    struct utsname uname_is;
    read_command(command, sizeof command);
    if (uname(&uname_is) != 0)
        memset(&uname_is, 0, sizeof uname_is);
    snprintf(system, sizeof system, "%s %s %s", uname_is.sysname, uname_is.release,
             uname_is.machine);
    struct attribute attributes[] = {
        {"command", command, 0},
        {"host", uname_is.nodename, 0},
        {"system", system, 0},
        {"marey", MAREY_VERSION, 0},
    };
    write_attributes(attributes, sizeof attributes / sizeof *attributes);
}
