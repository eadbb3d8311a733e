/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the requests of its command line, for a host whose disk fails at some of them:
 *
 *	r 0 16	read 16 sectors from sector 0 on
 *	w 0 16	write them
 *	z 0 16	write zeroes to them
 *	u 0 16	write zeroes to them, with unmap
 *	d 0 16	discard them
 *	f 0 0	flush
 *
 * Prints a line for each, "w 0 16: ok" or "w 0 16: error 5", and after a read that succeeded how
 * many sectors hold something else than what was written there last, if any: "r 0 16: ok, 2 sectors
 * are wrong". A sector may hold anything once it was discarded or a request to change it has
 * failed. The disk is full of zeroes at first. Exit status 0, since the VM goes on whatever the
 * disk does; 2 if the command line has something else.
 */

#include "block.h"
#include "check.h"
#include "info.h"

#define SECTORS_MAX 4100
#define WORDS       (VIRTIO_BLK_SECTOR_SIZE / 4)
#define ANYTHING    UINT32_MAX

/* The last sector whose words are all written and looked at; of others only the first and the last
 * word is, since some KVMs are slow. */
#define WHOLE_LAST 63

static struct block disk;
static uint32_t data[SECTORS_MAX * WORDS];
static uint32_t written[SECTORS_MAX]; /* the turn in which each sector was, 0: zeroes */

struct request {
	char type;
	uint32_t sector, count;
};

/* Reads a request and returns what follows it, or NULL if it is none. */
static const char *parse(const char *text, struct request *request)
{
	request->type = *text;
	if (!parse_number(text + 1, &request->sector, &text) ||
		!parse_number(text, &request->count, &text) ||
		request->sector + request->count > SECTORS_MAX)
		return NULL;
	return text;
}

static void remember(const struct request *request, uint32_t turn)
{
	for (uint32_t i = 0; i < request->count; i++)
		written[request->sector + i] = turn;
}

/* The word at an index of a sector that was written in a turn. */
static uint32_t word_of(uint32_t turn, uint32_t sector, uint32_t index)
{
	return turn ? turn << 24 | (sector * WORDS + index) : 0;
}

/* How many words there are from one that is written and looked at to the next. */
static uint32_t step(uint32_t sector)
{
	return sector > WHOLE_LAST ? WORDS - 1 : 1;
}

static int write(const struct request *request, uint32_t turn)
{
	uint32_t *words = data;

	for (uint32_t sector = request->sector; words < data + request->count * WORDS; sector++) {
		for (uint32_t i = 0; i < WORDS; i += step(sector))
			words[i] = word_of(turn, sector, i);
		words += WORDS;
	}
	return block_write(&disk, request->sector, data, request->count);
}

static bool is_wrong(uint32_t sector, const uint32_t *words)
{
	for (uint32_t i = 0; i < WORDS && written[sector] != ANYTHING; i += step(sector))
		if (words[i] != word_of(written[sector], sector, i))
			return true;
	return false;
}

static unsigned count_wrong(const struct request *request)
{
	unsigned wrong = 0;

	for (uint32_t i = 0; i < request->count; i++)
		wrong += is_wrong(request->sector + i, data + i * WORDS);
	return wrong;
}

/* Makes a request. *turn becomes what its sectors hold then. */
static int make(const struct request *request, uint32_t *turn)
{
	switch (request->type) {
	case 'w':
		return write(request, *turn);
	case 'z':
	case 'u':
		*turn = 0;
		return block_zero(&disk, request->sector, request->count, request->type == 'u');
	case 'd':
		*turn = ANYTHING;
		return block_discard(&disk, request->sector, request->count);
	case 'f':
		return block_flush(&disk);
	default:
		return block_read(&disk, request->sector, data, request->count);
	}
}

static void execute(const struct request *request, uint32_t turn)
{
	int error = make(request, &turn);

	printf("%c %u %u: ", request->type, request->sector, request->count);
	if (error)
		printf("error %d", -error);
	else
		printf("ok");
	if (request->type == 'r' && !error && count_wrong(request))
		printf(", %u sectors are wrong", count_wrong(request));
	else if (request->type != 'r')
		remember(request, error ? ANYTHING : turn);
	printf("\n");
}

int main(const struct start_info *info)
{
	const char *text = info_cmdline(info);
	struct request request;

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	for (uint32_t turn = 1; *text; turn++) {
		text = parse(text, &request);
		if (!text)
			return 2;
		execute(&request, turn);
	}
	return 0;
}
