/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/histogram.h"

#define STEPS (1u << HISTOGRAM_STEP_BITS)

static unsigned bucket_of(uint64_t value)
{
	unsigned exponent;

	if (value < STEPS)
		return (unsigned)value;
	exponent = 63 - (unsigned)__builtin_clzll(value);
	if (exponent >= HISTOGRAM_VALUE_BITS)
		return HISTOGRAM_BUCKETS - 1;
	return ((exponent - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS) +
	       (unsigned)(value >> (exponent - HISTOGRAM_STEP_BITS) & (STEPS - 1));
}

/* Returns the largest value of a bucket. */
static uint64_t bucket_end(unsigned bucket)
{
	unsigned shift;

	if (bucket < STEPS)
		return bucket;
	if (bucket == HISTOGRAM_BUCKETS - 1)
		return UINT64_MAX;
	shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
	return ((uint64_t)(STEPS + bucket % STEPS + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->sum += value;
	histogram->max = value > histogram->max ? value : histogram->max;
	histogram->buckets[bucket_of(value)]++;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned thousandths)
{
	uint64_t whole = histogram->count / 1000, rest = histogram->count % 1000;
	uint64_t rank = whole * thousandths + (rest * thousandths + 999) / 1000, below = 0;
	unsigned bucket = 0;
	uint64_t end;

	if (histogram->count == 0)
		return 0;
	while (bucket < HISTOGRAM_BUCKETS - 1 && (below += histogram->buckets[bucket]) < rank)
		bucket++;
	end = bucket_end(bucket);
	return end < histogram->max ? end : histogram->max;
}
