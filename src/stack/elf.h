/* What the file of a program or library says: where a symbol or a section is, and how the file is laid into memory.
 * The file is another's and may be damaged: sizes are checked against limits, reads are bounded. */
#ifndef MAREY_STACK_ELF_H
#define MAREY_STACK_ELF_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ELF_SEGMENTS_MAX = 64,
    ELF_SECTIONS_MAX = 4096,
    ELF_SYMBOL_BYTES_MAX = 64 << 20, /* of one table, as of its names */
};

struct elf {
    int fd;
    uint64_t file_bytes;
    uint64_t section_table;
    int sections; /* 0 where a stripper took the table away */
    uint64_t section_names, section_names_bytes;
    int segments;
    struct elf_segment {
        uint64_t offset, address, memory_bytes;
        bool writable;
    } segment[ELF_SEGMENTS_MAX];
};

/* Returns 0, or MAREY_ENOENT, MAREY_EACCES, or MAREY_EINVAL where it is no 64-bit little-endian ELF file. */
int elf_open(struct elf *elf, const char *path);
void elf_close(struct elf *elf);

/* The address that the file gives to a symbol (of .dynsym, then .symtab) or to a section; 0 where it has none. */
uint64_t elf_symbol(const struct elf *elf, const char *name);
uint64_t elf_section(const struct elf *elf, const char *name);

/* What to add to the file's addresses where the page at file offset `offset` is mapped at `start`. Returns 0, or
 * MAREY_EINVAL where no segment begins there. */
int elf_bias(const struct elf *elf, uint64_t offset, uint64_t start, uint64_t *bias);

#endif
