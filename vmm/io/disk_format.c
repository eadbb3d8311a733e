/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/disk_format.h"

#include <stdbool.h>
#include <string.h>

#include "io/file.h"

#define VHD_FOOTER 512 /* bytes at the end of each VHD */

struct format {
	const char *name;
	uint16_t offset, len;
	const char *magic;
};

static bool matches(int fd, const struct format *format, uint64_t base)
{
	char bytes[32];
	ssize_t len = file_read_some(fd, bytes, format->len, base + format->offset);

	return len == format->len && memcmp(bytes, format->magic, format->len) == 0;
}

const char *disk_format(int fd, uint64_t size)
{
	static const struct format formats[] = {
		{"qcow2", 0, 4, "QFI\xfb"},
		{"QED", 0, 4, "QED"},
		{"VMDK", 0, 4, "KDMV"},
		{"VMDK", 0, 4, "COWD"},
		{"VMDK", 0, 21, "# Disk DescriptorFile"},
		{"VHDX", 0, 8, "vhdxfile"},
		{"VDI", 64, 4, "\x7f\x10\xda\xbe"},
		{"Parallels", 0, 16, "WithoutFreeSpace"},
	};
	static const struct format vhd = {"VHD", 0, 8, "conectix"};

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (matches(fd, &formats[i], 0))
			return formats[i].name;
	if (size >= VHD_FOOTER && matches(fd, &vhd, size - VHD_FOOTER))
		return vhd.name;
	return NULL;
}
