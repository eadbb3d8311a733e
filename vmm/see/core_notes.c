/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's structures elf_prstatus and elf_prpsinfo, which are what debuggers read, by offsets: the
 * host's own <sys/procfs.h> has those of one architecture alone.
 */
#include "see/core_notes.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#define NAME      "CORE"
#define NAME_SIZE 8 /* with its NUL, padded to 4 bytes */

#define STATE_LEN 16 /* pr_fname */
#define ARGS_LEN  80 /* pr_psargs */

/* The layout of both structures. */
struct layout {
	size_t status_size, pid, registers;
	size_t info_size, name, args;
};
static const struct layout layouts[] = {
	{144, 24, 72, 124, 28, 44},  /* i386 */
	{336, 32, 112, 136, 40, 56}, /* x86-64 */
};

static size_t note_size(size_t size)
{
	return sizeof(Elf32_Nhdr) + NAME_SIZE + size;
}

size_t core_notes_size(const struct core *core, bool is_wide)
{
	const struct layout *layout = &layouts[is_wide];

	return note_size(layout->info_size) + core->cpu_count * note_size(layout->status_size);
}

/* Begins a note and returns where its content goes. */
static uint8_t *begin_note(uint8_t **notes, uint32_t type, size_t size)
{
	/* ELF files of 64 bits have the same header. */
	const Elf32_Nhdr header = {sizeof NAME, (uint32_t)size, type};
	uint8_t *content = *notes + sizeof header + NAME_SIZE;

	memset(*notes, 0, note_size(size));
	memcpy(*notes, &header, sizeof header);
	memcpy(*notes + sizeof header, NAME, sizeof NAME);
	*notes += note_size(size);
	return content;
}

/* An offset in a segment as a linear address. Where segments are not flat, a debugger would take it
 * for one. */
static uint64_t linear(const struct cpu_segment *segment, uint64_t offset)
{
	return segment->base + offset;
}

/* elf_gregset_t of i386, in its order. */
static void put_narrow(const struct cpu_registers *r, uint8_t *to)
{
	const uint64_t *g = r->general;
	const uint32_t words[] = {
		(uint32_t)g[CPU_RBX],
		(uint32_t)g[CPU_RCX],
		(uint32_t)g[CPU_RDX],
		(uint32_t)g[CPU_RSI],
		(uint32_t)g[CPU_RDI],
		(uint32_t)linear(&r->ss, g[CPU_RBP]),
		(uint32_t)g[CPU_RAX],
		r->ds.selector,
		r->es.selector,
		r->fs.selector,
		r->gs.selector,
		UINT32_MAX, /* orig_eax: it is in no system call */
		(uint32_t)linear(&r->cs, r->rip),
		r->cs.selector,
		(uint32_t)r->rflags,
		(uint32_t)linear(&r->ss, g[CPU_RSP]),
		r->ss.selector,
	};

	memcpy(to, words, sizeof words);
}

/* elf_gregset_t of x86-64, in its order. */
static void put_wide(const struct cpu_registers *r, uint8_t *to)
{
	const uint64_t *g = r->general;
	const uint64_t words[] = {
		g[15],
		g[14],
		g[13],
		g[12],
		linear(&r->ss, g[CPU_RBP]),
		g[CPU_RBX],
		g[11],
		g[10],
		g[9],
		g[CPU_R8],
		g[CPU_RAX],
		g[CPU_RCX],
		g[CPU_RDX],
		g[CPU_RSI],
		g[CPU_RDI],
		UINT64_MAX, /* orig_rax: it is in no system call */
		linear(&r->cs, r->rip),
		r->cs.selector,
		r->rflags,
		linear(&r->ss, g[CPU_RSP]),
		r->ss.selector,
		r->fs.base,
		r->gs.base,
		r->ds.selector,
		r->es.selector,
		r->fs.selector,
		r->gs.selector,
	};

	memcpy(to, words, sizeof words);
}

static void put_info(const struct core *core, const struct layout *layout, uint8_t *content)
{
	const char *slash = strrchr(core->kernel, '/');
	char name[STATE_LEN], args[ARGS_LEN];

	snprintf(name, sizeof name, "%s", slash ? slash + 1 : core->kernel);
	snprintf(args, sizeof args, "%s%s%s", core->kernel, core->cmdline[0] ? " " : "",
		core->cmdline);
	memcpy(content + layout->name, name, strlen(name));
	memcpy(content + layout->args, args, strlen(args));
}

void core_notes_put(const struct core *core, bool is_wide, uint8_t *notes)
{
	const struct layout *layout = &layouts[is_wide];

	put_info(core, layout, begin_note(&notes, NT_PRPSINFO, layout->info_size));
	for (unsigned i = 0; i < core->cpu_count; i++) {
		const struct core_cpu *cpu = &core->cpus[i];
		uint8_t *content = begin_note(&notes, NT_PRSTATUS, layout->status_size);
		uint32_t pid = cpu->id + 1;

		memcpy(content + layout->pid, &pid, sizeof pid);
		if (is_wide)
			put_wide(&cpu->registers, content + layout->registers);
		else
			put_narrow(&cpu->registers, content + layout->registers);
	}
}
