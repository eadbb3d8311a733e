/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LINUX_TEST_H
#define LINUX_TEST_H

/*
 * What the tests of the devices share: TAP on the console, the settings of the command line, and
 * the way to take a device from its driver.
 */

#include "sys.h"

#define LINE  1024
#define CHUNK (256u << 10)

/* For all tests, one after the other. */
extern uint8_t buffer[CHUNK], expected[CHUNK];

void test_init(char **environment);
void ok(bool passed, const char *form, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *what, const char *why);
void say(const char *form, ...) __attribute__((format(printf, 1, 2)));

/* The plan, and true if all passed. */
bool test_done(void);

/* A device is not there: that is a failure if the setting "need" lists it. */
void absent(const char *device);

/* A word NAME=VALUE of the kernel's command line, which becomes the environment; NULL: there is
 * none. */
const char *setting(const char *name);
uint32_t numeric_setting(const char *name, uint32_t otherwise);

/*
 * The N of the first device virtioN that this driver has, and below which path exists ("" for any),
 * or -1; and then to take it from its driver and give it back, by which it is reset. 0 or a
 * negative errno.
 */
int driver_device(const char *driver, const char *path);
long driver_unbind(const char *driver, int number);
long driver_bind(const char *driver, int number);

/* The tests. */
void test_cpus(void);
void test_entropy(void);
void test_console(void);
void test_disk(const char *name);

#endif
