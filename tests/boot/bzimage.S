/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bzImage around code for protected mode, CODE: boot sector, with the header of Linux's boot
 * protocol (Documentation/x86/boot.rst), one sector of setup, and the code. Assembled to be linked
 * at 0, as raw bytes.
 */
	.org	0x1f1
	.byte	1			/* setup_sects */
	.word	0
	.long	(code_end - code) / 16	/* syssize */
	.word	0, 0, 0
	.word	0xaa55			/* boot_flag */
	.byte	0xeb, header_end - header
header:
	.ascii	"HdrS"
	.word	0x20f			/* version */
	.long	0
	.word	0, 0
	.byte	0, 1			/* loadflags: LOADED_HIGH */
	.word	0
	.long	0x100000		/* code32_start */
	.long	0, 0, 0
	.word	0
	.byte	0, 0
	.long	0			/* cmd_line_ptr */
	.long	0x37ffffff		/* initrd_addr_max */
	.long	0x100000		/* kernel_alignment */
	.byte	0			/* relocatable_kernel */
	.byte	20			/* min_alignment */
	.word	0			/* xloadflags */
	.long	1000			/* cmdline_size */
	.long	0			/* hardware_subarch */
	.quad	0
	.long	0, 0			/* payload */
	.quad	0			/* setup_data */
	.quad	0x100000		/* pref_address */
	.long	0x100000		/* init_size */
	.long	0
header_end:
	.org	0x400
code:
	.incbin	CODE
	.balign	16
code_end:
