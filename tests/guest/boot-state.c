/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at the state that the boot protocol promises (spec/boot.md), with an entry point of its
 * own. The command line is to be "one two". Exit status 0.
 */

#include "check.h"
#include "memory.h"
#include "x86.h"

struct seen {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp, eflags;
	uint32_t cs, ds, es, fs, gs, ss, cr0, cr4;
	uint32_t return_address, argument;
};

extern struct seen seen;
struct seen seen;

/* Every register as it was, then the usual start. */
__asm__(".text\n"
	".globl entry\n"
	"entry:\n"
	"	movl %eax, seen\n"
	"	movl %ebx, seen + 4\n"
	"	movl %ecx, seen + 8\n"
	"	movl %edx, seen + 12\n"
	"	movl %esi, seen + 16\n"
	"	movl %edi, seen + 20\n"
	"	movl %ebp, seen + 24\n"
	"	movl %esp, seen + 28\n"
	"	pushfl\n"
	"	popl seen + 32\n"
	"	movl %cs, %eax\n"
	"	movl %eax, seen + 36\n"
	"	movl %ds, %eax\n"
	"	movl %eax, seen + 40\n"
	"	movl %es, %eax\n"
	"	movl %eax, seen + 44\n"
	"	movl %fs, %eax\n"
	"	movl %eax, seen + 48\n"
	"	movl %gs, %eax\n"
	"	movl %eax, seen + 52\n"
	"	movl %ss, %eax\n"
	"	movl %eax, seen + 56\n"
	"	movl %cr0, %eax\n"
	"	movl %eax, seen + 60\n"
	"	movl %cr4, %eax\n"
	"	movl %eax, seen + 64\n"
	"	movl (%esp), %eax\n"
	"	movl %eax, seen + 68\n"
	"	movl 4(%esp), %eax\n"
	"	movl %eax, seen + 72\n"
	"	jmp start\n");

static void check_registers(const struct start_info *info)
{
	check(seen.eax == VOLE_BOOT_MAGIC, "EAX is 0x%x", seen.eax);
	check(seen.ebx == (uint32_t)info, "EBX is 0x%x", seen.ebx);
	check(seen.argument == (uint32_t)info, "the argument is 0x%x", seen.argument);
	check((seen.ecx | seen.edx | seen.esi | seen.edi | seen.ebp) == 0, "the others are 0");
	check(seen.eflags == 0x2, "EFLAGS is 0x%x", seen.eflags);
	check(seen.cs == VOLE_SELECTOR_CODE, "CS is 0x%x", seen.cs);
	check(seen.ds == VOLE_SELECTOR_DATA && seen.es == VOLE_SELECTOR_DATA &&
			seen.fs == VOLE_SELECTOR_DATA && seen.gs == VOLE_SELECTOR_DATA &&
			seen.ss == VOLE_SELECTOR_DATA,
		"the data segments are 0x%x", VOLE_SELECTOR_DATA);
	check(seen.cr0 == 0x11, "CR0 is 0x%x", seen.cr0);
	check(seen.cr4 == 0, "CR4 is 0x%x", seen.cr4);
	check((seen.esp + 4) % 16 == 0, "ESP is 0x%x", seen.esp);
}

/* The GDT is really there: segment registers can be loaded from it. */
static void check_gdt(void)
{
	uint32_t stack;

	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; movl %0, %%gs; movl %0, %%ss"
			 :
			 : "r"(VOLE_SELECTOR_DATA)
			 : "memory");
	__asm__ volatile("ljmp %1, $1f; 1: movl %%esp, %0" : "=r"(stack) : "i"(VOLE_SELECTOR_CODE));
	check(stack < VOLE_BOOT_DATA_END, "the stack is 0x%x", stack);
}

static const struct memory_map_entry *entry_of(const struct start_info *info, uint32_t address)
{
	for (uint32_t i = 0; i < info->mem_size; i++) {
		const struct memory_map_entry *entry = &info_memory(info)[i];

		if (address - entry->base < entry->size)
			return entry;
	}
	return NULL;
}

