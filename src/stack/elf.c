#define _GNU_SOURCE
#include "stack/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static bool read_at(const struct elf *elf, uint64_t offset, void *into, size_t bytes) {
    if (offset > elf->file_bytes || bytes > elf->file_bytes - offset)
        return false;
    return pread(elf->fd, into, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* A part of the file in memory, with a NUL behind it; NULL where it is none or too long. The caller frees it. */
static char *load(const struct elf *elf, uint64_t offset, uint64_t bytes) {
    if (bytes > ELF_SYMBOL_BYTES_MAX || offset > elf->file_bytes ||
        bytes > elf->file_bytes - offset)
        return NULL;
    char *text = malloc(bytes + 1);
    if (text && !read_at(elf, offset, text, bytes)) {
        free(text);
        return NULL;
    }
    if (text)
        text[bytes] = '\0';
    return text;
}

static bool read_section(const struct elf *elf, int index, Elf64_Shdr *section) {
    if (index < 0 || index >= elf->sections)
        return false;
    return read_at(elf, elf->section_table + (uint64_t)index * sizeof *section, section,
                   sizeof *section);
}

static void read_segments(struct elf *elf, const Elf64_Ehdr *head) {
    for (int i = 0; i < head->e_phnum && elf->segments < ELF_SEGMENTS_MAX; i++) {
        Elf64_Phdr segment;
        if (!read_at(elf, head->e_phoff + (uint64_t)i * sizeof segment, &segment, sizeof segment))
            return;
        if (segment.p_type != PT_LOAD)
            continue;
        elf->segment[elf->segments++] = (struct elf_segment){
            segment.p_offset, segment.p_vaddr, segment.p_memsz, (segment.p_flags & PF_W) != 0};
    }
}

static int read_head(struct elf *elf) {
    Elf64_Ehdr head;
    if (!read_at(elf, 0, &head, sizeof head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB ||
        head.e_phentsize != sizeof(Elf64_Phdr))
        return MAREY_EINVAL;
    read_segments(elf, &head);
    Elf64_Shdr names;
    if (head.e_shentsize != sizeof names || head.e_shnum > ELF_SECTIONS_MAX)
        return 0;
    elf->section_table = head.e_shoff;
    elf->sections = head.e_shnum;
    if (read_section(elf, head.e_shstrndx, &names)) {
        elf->section_names = names.sh_offset;
        elf->section_names_bytes = names.sh_size;
    } else {
        elf->sections = 0;
    }
    return 0;
}

int elf_open(struct elf *elf, const char *path) {
    *elf = (struct elf){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat file;
    if (elf->fd < 0)
        return error_from_errno(errno);
    int error = MAREY_EINVAL;
    if (fstat(elf->fd, &file) == 0 && S_ISREG(file.st_mode)) {
        elf->file_bytes = (uint64_t)file.st_size;
        error = read_head(elf);
    }
    if (error)
        elf_close(elf);
    return error;
}

void elf_close(struct elf *elf) {
    if (elf->fd >= 0)
        close(elf->fd);
    elf->fd = -1;
}

/* The address of `name` in one table of symbols, or 0. */
static uint64_t symbol_in(const struct elf *elf, const Elf64_Shdr *table, const char *name) {
    Elf64_Shdr text;
    uint64_t address = 0;
    if (!read_section(elf, (int)table->sh_link, &text))
        return 0;
    char *names = load(elf, text.sh_offset, text.sh_size);
    char *symbols = load(elf, table->sh_offset, table->sh_size);
    for (uint64_t i = 0; names && symbols && i < table->sh_size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym symbol;
        memcpy(&symbol, symbols + i * sizeof symbol, sizeof symbol);
        if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < text.sh_size &&
            strcmp(names + symbol.st_name, name) == 0) {
            address = symbol.st_value;
            break;
        }
    }
    free(names);
    free(symbols);
    return address;
}

uint64_t elf_symbol(const struct elf *elf, const char *name) {
    static const uint32_t kinds[] = {SHT_DYNSYM, SHT_SYMTAB};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (int i = 0; i < elf->sections; i++) {
            Elf64_Shdr section;
            if (!read_section(elf, i, &section) || section.sh_type != kinds[kind])
                continue;
            uint64_t address = symbol_in(elf, &section, name);
            if (address)
                return address;
        }
    return 0;
}

uint64_t elf_section(const struct elf *elf, const char *name) {
    char *names = load(elf, elf->section_names, elf->section_names_bytes);
    uint64_t address = 0;
    for (int i = 0; names && !address && i < elf->sections; i++) {
        Elf64_Shdr section;
        if (read_section(elf, i, &section) && section.sh_name < elf->section_names_bytes &&
            strcmp(names + section.sh_name, name) == 0)
            address = section.sh_addr;
    }
    free(names);
    return address;
}

int elf_bias(const struct elf *elf, uint64_t offset, uint64_t start, uint64_t *bias) {
    uint64_t page = ~(uint64_t)(sysconf(_SC_PAGESIZE) - 1);
    for (int i = 0; i < elf->segments; i++)
        if ((elf->segment[i].offset & page) == offset) {
            *bias = start - (elf->segment[i].address & page);
            return 0;
        }
    return MAREY_EINVAL;
}
