/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RING_FORMS_H
#define TESTS_RING_FORMS_H

/*
 * Runs the tests of a device once for each form of its rings: split and packed, with and without
 * indirect descriptors, in order. A device must not notice which form it is. driver_negotiate()
 * accepts the features that the form needs in addition to those it is told, and the names of test
 * points begin with the form.
 */
void for_each_ring_form(void (*tests)(void));

#endif
