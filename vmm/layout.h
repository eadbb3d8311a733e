/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

/*
 * Every guest-physical constant of the machine, each with its reason. include/vole/ has the values,
 * and spec/machine.md is the same for readers of prose.
 */

#include <stdint.h>

#include <vole/boards.h>
#include <vole/machine.h>
#include <vole/start_info.h>
#include <vole/virtio_mmio.h>

#define PAGE_SIZE ((uint32_t)VOLE_PAGE_SIZE)

/* Return the page boundary at or below an address, and at or above it: at most 2^64 - PAGE_SIZE. */
static inline uint64_t page_down(uint64_t address)
{
	return address / PAGE_SIZE * PAGE_SIZE;
}

static inline uint64_t page_up(uint64_t address)
{
	return page_down(address + PAGE_SIZE - 1);
}

/* RAM ends at most here: what lies above belongs to devices, and the memory map has 32-bit
 * words. */
#define RAM_MAX VOLE_RAM_MAX

/* virtio-mmio windows: device n at DEVICE_BASE + n * VIRTIO_MMIO_WINDOW_SIZE. */
#define DEVICE_BASE  VOLE_DEVICE_BASE
#define DEVICE_COUNT VOLE_DEVICE_COUNT /* at most */

/* Interrupt of device n: pin n + FIRST_PIN of the IOAPIC. Not 0, which guests take for "none". */
#define FIRST_PIN VOLE_FIRST_PIN

/* A PC's hole in RAM, for video memory. Where adapters and firmware are, above it, is RAM as well:
 * SeaBIOS writes to all of it. */
#define LOW_RAM_END   VOLE_LOW_RAM_END
#define ADAPTER_BASE  VOLE_ADAPTER_BASE
#define SHADOW_BASE   VOLE_SHADOW_BASE /* the copy of the firmware */
#define HIGH_RAM_BASE VOLE_HIGH_RAM_BASE

/* Code in real mode begins here at most: 0xffff:0x10. */
#define REAL_MODE_MAX VOLE_REAL_MODE_MAX

/* The serial port: where PCs have the first one. Its interrupt is IRQ 4, as there, or the pin after
 * the last one of a device. */
#define SERIAL_PORT VOLE_SERIAL_PORT
#define SERIAL_IRQ  VOLE_SERIAL_IRQ
#define SERIAL_PIN  VOLE_SERIAL_PIN

/* The chip set's port of a PC's reset line. */
#define RESET_PORT 0xcf9

/* Addresses of the IOAPIC and the local APIC, as PCs have them. */
#define IOAPIC_BASE VOLE_IOAPIC_BASE
#define IOAPIC_PINS VOLE_IOAPIC_PINS
#define APIC_BASE   VOLE_APIC_BASE

/* The local APIC's timer counts nanoseconds, before its divider, as KVM's does. */
#define APIC_TIMER_KHZ VOLE_APIC_TIMER_KHZ

/* Three pages that KVM needs for itself on Intel hosts without "unrestricted guest", and one for
 * the identity map: above the IOAPIC, where nothing else is (KVM API 4.36, 4.40). */
#define KVM_IDENTITY_MAP_BASE VOLE_KVM_IDENTITY_MAP_BASE
#define KVM_TSS_BASE          VOLE_KVM_TSS_BASE

/*
 * Boot data, up to VOLE_BOOT_DATA_END. RAM begins with it: where page 0 would be is no memory, so
 * that an access or a jump through a null pointer is reported. All but the stack is read-only, so
 * that a store past the end of the stack is reported, too.
 *
 *	0x1000	IDT and its stubs, GDT, return stubs, memory map, device map, modules, start_info,
 *		command line, names of modules
 *	0x4000	stack, 16 KiB
 */
#define BOOT_DATA      VOLE_BOOT_DATA
#define BOOT_STACK     VOLE_BOOT_STACK
#define BOOT_STACK_TOP VOLE_BOOT_STACK_TOP

/* The IDT at entry has a gate for each vector. Their stubs lie one behind the other, this far apart
 * (boot/boot_data.c). */
#define IDT_VECTORS   VOLE_IDT_VECTORS
#define IDT_STUB_SIZE VOLE_IDT_STUB_SIZE

/*
 * Flat 4 GiB segments, 32-bit, present, ring 0 (Intel SDM 3, 3.4.5). The accessed bit is set: a
 * table may be in read-only memory, where the processor could not set it.
 */
#define GDT_FLAT_CODE VOLE_GDT_FLAT_CODE
#define GDT_FLAT_DATA VOLE_GDT_FLAT_DATA

#endif
