/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

/*
 * Every guest-physical constant of the machine that is not already ABI (include/vole/), each with
 * its reason. spec/machine.md is the same for readers of prose.
 */

#include <stdint.h>

#include <vole/start_info.h>
#include <vole/virtio_mmio.h>

#define PAGE_SIZE 4096u

/* RAM starts at 0 and ends at most here: what lies above belongs to devices, and the memory map has
 * 32-bit words. */
#define RAM_MAX 0xc0000000u

/* virtio-mmio windows: device n at DEVICE_BASE + n * VIRTIO_MMIO_WINDOW_SIZE. */
#define DEVICE_BASE  0xd0000000u
#define DEVICE_COUNT 16 /* at most */

/* Interrupt of device n: pin n + FIRST_PIN of the IOAPIC. Not 0, which guests take for "none". */
#define FIRST_PIN 1

/* A PC's hole in RAM, for video memory. Where adapters and firmware are, above it, is RAM as well:
 * SeaBIOS writes to all of it. */
#define LOW_RAM_END   0xa0000u
#define ADAPTER_BASE  0xc0000u
#define SHADOW_BASE   0xe0000u /* the copy of the firmware */
#define HIGH_RAM_BASE 0x100000u

/* Code in real mode begins here at most: 0xffff:0x10. */
#define REAL_MODE_MAX 0x100000u

/* The serial port: where PCs have the first one. Its interrupt is IRQ 4, as there, or the pin after
 * the last one of a device. */
#define SERIAL_PORT 0x3f8
#define SERIAL_IRQ  4
#define SERIAL_PIN  17

/* Addresses of the IOAPIC and the local APIC, as PCs have them. */
#define IOAPIC_BASE 0xfec00000u
#define IOAPIC_PINS 24
#define APIC_BASE   0xfee00000u

/* The local APIC's timer counts nanoseconds, before its divider, as KVM's does. */
#define APIC_TIMER_KHZ 1000000u

/* Three pages that KVM needs for itself on Intel hosts without "unrestricted guest", and one for
 * the identity map: above the IOAPIC, where nothing else is (KVM API 4.36, 4.40). */
#define KVM_IDENTITY_MAP_BASE 0xfeffc000u
#define KVM_TSS_BASE          0xfeffd000u

/*
 * Boot data, from 0 to VOLE_BOOT_DATA_END. All but the stack is read-only, so a store through a
 * null pointer, or past the end of the stack, is reported instead of lost.
 *
 *	0x0000	a page of zeros: null pointers end here
 *	0x1000	tables: GDT, return stubs, memory map, device map, modules, start_info
 *	0x2000	strings: command line, names of modules
 *	0x4000	stack, 16 KiB
 */
#define BOOT_TABLES    0x1000u
#define BOOT_STRINGS   0x2000u
#define BOOT_STACK     0x4000u
#define BOOT_STACK_TOP VOLE_BOOT_DATA_END

/*
 * Flat 4 GiB segments, 32-bit, present, ring 0 (Intel SDM 3, 3.4.5). The accessed bit is set: a
 * table may be in read-only memory, where the processor could not set it.
 */
#define GDT_FLAT_CODE UINT64_C(0x00cf9b000000ffff)
#define GDT_FLAT_DATA UINT64_C(0x00cf93000000ffff)

#endif
