/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_GUEST_CHECK_H
#define TESTS_GUEST_CHECK_H

/*
 * What the kernels in this folder share. Each is one behaviour; its head comment says what it does
 * and what vole is to print and to return.
 *
 * A kernel that checks something itself returns check_done(): 0, or 1 after having printed what did
 * not hold.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vole/start_info.h>

#include "mmio.h"
#include "printf.h"
#include "start.h"
#include "string.h"

static unsigned check_failures;

/* One thing that has to hold. */
#define check(condition, ...)                                            \
	do {                                                             \
		if (!(condition)) {                                      \
			check_failures++;                                \
			printf("%s:%d: not true: ", __FILE__, __LINE__); \
			printf(__VA_ARGS__);                             \
			printf("\n");                                    \
		}                                                        \
	} while (0)

static inline int check_done(void)
{
	if (!check_failures)
		printf("all checks hold\n");
	return check_failures ? 1 : 0;
}

/* The first device of this type. Without one the kernel ends here. */
static inline const struct device_map_entry *find_device(const struct start_info *info, uint32_t id)
{
	for (uint32_t i = 0; i < info->dev_size; i++)
		if (mmio_probe(&info_devices(info)[i]) == id)
			return &info_devices(info)[i];
	printf("no device with id %u\n", id);
	power_off(1);
}

/* The number on the command line, or else. */
static inline uint32_t cmdline_number(const struct start_info *info, uint32_t otherwise)
{
	uint32_t number;

	return parse_number(info_cmdline(info), &number, NULL) ? number : otherwise;
}

#endif
