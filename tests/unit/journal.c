/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal that is written to a file: entries wait for one that takes nothing; none is lost. */
#include "replay/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../tap.h"

/* More than a sink has room for. */
#define ENTRIES 700
#define DATA    JOURNAL_DATA_MAX

struct reader {
	int fd;
	atomic_bool may_begin;
	unsigned wait_us; /* from then until it begins */
	uint8_t *bytes;
	size_t len;
};

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	ssize_t n;

	while (!atomic_load(&reader->may_begin))
		usleep(1000);
	usleep(reader->wait_us);
	while ((n = read(reader->fd, reader->bytes + reader->len, 65536)) > 0)
		reader->len += (size_t)n;
	return NULL;
}

static void add_entries(struct journal *journal)
{
	static uint8_t data[DATA];

	for (unsigned i = 0; i < ENTRIES; i++) {
		data[i] = (uint8_t)i;
		journal_add(journal, &(struct journal_entry){.kind = JOURNAL_ENTROPY,
					     .turns = i,
					     .value = DATA,
					     .data = data,
					     .len = DATA});
	}
	journal_add(journal, &(struct journal_entry){.kind = JOURNAL_END, .turns = ENTRIES});
}

/* A reader who comes after more than a second, which a sink alone does not wait for. */
static void test_late_reader(void)
{
	struct reader reader = {.wait_us = 1500000};
	struct journal journal, copy;
	struct sink sink;
	struct sink_end end;
	const char *why;
	pthread_t thread;
	int ends[2];

	reader.bytes = malloc((size_t)(ENTRIES + 2) * (DATA + 48));
	if (!reader.bytes || pipe(ends) < 0)
		exit(1);
	reader.fd = ends[0];
	if (sink_open_fd(&sink, ends[1], true) < 0 ||
		pthread_create(&thread, NULL, read_all, &reader) != 0)
		exit(1);
	journal_init(&journal);
	journal_begin_writing(&journal, &sink);
	add_entries(&journal);
	ok(journal.waits, "entries wait for a file that takes none");
	atomic_store(&reader.may_begin, true);
	while (journal_write(&journal))
		usleep(10000);
	is(journal_finish(&journal), 0, "then all are written");
	end = sink_close(&sink);
	ok(end.error == 0 && end.lost == 0, "and none is lost");
	pthread_join(thread, NULL);
	journal_init(&copy);
	is(journal_take(&copy, reader.bytes, reader.len, &why), reader.len,
		"what is read is whole");
	ok(!why, "up to its end");
	ok(copy.sum == journal.sum, "with all entries");
	journal_free(&copy);
	journal_free(&journal);
	close(ends[0]);
}

/* A reader who never comes: it is given up at the end, and what is left is told. */
static void test_no_reader(void)
{
	struct journal journal;
	struct sink sink;
	struct sink_end end;
	int ends[2];

	if (pipe(ends) < 0 || sink_open_fd(&sink, ends[1], true) < 0)
		exit(1);
	journal_init(&journal);
	journal_begin_writing(&journal, &sink);
	add_entries(&journal);
	ok(journal_finish(&journal) > 0, "a file that takes nothing is given up at the end");
	end = sink_close(&sink);
	ok(end.error < 0, "which is told");
	journal_free(&journal);
	close(ends[0]);
}

int main(void)
{
	test_late_reader();
	test_no_reader();
	return tap_done();
}
