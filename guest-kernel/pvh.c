/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A start_info for kernels that a loader starts by PVH, made of what such a loader tells: memory by
 * hvm_start_info, virtio devices by the command line, as Linux takes them:
 *
 *	virtio_mmio.device=512@0xfeb00e00:12
 *
 * There is one CPU, since nothing tells of others. Modules are not handed on.
 */
#include <stddef.h>

#include <vole/machine.h>
#include <vole/ports.h>
#include <vole/start_info.h>

#include "memory.h"
#include "power.h"
#include "printf.h"
#include "start.h"
#include "string.h"
#include "x86.h"

/* xen/include/public/arch-x86/hvm/start_info.h of Xen 4.17 */
#define HVM_MAGIC      0x336ec578
#define HVM_MEMORY_RAM 1

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
	uint64_t memmap_paddr; /* from version 1 on */
	uint32_t memmap_entries, reserved;
};

struct hvm_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

/* Mask registers of a PC's two interrupt controllers (Intel 8259A). They would deliver the devices'
 * interrupts beside the IOAPIC, with the vectors of exceptions. */
#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK  0xa1

/* The keyboard controller of a PC resets the machine: Firecracker ends so (IBM PC AT). */
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe

static const char device_word[] = "virtio_mmio.device=";

static struct memory_map_entry memory[VOLE_MEMORY_MAP_MAX];
static struct device_map_entry devices[VOLE_DEVICE_COUNT];
static char cmdline[VOLE_CMDLINE_MAX];
static struct start_info info = {
	/* Where every PC has them. */
	.ioapic_base = VOLE_IOAPIC_BASE,
	.apic_base = VOLE_APIC_BASE,
	.mem_entries = (uint32_t)memory,
	.dev_entries = (uint32_t)devices,
	.size = sizeof info,
	.cpu_count = 1,
	.tsc_khz = 0,                          /* nothing tells */
	.apic_timer_khz = VOLE_APIC_TIMER_KHZ, /* QEMU's and KVM's count nanoseconds, too */
	.cmdline = (uint32_t)cmdline,
};

extern const char kernel_end[]; /* kernel.lds */

void pvh_main(const struct hvm_start_info *hvm) __attribute__((noreturn));

static void end(uint32_t code) __attribute__((noreturn));
static void end(uint32_t code)
{
	out32(VOLE_PORT_EXIT, code);
	out8(KEYBOARD_COMMAND, KEYBOARD_RESET); /* this machine has no exit port */
	halt_forever();
}

/* --- devices ---------------------------------------------------------------------------------- */

/* Reads a number, hexadecimal with 0x, and moves *text behind it. */
static uint64_t number(const char **text)
{
	bool is_hex = (*text)[0] == '0' && ((*text)[1] | 0x20) == 'x';
	uint64_t value = 0;

	for (*text += is_hex ? 2 : 0;; ++*text) {
		unsigned char c = (unsigned char)**text;

		if (c >= '0' && c <= '9')
			value = value * (is_hex ? 16 : 10) + (c - '0');
		else if (is_hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return value;
	}
}

/* Adds the device that a word describes: SIZE@ADDRESS:INTERRUPT. */
static void add_device(const char *word)
{
	uint64_t base, interrupt;

	while (*word && *word != ' ' && *word != '@')
		word++;
	if (*word++ != '@' || info.dev_size == VOLE_DEVICE_COUNT)
		return;
	base = number(&word);
	if (*word++ != ':')
		return;
	interrupt = number(&word);
	if (base <= UINT32_MAX && interrupt < VOLE_IOAPIC_PINS)
		devices[info.dev_size++] =
			(struct device_map_entry){(uint32_t)base, (uint32_t)interrupt};
}

/* Takes the devices out of the command line; the other words are the kernel's own. */
static void read_cmdline(const char *text)
{
	size_t len = 0;

	while (*text) {
		const char *word = text;
		size_t word_len;

		while (*text && *text != ' ')
			text++;
		word_len = (size_t)(text - word);
		while (*text == ' ')
			text++;
		if (word_len >= sizeof device_word - 1 &&
			memcmp(word, device_word, sizeof device_word - 1) == 0) {
			add_device(word);
		} else if (len + word_len + 2 <= sizeof cmdline) {
			if (len)
				cmdline[len++] = ' ';
			memcpy(cmdline + len, word, word_len);
			len += word_len;
		}
	}
	cmdline[len] = '\0';
}

/* --- memory ----------------------------------------------------------------------------------- */

static void add_memory(uint64_t begin, uint64_t end, uint32_t use)
{
	if (begin < end && info.mem_size < VOLE_MEMORY_MAP_MAX)
		memory[info.mem_size++] = (struct memory_map_entry){
			.base = (uint32_t)begin, .size = (uint32_t)(end - begin), .use = use};
}

/* The kernel is at 1 MiB, and the loader has left what it tells below that. So all RAM up to the
 * end of the kernel is in use, and all RAM behind it is free. */
static void read_memory(const struct hvm_memmap_entry *entry, uint32_t count)
{
	uint64_t used = ((uint32_t)kernel_end + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;

	for (; count > 0; count--, entry++) {
		uint64_t begin = entry->addr, end = entry->addr + entry->size;

		if (entry->type != HVM_MEMORY_RAM || begin >= VOLE_RAM_MAX)
			continue;
		if (end > VOLE_RAM_MAX)
			end = VOLE_RAM_MAX;
		/* Whole pages. */
		begin = (begin + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
		end &= ~(uint64_t)(PAGE_SIZE - 1);
		add_memory(begin, end < used ? end : used, VOLE_MEMORY_KERNEL);
		add_memory(begin > used ? begin : used, end, VOLE_MEMORY_FREE);
	}
}

void pvh_main(const struct hvm_start_info *hvm)
{
	if (hvm->magic != HVM_MAGIC || hvm->version < 1) {
		printf("PVH: hvm_start_info with a memory map is needed\n");
		end(1);
	}
	if (hvm->cmdline_paddr)
		read_cmdline((const char *)(uint32_t)hvm->cmdline_paddr);
	read_memory((const void *)(uint32_t)hvm->memmap_paddr, hvm->memmap_entries);
	out8(PIC_MASTER_MASK, 0xff);
	out8(PIC_SLAVE_MASK, 0xff);
	end((uint32_t)start(&info));
}
