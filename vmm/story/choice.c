/* SPDX-License-Identifier: BSD-2-Clause */
#include "story/choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vole/virtio_mmio.h>

/* --- one chain -------------------------------------------------------------------------------- */

/* Finds the first and the last step of a chain: from the last store of its driver before the device
 * took it, to the acknowledgement of its interrupt. */
struct chain_search {
	uint64_t begins[DEVICE_COUNT][VIRTIO_QUEUES_MAX]; /* of the chains that come next */
	bool is_taken[DEVICE_COUNT][VIRTIO_QUEUES_MAX];   /* those have come */
	bool is_kick[DEVICE_COUNT][VIRTIO_QUEUES_MAX];    /* it begins with a kick */
	enum { SEARCH_TAKEN, SEARCH_USED, SEARCH_END, SEARCH_DONE } waits_for;
};

struct look {
	struct overview *overview;
	struct chain_search *search; /* NULL: no chain was asked for */
};

/* Returns the queue that a step is about, that of a kick by its value; CHOICE_ANY: none. */
static int queue_of(const struct record *record)
{
	if (record_is_kick(record))
		return (int)(record->access.value & 0xffff);
	return record->queue == CAPTURE_NO_QUEUE ? CHOICE_ANY : record->queue;
}

static void note_beginning(struct chain_search *search, const struct step *step, int queue)
{
	const struct record *record = &step->record;
	uint64_t *begins = &search->begins[record->device][queue];
	bool *is_taken = &search->is_taken[record->device][queue];
	bool *is_kick = &search->is_kick[record->device][queue];

	if (record->kind == CAPTURE_CHAIN)
		*is_taken = true;
	if (record->kind != CAPTURE_WRITE && record->kind != CAPTURE_STORE &&
		(record->kind != CAPTURE_RING || step->changes.by_device))
		return;
	/* A kick may come late, for chains that were taken without it. */
	if (*begins == 0 || *is_taken || (*is_kick && record->kind != CAPTURE_WRITE)) {
		*begins = step->number;
		*is_kick = record->kind == CAPTURE_WRITE;
	}
	*is_taken = false;
}

static void follow(struct look *look, const struct step *step)
{
	struct chain_search *search = look->search;
	struct overview *overview = look->overview;
	struct choice *choice = &overview->choice;
	const struct record *record = &step->record;
	int queue = queue_of(record);
	bool is_ours = record->device == choice->device;

	if (record->device < DEVICE_COUNT && queue >= 0 && queue < VIRTIO_QUEUES_MAX)
		note_beginning(search, step, queue);
	if (search->waits_for == SEARCH_TAKEN && record->kind == CAPTURE_CHAIN &&
		record->chain == choice->chain) {
		uint64_t begins = search->begins[record->device][queue];

		choice->device = record->device;
		choice->queue = queue;
		choice->first = begins ? begins : step->number;
		search->waits_for = SEARCH_USED;
	} else if (search->waits_for == SEARCH_USED && record->kind == CAPTURE_USED &&
		   record->chain == choice->chain) {
		search->waits_for = SEARCH_END;
	} else if (search->waits_for == SEARCH_END && is_ours &&
		   ((record->kind == CAPTURE_NO_INTERRUPT && queue == choice->queue) ||
			   (record->kind == CAPTURE_WRITE &&
				   record->access.offset == VIRTIO_MMIO_INTERRUPT_ACK))) {
		overview->end = step->number;
		search->waits_for = SEARCH_DONE;
	}
}

/* --- all -------------------------------------------------------------------------------------- */

bool choice_has(const struct overview *overview, const struct step *step)
{
	const struct choice *choice = &overview->choice;
	int queue = queue_of(&step->record);

	if (step->number < choice->first || step->number > overview->end)
		return false;
	if (choice->device != CHOICE_ANY && step->record.device != choice->device)
		return false;
	return choice->queue == CHOICE_ANY || queue == CHOICE_ANY || queue == choice->queue;
}

static void count_step(struct overview *overview, const struct step *step)
{
	if (!choice_has(overview, step))
		return;
	overview->chosen++;
	if (overview->shown == STORY_STEPS_MAX)
		return;
	overview->shown++;
	if (overview->first == 0)
		overview->first = step->number;
	overview->last = step->number;
}

static void ignore_change(void *ctx, const struct step *step, const struct record_ring *ring)
{
	(void)ctx;
	(void)step;
	(void)ring;
}

static void ignore_name(void *ctx, const struct record_name *name)
{
	(void)ctx;
	(void)name;
}

static void look_begin(void *ctx, const struct step *step)
{
	struct look *look = ctx;

	look->overview->steps = step->number;
	look->overview->chains += step->record.kind == CAPTURE_CHAIN;
	if (look->search)
		follow(look, step);
	else
		count_step(look->overview, step);
}

static bool go_on(void *ctx, const struct step *step)
{
	(void)ctx;
	(void)step;
	return true;
}

static int walk(struct look *look, FILE *file)
{
	static const struct steps_visitor visitor = {look_begin, ignore_change, ignore_name, go_on};
	struct overview *overview = look->overview;
	struct steps *steps = malloc(sizeof *steps);
	int ret = steps ? steps_walk(steps, file, &visitor, look) : -ENOMEM;

	if (ret == 0) {
		overview->damaged = steps->damaged;
		overview->later = steps->later;
		overview->beyond = steps->beyond;
		overview->first_beyond = steps->first_beyond;
		overview->lost = steps->lost;
		overview->foreign = steps->reader.foreign;
		memcpy(overview->application, steps->reader.application,
			sizeof overview->application);
		memcpy(overview->problem, steps->reader.problem, sizeof overview->problem);
		steps_free(steps);
	}
	free(steps);
	return ret;
}

int choice_look(struct overview *overview, FILE *file, const struct choice *choice)
{
	struct look look = {.overview = overview};
	int ret;

	*overview = (struct overview){.choice = *choice, .end = UINT64_MAX};
	if (choice->chain > 0) {
		look.search = calloc(1, sizeof *look.search);
		if (!look.search)
			return -ENOMEM;
		ret = walk(&look, file);
		if (ret == 0 && look.search->waits_for == SEARCH_TAKEN)
			ret = -ENOENT;
		free(look.search);
		if (ret < 0)
			return ret;
		look.search = NULL;
		rewind(file);
		overview->chains = 0;
	}
	return walk(&look, file);
}
