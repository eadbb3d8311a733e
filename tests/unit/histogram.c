/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/histogram.h"

#include "../tap.h"

/* Whether each value lies in a bucket that tells it at most 1/32 too large. */
static bool tells(uint64_t value)
{
	struct histogram histogram = {0};
	uint64_t quantile;

	histogram_add(&histogram, value);
	histogram_add(&histogram, UINT64_MAX); /* so that the maximum does not help */
	quantile = histogram_quantile(&histogram, 500);
	return quantile >= value && quantile - value <= value / 32;
}

static void test_error(void)
{
	unsigned wrong = 0;

	for (uint64_t value = 0; value < 5000; value++)
		wrong += !tells(value);
	for (unsigned bit = 12; bit < HISTOGRAM_VALUE_BITS - 1; bit++)
		for (int off = -1; off <= 33; off++)
			wrong += !tells((UINT64_C(1) << bit) + (uint64_t)(int64_t)off);
	is(wrong, 0, "a quantile is at most 1/32 above the value");
}

static void test_quantiles(void)
{
	static struct histogram histogram;

	is(histogram_quantile(&histogram, 500), 0, "without values it is 0");
	for (unsigned value = 1; value <= 20; value++)
		histogram_add(&histogram, value);
	is(histogram_quantile(&histogram, 500), 10, "the median of 1 to 20");
	is(histogram_quantile(&histogram, 990), 20, "99 %% of 1 to 20 do not exceed the maximum");
	is(histogram_quantile(&histogram, 50), 1, "5 %% of 20 values is one");
	is(histogram_quantile(&histogram, 51), 2, "and a little more is two");
	is(histogram.count, 20, "the count is exact");
	is(histogram.sum, 210, "the sum is exact");
	is(histogram.max, 20, "the maximum is exact");
}

static void test_large(void)
{
	static struct histogram histogram;

	histogram_add(&histogram, UINT64_C(1) << HISTOGRAM_VALUE_BITS);
	is(histogram_quantile(&histogram, 500), UINT64_C(1) << HISTOGRAM_VALUE_BITS,
		"a value beyond the buckets is known as the maximum");
	histogram_add(&histogram, UINT64_MAX);
	is(histogram_quantile(&histogram, 500), UINT64_MAX, "several of them are told as it");
}

int main(void)
{
	test_error();
	test_quantiles();
	test_large();
	return tap_done();
}
