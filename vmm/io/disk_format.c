/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/disk_format.h"

#include <stdbool.h>
#include <string.h>

#include "io/file.h"

/* Bytes at the beginning that tell a format, and of the footer at the end of each VHD. */
#define HEAD       68
#define VHD_FOOTER 512

static bool is_vhd(int fd, uint64_t size)
{
	char footer[8];

	return size >= VHD_FOOTER &&
	       file_read_some(fd, footer, sizeof footer, size - VHD_FOOTER) == sizeof footer &&
	       memcmp(footer, "conectix", sizeof footer) == 0;
}

const char *disk_format(int fd, uint64_t size)
{
	static const struct {
		const char *name;
		uint8_t offset, len;
		const char *magic;
	} formats[] = {
		{"qcow2", 0, 4, "QFI\xfb"},
		{"QED", 0, 4, "QED"},
		{"VMDK", 0, 4, "KDMV"},
		{"VMDK", 0, 4, "COWD"},
		{"VMDK", 0, 21, "# Disk DescriptorFile"},
		{"VHDX", 0, 8, "vhdxfile"},
		{"VDI", 64, 4, "\x7f\x10\xda\xbe"},
		{"Parallels", 0, 16, "WithoutFreeSpace"},
	};
	char head[HEAD];
	ssize_t len = file_read_some(fd, head, sizeof head, 0);

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (formats[i].offset + formats[i].len <= len &&
			memcmp(head + formats[i].offset, formats[i].magic, formats[i].len) == 0)
			return formats[i].name;
	return is_vhd(fd, size) ? "VHD" : NULL;
}
