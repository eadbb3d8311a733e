/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the image of a Multiboot kernel goes, how it is entered, and where there is no room. */
#include <stdlib.h>
#include <unistd.h>

#include "../multiboot_fixture.h"

#define HIGHER 0xc0100000u /* where a kernel for the higher half is linked */

static void test_entry(void)
{
	uint32_t offset = 0;

	header1(0);
	put_file();
	is(load(), 0, "an ELF file with a header is loaded");
	is(boot->state.mode, ENTRY_FLAT32, "MB1 3.2: flat protected mode");
	is(boot->state.eip, BASE + 0x10, "at the ELF entry point");
	is(boot->state.eax, 0x2badb002, "MB1 3.2: EAX");
	is(boot->state.code_selector, 0x08, "CS as kernels without a far jump need it");
	is(boot->state.esp, 0x2000, "a stack, below all that an image can take");
	is(boot->state.idt_limit, 256 * 8 - 1, "an IDT with all vectors");
	is(word(boot->exception_stubs + 4 * 14, 2), 0xfce6, "whose stubs report an exception");
	is(word(boot->state.gdt_base + 0x08, 8), 0x00cf9b000000ffff, "MB1 3.2: flat code");
	is(word(boot->state.gdt_base + 0x10, 8), 0x00cf93000000ffff, "MB1 3.2: flat data");
	is(word(BASE + CODE_LEN - 1, 2), 0x90, "its segment is there, with zeros behind it");
	ok(strcmp(boot->protocol->symbol(boot, BASE + 0x10, &offset), "kernel_main") == 0,
		"crashes in it have names");
	is(offset, 8, "and offsets");
	unload();

	header1(0);
	file.elf.segment.p_vaddr = HIGHER;
	file.elf.elf.e_entry = HIGHER + 0x10;
	put_file();
	is(load(), 0, "a kernel for the higher half whose entry point is virtual");
	is(boot->state.eip, BASE + 0x10, "is entered at the physical address");
	unload();

	header2(3, 12, BASE + 0x20, 0, 0, 8);
	put_file();
	is(load(), 0, "MB2 3.1.6: an entry address tag");
	is(boot->state.eip, BASE + 0x20, "MB2 3.1.6: replaces the ELF entry point");
	is(boot->state.eax, 0x36d76289, "MB2 3.3: EAX");
	unload();
	header2(3, 12, BASE + CODE_LEN + BSS_LEN, 0, 0, 8);
	refused("entry address 0x103000", "MB2 3.1.6: an entry address in no segment");
	header1(0);
	file.elf.elf.e_entry = BASE + CODE_LEN + BSS_LEN;
	refused("entry point 0x103000 is in no loadable segment", "an entry point in no segment");
}

static void test_relocation(void)
{
	header2(10, 24, 0x200000, 0xffffffff, 0x10000, 1, 0, 8);
	put_file();
	is(load(), 0, "MB2 3.1.13: an image that is moved");
	is(boot->state.eip, 0x200010, "MB2 3.1.13: to the lowest place");
	is(word(0x200000, 1), 0x90, "MB2 3.1.13: where its code is");
	unload();
	header2(10, 24, BASE, 0xffffffff, 0x1000, 1, 0, 8);
	put_file();
	is(load(), 0, "MB2 3.1.13: an image that is good where it is");
	is(boot->state.eip, BASE + 0x10, "MB2 3.1.13: stays there");
	unload();
}

/* A segment at this physical address: is it loaded? */
static bool loads_at(uint32_t address)
{
	bool loads;

	header1(0);
	file.elf.segment.p_paddr = address;
	file.elf.segment.p_vaddr = address;
	file.elf.elf.e_entry = address;
	put_file();
	capture_begin();
	loads = load() == 0;
	capture_end();
	if (loads)
		loads = word(address + HEADER, 4) == MAGIC1 && word(boot->state.ebx + 64, 4) != 0;
	unload();
	return loads;
}

static void test_memory(void)
{
	ok(!loads_at(0x1fff), "an image over the first stack is refused");
	ok(loads_at(0x2000), "one below 1 MiB is loaded");
	ok(loads_at(0xf000), "also over where the boot information would be");
	ok(loads_at(0x9f000 - CODE_LEN - BSS_LEN), "up to the MP table");
	ok(!loads_at(0x9f000 - CODE_LEN - BSS_LEN + 1), "but not over it");
	ok(!loads_at(0xa0000), "nor over video memory");
	ok(!loads_at(0xe1000), "nor, if it is writable, where firmware would be");
	ok(loads_at((16u << 20) - CODE_LEN - BSS_LEN - 0x1000), "one near the end of RAM");
	ok(!loads_at((16u << 20) - CODE_LEN - BSS_LEN), "if its symbols fit behind it");
	header1(0);
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = 0xfd000;
	file.elf.segment.p_flags = PF_R;
	file.elf.elf.e_entry = 0xfd000;
	takes("multiboot", "ELF headers may be in read-only memory below 1 MiB");
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = file.elf.elf.e_entry = 0xe0000;
	takes("", "but not over GDT and IDT");
	file.elf.segment.p_paddr = file.elf.segment.p_vaddr = file.elf.elf.e_entry = 0xfd000;
	file.elf.sections[2].sh_size = 0xffffffff;
	refused("truncated: section 2", "a section that is not in the file");
	header1(0);
	file.elf.elf.e_shnum = 100;
	refused("truncated: the section headers end at", "section headers that are cut");
	header1(0);
	file.elf.elf.e_shentsize = 39;
	refused("section headers of 39 bytes", "section headers of another size");
	header1(0);
	put_file();
	options.memory_size = 1u << 20;
	boot_refuses(&options, 125, "too small: --boot multiboot", "1 MiB of RAM");
}

int main(void)
{
	close(mkstemp(kernel_path));
	test_entry();
	test_relocation();
	test_memory();
	unlink(kernel_path);
	return tap_done();
}
