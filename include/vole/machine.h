/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_MACHINE_H
#define VOLE_MACHINE_H

/*
 * Addresses and limits of vole's machine; spec/machine.md. A kernel finds memory, devices and
 * interrupt controllers by start_info (vole/start_info.h): another version of vole, or another
 * VMM, may have them elsewhere. These are for programs that look from outside, and for tables whose
 * size has to be known beforehand.
 */

#define VOLE_PAGE_SIZE 0x1000 /* of access rights, and of what the maps of start_info tell */

#define VOLE_RAM_MAX 0xc0000000 /* RAM ends here at the latest */

/* virtio-mmio windows: device n at VOLE_DEVICE_BASE + n * VIRTIO_MMIO_WINDOW_SIZE, on pin n +
 * VOLE_FIRST_PIN of the IOAPIC. */
#define VOLE_DEVICE_BASE  0xd0000000
#define VOLE_DEVICE_COUNT 16 /* at most */
#define VOLE_FIRST_PIN    1

#define VOLE_IOAPIC_BASE    0xfec00000
#define VOLE_IOAPIC_PINS    24
#define VOLE_APIC_BASE      0xfee00000 /* of the local APIC; each CPU sees its own */
#define VOLE_APIC_TIMER_KHZ 1000000    /* the local APIC timer's input clock */

/* KVM's own on some hosts, not for the guest: a page, and then three. */
#define VOLE_KVM_IDENTITY_MAP_BASE 0xfeffc000
#define VOLE_KVM_TSS_BASE          0xfeffd000

/* The serial port: its first I/O port, its interrupt on PC boards, its pin of the IOAPIC here. */
#define VOLE_SERIAL_PORT 0x3f8
#define VOLE_SERIAL_IRQ  4
#define VOLE_SERIAL_PIN  17

/* Boot data, with which RAM begins, and the boot CPU's stack from its lowest address to its top. */
#define VOLE_BOOT_DATA      0x1000
#define VOLE_BOOT_STACK     0x4000
#define VOLE_BOOT_STACK_TOP 0x8000

/* The IDT at entry: its gates, and how far apart the stubs are that they lead to. */
#define VOLE_IDT_VECTORS   256
#define VOLE_IDT_STUB_SIZE 4

#endif
