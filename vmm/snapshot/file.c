/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "error_text.h"
#include "exit_status.h"
#include "io/file.h"
#include "io/file_holder.h"
#include "io/unix_socket.h"
#include "layout.h"
#include "leave.h"
#include "log.h"
#include "snapshot/handover.h"

/* Largest memory of a machine in bytes. */
#define MEMORY_MAX (UINT64_C(1) << 32)

static const char magic[16] = "vole checkpoint\n";

/* The beginning of the file. */
struct header {
	char magic[16];
	uint32_t version, reserved;
	uint64_t memory_offset, memory_len;
	uint64_t state_offset, state_len;
	uint64_t state_sum;  /* of the state */
	uint64_t header_sum; /* of all before it */
};

static int fail(const char *path, int error)
{
	say("%s: %s", path, error_text(error));
	return -error;
}

static uint64_t header_checksum(const struct header *header)
{
	return checksum_add(0, header, offsetof(struct header, header_sum));
}

/* --- writing ---------------------------------------------------------------------------------- */

int snapshot_file_create(const char *path)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a reader. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	int error = fd < 0 ? errno : 0;
	struct stat st;
	int ret = 0;

	/* open(2) of a socket fails with ENXIO, "no such device". */
	if (error == ENXIO && stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		say("%s: a socket; unix:%s?", path, path);
		ret = -EINVAL;
	} else if (error) {
		ret = fail(path, error);
	} else if (fstat(fd, &st) < 0) {
		ret = fail(path, errno);
	} else if (!S_ISREG(st.st_mode)) {
		say("%s: not a regular file", path);
		ret = -EINVAL;
	} else if (file_lock(fd, false) == -EBUSY) {
		file_say_in_use(fd, "", path);
		ret = -EBUSY;
	}
	if (ret == 0)
		return fd;
	file_close(&fd);
	return ret;
}

static int write_parts(
	int fd, const uint8_t *memory, uint64_t memory_len, const struct snapshot_stream *state)
{
	struct header header = {
		.version = SNAPSHOT_VERSION,
		.memory_offset = SNAPSHOT_MEMORY_OFFSET,
		.memory_len = memory_len,
		.state_offset = SNAPSHOT_MEMORY_OFFSET + memory_len,
		.state_len = state->len,
		.state_sum = checksum_add(0, state->bytes, state->len),
	};
	int ret;

	memcpy(header.magic, magic, sizeof magic);
	header.header_sum = header_checksum(&header);
	if (ftruncate(fd, 0) < 0 ||
		ftruncate(fd, (off_t)(header.state_offset + header.state_len)) < 0)
		return -errno;
	ret = file_write_pages(fd, memory, memory_len, SNAPSHOT_MEMORY_OFFSET);
	if (ret == 0)
		ret = file_write(fd, state->bytes, state->len, header.state_offset);
	if (ret == 0)
		ret = file_write(fd, &header, sizeof header, 0);
	return ret;
}

int snapshot_file_write(int fd, const char *path, const uint8_t *memory, uint64_t memory_len,
	const struct snapshot_stream *state)
{
	int ret = write_parts(fd, memory, memory_len, state);

	if (ret == 0)
		return 0;
	say("%s: %s; no checkpoint was taken, and the file is %s", path, error_text(-ret),
		ftruncate(fd, 0) == 0 ? "empty" : "damaged");
	return ret;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Returns what is wrong with a header, or NULL. */
static const char *find_fault(const struct header *header, uint64_t size)
{
	if (header->header_sum != header_checksum(header))
		return "the header is damaged";
	if (header->memory_offset != SNAPSHOT_MEMORY_OFFSET ||
		header->memory_len % PAGE_SIZE != 0 || header->memory_len == 0 ||
		header->memory_len > MEMORY_MAX ||
		header->state_offset != SNAPSHOT_MEMORY_OFFSET + header->memory_len ||
		header->state_len > SNAPSHOT_STREAM_MAX)
		return "the header is not one that vole writes";
	if (size < header->state_offset + header->state_len)
		return "the file is cut off";
	if (size > header->state_offset + header->state_len)
		return "the file is longer than the checkpoint";
	return NULL;
}

static int refuse(const char *path, const char *why)
{
	say("%s: a checkpoint that cannot be used: %s", path, why);
	return -EBADMSG;
}

static int check_header(const struct header *header, const char *path, uint64_t size)
{
	const char *fault;

	if (memcmp(header->magic, magic, sizeof magic) != 0) {
		say("%s: not a checkpoint of vole, or one that was not completed", path);
		return -EBADMSG;
	}
	if (header->version != SNAPSHOT_VERSION) {
		say("%s: a checkpoint of format %" PRIu32 ", and this vole reads format %d; take "
		    "it anew with this vole",
			path, header->version, SNAPSHOT_VERSION);
		return -EBADMSG;
	}
	fault = find_fault(header, size);
	return fault ? refuse(path, fault) : 0;
}

static int read_state(struct snapshot_file *file, const struct header *header)
{
	int ret;

	file->state_len = header->state_len;
	file->state = malloc(header->state_len + 1); /* not 0 */
	if (!file->state)
		return fail(file->path, ENOMEM);
	ret = file_read(file->fd, file->path, file->state, header->state_len, header->state_offset);
	if (ret < 0)
		return ret;
	if (checksum_add(0, file->state, file->state_len) != header->state_sum)
		return refuse(file->path, "the state is damaged");
	return 0;
}

int snapshot_file_open(struct snapshot_file *file, const char *path)
{
	struct header header = {.version = 0};
	uint64_t size;
	ssize_t len;
	int ret;

	*file = SNAPSHOT_FILE_EMPTY;
	file->path = path;
	if (unix_socket_path(path))
		ret = file_adopt(handover_receive(path), path, &size);
	else
		ret = file_open(path, &size);
	if (ret < 0)
		return ret;
	file->fd = ret;
	len = file_read_some(file->fd, &header, sizeof header, 0);
	if (len < 0)
		return fail(path, (int)-len);
	ret = check_header(&header, path, size);
	if (ret < 0)
		return ret;
	file->memory_len = header.memory_len;
	return read_state(file, &header);
}

void snapshot_file_close(struct snapshot_file *file)
{
	file_close(&file->fd);
	free(file->state);
	*file = SNAPSHOT_FILE_EMPTY;
}

/* Somebody has cut the file off, or the host cannot read it: a page that the machine has not
 * written to is nowhere any more. The instruction that needs it would be tried for ever. */
static void page_lost(int number, siginfo_t *info, void *context)
{
	static const char line[] =
		"vole: memory of this clone is lost: its checkpoint has become shorter, or the "
		"host cannot read it; vole ends here\n";

	(void)context;
	if (info->si_code == BUS_ADRERR)
		leave_at_once(line, sizeof line - 1, EXIT_STATUS_VOLE);
	signal(number, SIG_DFL);
	raise(number);
}

static int catch_lost_pages(void)
{
	struct sigaction action = {.sa_sigaction = page_lost, .sa_flags = SA_SIGINFO};

	sigfillset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

int snapshot_file_map(const struct snapshot_file *file, uint8_t *host)
{
	void *mapped = mmap(host, file->memory_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file->fd, SNAPSHOT_MEMORY_OFFSET);

	if (mapped == MAP_FAILED)
		return fail(file->path, errno);
	/* As memory_init() does. */
	madvise(host, file->memory_len, MADV_DONTFORK);
	return catch_lost_pages();
}