static bool is_read_only(const struct start_info *info, uint32_t address)
{
	const struct memory_map_entry *entry = entry_of(info, address);

	check(entry, "0x%x is in the memory map", address);
	return entry && entry->flags & VOLE_MEMORY_READ_ONLY;
}

static void check_memory_map(const struct start_info *info)
{
	static uint32_t variable;
	static const uint32_t constant = 1;
	uint32_t end = PAGE_SIZE;

	for (uint32_t i = 0; i < info->mem_size; i++) {
		const struct memory_map_entry *entry = &info_memory(info)[i];

		check(entry->base == end, "entry %u begins where the last one ended", i);
		check(entry->size, "entry %u is not empty", i);
		check((entry->base | entry->size) % PAGE_SIZE == 0, "entry %u is pages", i);
		check(entry->use <= VOLE_MEMORY_INIT, "entry %u has a known use", i);
		end = entry->base + entry->size;
	}
	printf("RAM ends at 0x%x\n", end);
	check(!entry_of(info, 0), "page 0 is not in the memory map");
	check(is_read_only(info, (uint32_t)info), "start_info is read-only");
	check(!is_read_only(info, seen.esp), "the stack can be written");
	check(is_read_only(info, (uint32_t)main), "code is read-only");
	check(is_read_only(info, (uint32_t)&constant), "constants are read-only");
	check(!is_read_only(info, (uint32_t)&variable), "variables can be written");
	check(variable == 0, "and are 0");
	check(entry_of(info, (uint32_t)main)->use == VOLE_MEMORY_KERNEL, "code is the kernel's");
}

/* Below the stack is a page that nobody can write. */
static void check_stack_guard(const struct start_info *info)
{
	uint32_t page = seen.esp & ~(PAGE_SIZE - 1);
	uint32_t pages = 1;

	while (page && !is_read_only(info, page - PAGE_SIZE)) {
		page -= PAGE_SIZE;
		pages++;
	}
	check(pages == 4, "the stack has %u pages", pages);
	check(page, "something read-only lies below it");
}

static void check_words(const struct start_info *info)
{
	check(info->size >= sizeof(*info), "size is %u", info->size);
	check(info->cpu_count >= 1, "there is a CPU");
	check(info->apic_timer_khz, "the APIC timer has a frequency");
	check(read32(info->apic_base + 0x20) >> 24 == 0, "the boot CPU is CPU 0");
	check(strcmp(info_cmdline(info), "one two") == 0, "the command line is \"%s\"",
		info_cmdline(info));
	for (uint32_t i = 0; i < info->dev_size; i++)
		check(mmio_probe(&info_devices(info)[i]) != VIRTIO_ID_NONE, "device %u is one", i);
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid id;

	__asm__("cpuid"
		: "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
		: "a"(leaf), "c"(0));
	return id;
}

/* Leaf 0x40000000 names what executes this code, "KVMKVMKVM" or "volevolevole". Leaf 0x40000001
 * is what KVM offers beside the processor: of it, bits 7, 11, 13 and 16 are used by vmcall, which
 * not every KVM completes. */
static void check_cpuid(const struct start_info *info)
{
	struct cpuid who = cpuid(0x40000000);
	uint32_t eax = cpuid(0x40000001).eax;

	check(cpuid(1).ecx >> 31 == 1, "the hypervisor bit is set");
	if (who.ebx == 0x656c6f76) {
		check(who.ecx == 0x656c6f76 && who.edx == 0x656c6f76,
			"the software CPU names itself");
		check(cpuid(0x40000010).eax == info->tsc_khz &&
				cpuid(0x40000010).ebx == info->apic_timer_khz,
			"and tells the frequencies that start_info has");
		return;
	}
	check(eax != 0, "KVM's clock is offered");
	check((eax & 0x12880) == 0, "no hypercalls: CPUID 0x40000001 says 0x%x", eax);
}

int main(const struct start_info *info)
{
	check_registers(info);
	check_cpuid(info);
	check_gdt();
	check_memory_map(info);
	check_stack_guard(info);
	check_words(info);
	return check_done();
}
