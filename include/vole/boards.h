/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VOLE_BOARDS_H
#define VOLE_BOARDS_H

/*
 * Where guests other than vole's own kernels find things: Linux, firmware and raw code, which get a
 * board that is closer to a PC. spec/machine.md, section 9; spec/boot-linux.md, boot-firmware.md
 * and boot-flat.md.
 */

#define VOLE_LOW_RAM_END   0xa0000  /* a hole in RAM begins, for video memory */
#define VOLE_ADAPTER_BASE  0xc0000  /* firmware: RAM goes on, where a PC has its adapters' code */
#define VOLE_SHADOW_BASE   0xe0000  /* the copy of the firmware */
#define VOLE_HIGH_RAM_BASE 0x100000 /* RAM goes on in any case */
#define VOLE_REAL_MODE_MAX 0x100000 /* raw code begins here at most */

/* For Linux: GDT; boot_params, or hvm_start_info with all that it points to; the command line and
 * its size with the NUL; RAM that is zero; the MP table, and the pointer to it. */
#define VOLE_LINUX_GDT         0x1000
#define VOLE_LINUX_PARAMS      0x2000
#define VOLE_LINUX_CMDLINE     0x4000
#define VOLE_LINUX_CMDLINE_MAX 0x4000
#define VOLE_LINUX_FREE        0x8000
#define VOLE_LINUX_MP_TABLE    0x9f000
#define VOLE_LINUX_MP_POINTER  0x9fc00

#endif
