/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_WAYS_H
#define TESTS_WAYS_H

/*
 * Queues can be driven in several ways, of which a device must not notice anything: run the tests
 * of a device once for each. The features that the way needs are accepted in addition to what
 * driver_negotiate() is told, and the names of test points say which way it is.
 */
void each_way(void (*tests)(void));

#endif
