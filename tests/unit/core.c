/* SPDX-License-Identifier: BSD-2-Clause */
/* Core files, byte by byte, where a debugger needs a processor that the other tests do not have. */
#include "see/core.h"
#include "cpu/register_bits.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fake_cpu.h"
#include "../tap.h"

#define PAGE 0x1000u

/* Of elf_prstatus, x86-64: where pr_pid is, and the registers RIP and RSP. */
#define PID 32
#define RIP (112 + 8 * 16)
#define RSP (112 + 8 * 19)

static struct fake_cpu fake;
static uint8_t file[2 * FAKE_RAM_SIZE];

/* Writes a core file of two CPUs and reads it. Returns what core_write() does. */
static int write_core(int fd, struct core_cpu cpus[2])
{
	const struct core core = {
		.kernel = "folder/k.elf",
		.cmdline = "one two",
		.gmem = &fake.gmem,
		.cpu_count = 2,
		.cpus = cpus,
	};
	bool is_cut = true;
	int ret = core_write(fd, &core, &is_cut);

	ok(!is_cut, "no ranges are missing");
	memset(file, 0, sizeof file);
	ok(pread(fd, file, sizeof file, 0) >= 0, "the file can be read");
	return ret;
}

static uint64_t word_at(size_t offset)
{
	uint64_t word;

	memcpy(&word, file + offset, sizeof word);
	return word;
}

static void test_wide(int fd)
{
	struct core_cpu cpus[2] = {{.id = 1}, {.id = 0}};
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(file + sizeof *header);
	size_t status;

	fake_cpu_init(&fake);
	fake_bytes(&fake, 0x9000, "text", 5);
	fake_word64(&fake, 0x1000 + 8 * 511, 0x2007);
	fake_word64(&fake, 0x2000 + 8 * 510, 0x3007);
	fake_word64(&fake, 0x3000, 0x4007);
	fake_word64(&fake, 0x4000 + 8 * 8, 0x9007);
	cpus[0].registers = (struct cpu_registers){.cr0 = 0x80000001,
		.cr3 = 0x1000,
		.cr4 = 0x20,
		.efer = X86_EFER_LMA,
		.rip = UINT64_C(0xffffffff80008123),
		.general[CPU_RSP] = UINT64_C(0xffffffff80009000)};
	is(write_core(fd, cpus), 0, "a machine whose CPU is in long mode");
	is(header->e_ident[EI_CLASS], ELFCLASS64, "64 bits");
	is(header->e_machine, EM_X86_64, "x86-64");
	is(header->e_type, ET_CORE, "a core file");
	is(header->e_phnum, 3, "notes, a linear range, RAM");
	is(segments[1].p_vaddr, UINT64_C(0xffffffff80008000), "the range's linear address");
	is(segments[1].p_paddr, 0x9000, "and its physical one");
	ok(strcmp((char *)file + segments[1].p_offset, "text") == 0, "its bytes");
	is(segments[2].p_vaddr, 0, "RAM is where it is");
	is(segments[1].p_offset, segments[2].p_offset + 0x9000, "and has the same bytes");

	ok(strcmp((char *)file + segments[0].p_offset + 20 + 40, "k.elf") == 0,
		"the kernel's name");
	ok(strcmp((char *)file + segments[0].p_offset + 20 + 56, "folder/k.elf one two") == 0,
		"its command line");
	status = segments[0].p_offset + 20 + 136 + 20;
	is((uint32_t)word_at(status + PID), 2, "CPU 1 comes first, as it was asked for");
	is(word_at(status + RIP), UINT64_C(0xffffffff80008123), "RIP");
	is(word_at(status + RSP), UINT64_C(0xffffffff80009000), "RSP");
	is((uint32_t)word_at(status + 336 + 20 + PID), 1, "then CPU 0");
}

static void test_real_mode(int fd)
{
	struct core_cpu cpus[2] = {{.id = 0}, {.id = 1}};
	const Elf32_Phdr *segments = (const Elf32_Phdr *)(file + sizeof(Elf32_Ehdr));
	size_t registers;

	fake_cpu_init(&fake);
	cpus[0].registers = (struct cpu_registers){.cs = {.selector = 0x800, .base = 0x8000},
		.ss = {.selector = 0x900, .base = 0x9000},
		.rip = 0x10,
		.general[CPU_RSP] = 0x20};
	is(write_core(fd, cpus), 0, "a CPU in real mode");
	is(file[EI_CLASS], ELFCLASS32, "32 bits");
	registers = segments[0].p_offset + 20 + 124 + 20 + 72;
	is((uint32_t)word_at(registers + 4 * 12), 0x8010, "EIP is a linear address");
	is((uint32_t)word_at(registers + 4 * 15), 0x9020, "so is ESP");
	is((uint16_t)word_at(registers + 4 * 13), 0x800, "CS");
}

static void test_errors(int fd)
{
	struct core_cpu cpus[2] = {{.id = 0}, {.id = 1}};
	struct stat st;

	fake_cpu_init(&fake);
	fake_bytes(&fake, 0x1ffff, "x", 1);
	is(ftruncate(fd, PAGE), 0, "a file as long as a page");
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0, "which cannot grow");
	is(-write_core(fd, cpus), EPERM, "the host's error");
	ok(fstat(fd, &st) == 0 && st.st_size == 0, "and an empty file");
}

int main(void)
{
	int fd = memfd_create("core", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	test_wide(fd);
	test_real_mode(fd);
	test_errors(fd);
	close(fd);
	return tap_done();
}
