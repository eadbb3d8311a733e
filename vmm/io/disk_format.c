/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/disk_format.h"

#include <string.h>

#include "io/file.h"

/* Bytes at the beginning that tell a format, and of the footer at the end of each VHD. */
#define HEAD       68
#define VHD_FOOTER 512

/* Returns 1 if the file ends as a VHD, 0 if not, or -errno. */
static int is_vhd(int fd, uint64_t size)
{
	char footer[8];
	ssize_t len = 0;

	if (size >= VHD_FOOTER)
		len = file_read_some(fd, footer, sizeof footer, size - VHD_FOOTER);
	if (len < 0)
		return (int)len;
	return len == sizeof footer && memcmp(footer, "conectix", sizeof footer) == 0;
}

int disk_format(int fd, uint64_t size, const char **format)
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
		{"Parallels", 0, 16, "WithouFreSpacExt"},
	};
	char head[HEAD];
	ssize_t len = file_read_some(fd, head, sizeof head, 0);

	int ret;

	*format = NULL;
	if (len < 0)
		return (int)len;
	for (size_t i = 0; i < sizeof formats / sizeof *formats && !*format; i++)
		if (formats[i].offset + formats[i].len <= len &&
			memcmp(head + formats[i].offset, formats[i].magic, formats[i].len) == 0)
			*format = formats[i].name;
	if (*format)
		return 0;
	ret = is_vhd(fd, size);
	if (ret > 0)
		*format = "VHD";
	return ret < 0 ? ret : 0;
}
