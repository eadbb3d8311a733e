/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_HISTOGRAM_H
#define VMM_HISTOGRAM_H

/*
 * A distribution of values in bounded memory. Below 32 each value has a bucket; above, each power
 * of two is cut into 32 buckets of the same width. So a quantile is known up to the width of its
 * bucket, 1/32 of the value.
 */

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 5

/* Larger values, such as 18 minutes in nanoseconds, share the last bucket. */
#define HISTOGRAM_VALUE_BITS 40

#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

/* All zero: empty. */
struct histogram {
	uint64_t count, sum, max; /* exact */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Adds a value. */
void histogram_add(struct histogram *histogram, uint64_t value);

/* Returns a value that so many thousandths of all values do not exceed (500: the median). It is not
 * below the least such value, at most 1/32 above it, and at most the maximum; 0 if there are no
 * values. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned thousandths);

#endif
