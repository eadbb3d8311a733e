/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MISTAKES_FIXTURE_H
#define TESTS_MISTAKES_FIXTURE_H

/* Devices whose driver makes mistakes, and what is told of them. */

#include <stdlib.h>
#include <string.h>

#include <vole/virtio_blk.h>
#include <vole/virtio_console.h>

#include "block.h"
#include "console.h"
#include "driver.h"
#include "rng.h"
#include "tap.h"

#define MULTIPORT VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT)

struct fixture {
	struct driver d;
	struct fake_block disk;
	struct fake_console host;
	struct fake_rng source;
	struct virtio_block blk;
	struct virtio_console con;
	struct virtio_rng rng;
	gpa_t out, in; /* buffers of 4 KiB */
};

static uint64_t rules_seen; /* a bit for each rule */

static inline struct fixture *attach(struct fixture *f, struct virtio_device *dev)
{
	driver_attach(&f->d, dev);
	f->out = ram_alloc(&f->d.ram, 4096, 16);
	f->in = ram_alloc(&f->d.ram, 4096, 16);
	return f;
}

static inline struct fixture *disk_of(bool read_only)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_block_init(&f->disk);
	f->disk.backend.read_only = read_only;
	virtio_block_init(
		&f->blk, &f->disk.backend, 1, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	return attach(f, &f->blk.dev);
}

/* A disk that nobody has touched yet. */
static inline struct fixture *disk(void)
{
	return disk_of(false);
}

/* A disk at work; its driver accepted these features. */
static inline struct fixture *live_disk(uint64_t features)
{
	struct fixture *f = disk();

	ok(driver_start(&f->d, features), "the disk is live");
	return f;
}

static inline struct fixture *live_console(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct console_port_host port = {.backend = &f->host.backend};

	driver_init(&f->d);
	fake_console_init(&f->host, 0, 0);
	virtio_console_init(&f->con, &port, 1, true, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	attach(f, &f->con.dev);
	ok(driver_start(&f->d, MULTIPORT), "the console is live");
	return f;
}

static inline struct fixture *live_rng(void)
{
	struct fixture *f = calloc(1, sizeof *f);

	driver_init(&f->d);
	fake_rng_init(&f->source);
	virtio_rng_init(&f->rng, &f->source.backend, &f->d.ram.gmem, &driver_host_ops, &f->d.host);
	attach(f, &f->rng.dev);
	ok(driver_start(&f->d, 0), "the entropy device is live");
	return f;
}

/* The last mistake was against this rule, and was reported so. */
static inline void told(struct fixture *f, enum virtio_rule rule, const char *text)
{
	is(f->d.host.rule, rule, "%s", text);
	ok(strcmp(f->d.host.mistake, text) == 0, "%s: %s", text, f->d.host.mistake);
	rules_seen |= UINT64_C(1) << rule;
}

/* The end of a fixture that made this number of different mistakes. */
static inline void done(struct fixture *f, unsigned mistakes)
{
	is(f->d.host.mistakes, mistakes, "nothing else is told");
	is(f->d.host.reports, 0, "and nothing is a fault");
	driver_free(&f->d);
	free(f);
}

/* mistakes.c breaks the first rules, mistakes_requests.c the next, mistakes_messages.c the last. */
_Static_assert(
	RULE_BLOCK_HEADER == RULE_CONFIG_WRITEBACK + 1 && RULE_RNG_BUFFER == RULE_BLOCK_FLAGS + 1,
	"each rule is broken by one of the tests");

/* Each rule from first to last was broken. */
static inline void all_broken(enum virtio_rule first, enum virtio_rule last)
{
	for (unsigned rule = first; rule <= last; rule++)
		ok(rules_seen >> rule & 1, "rule %u of virtio/report.h was broken here", rule);
}

#endif
