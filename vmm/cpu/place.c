/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/place.h"

#include <inttypes.h>
#include <stdio.h>

struct place place_of(struct cpu *cpu, uint64_t address)
{
	struct place place;
	uint32_t offset;
	const char *symbol = cpu->host->symbol(cpu, address, &offset);
	int len = snprintf(place.text, sizeof place.text, "0x%08" PRIx64, address);

	if (symbol)
		snprintf(place.text + len, sizeof place.text - (size_t)len, " (%.80s+0x%x)", symbol,
			offset);
	return place;
}

struct place place_short(struct cpu *cpu, uint64_t address)
{
	struct place place;
	uint32_t offset;
	const char *symbol = cpu->host->symbol(cpu, address, &offset);

	if (symbol && offset == 0)
		snprintf(place.text, sizeof place.text, "%.80s", symbol);
	else if (symbol)
		snprintf(place.text, sizeof place.text, "%.80s+0x%x", symbol, offset);
	else
		snprintf(place.text, sizeof place.text, "0x%08" PRIx64, address);
	return place;
}

struct place place_of_return(struct cpu *cpu, uint64_t address)
{
	struct place place;
	uint32_t offset;
	const char *symbol = cpu->host->symbol(cpu, address - 1, &offset);

	if (symbol)
		snprintf(place.text, sizeof place.text, "%.80s+0x%x", symbol, offset + 1);
	else
		snprintf(place.text, sizeof place.text, "0x%08" PRIx64, address);
	return place;
}

struct place place_here(struct cpu *cpu)
{
	return place_of(cpu, cpu->ops->position(cpu));
}
