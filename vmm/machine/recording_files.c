/* SPDX-License-Identifier: BSD-2-Clause */
/* Identifies the kernel, modules and disks of a run by their checksums. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "checksum.h"
#include "error_text.h"
#include "io/file.h"
#include "log.h"
#include "machine/recording.h"
#include "machine/vm.h"
#include "report.h"

_Static_assert(RECORD_DISKS_MAX >= DISKS_MAX, "a record has room for all disks");
_Static_assert(OUTSIDE_DISKS >= DISKS_MAX, "so has the outside");
_Static_assert(RECORD_FILES_MAX >= MODULES_MAX + 2, "and for all files");
_Static_assert(OUTSIDE_PORTS > VIRTIO_CONSOLE_PORTS_MAX, "the serial port comes after all others");

/* Validates or notes a file; what is its kind. */
static int identify_file(struct vm *vm, const char *path, const char *what, unsigned index)
{
	struct recording *recording = vm->recording;
	struct record_file_identity found = {0}, *noted = &recording->setup.files[index];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int ret = fd < 0 ? -errno : checksum_file(fd, &found.size, &found.checksum);

	file_close(&fd);
	if (ret < 0) {
		say("%s: %s", path, error_text(-ret));
		return ret;
	}
	if (!recording->is_replay) {
		*noted = found;
		return 0;
	}
	if (found.size == noted->size && found.checksum == noted->checksum)
		return 0;
	say("%s: not the %s of the record, which has %" PRIu64 " byte%s%s", path, what, noted->size,
		PLURAL(noted->size), found.size == noted->size ? " and another content" : "");
	return -EINVAL;
}

int recording_identify_files(struct vm *vm)
{
	const struct options *options = vm->options;
	unsigned count = 0;
	int ret;

	if (!vm->recording || !(vm->options->record || vm->recording->is_replay))
		return 0;
	ret = identify_file(vm, options->kernel, "kernel", count++);
	for (unsigned i = 0; ret == 0 && i < options->module_count; i++)
		ret = identify_file(vm, options->modules[i], "module", count++);
	if (ret == 0 && options->initrd)
		ret = identify_file(vm, options->initrd, "initial RAM disk", count++);
	if (!vm->recording->is_replay)
		vm->recording->setup.file_count = count;
	return ret;
}

/* Validates a disk, whose driver then sees what it saw. */
static int check_disk(
	struct vm_disk *disk, const struct record_disk *noted, const struct record_disk *found)
{
	struct block_backend *backend = vm_disk_backend(disk);

	if (found->sectors != noted->sectors) {
		say("%s: %" PRIu64 " sectors: the disk of the record has %" PRIu64, disk->disk.path,
			found->sectors, noted->sectors);
		return -EINVAL;
	}
	if (found->checksum != noted->checksum) {
		say("%s: not as it was when the record began: it has another content (a run that "
		    "is "
		    "recorded with --disk %s,private does not change it)",
			disk->disk.path, disk->disk.path);
		return -EINVAL;
	}
	backend->unit = noted->unit;
	backend->can_unmap = noted->can_unmap;
	backend->read_only = noted->read_only;
	return 0;
}

static int identify_disk(struct vm *vm, unsigned index)
{
	struct recording *recording = vm->recording;
	struct vm_disk *disk = &vm->disks[index];
	const struct block_backend *backend = vm_disk_backend(disk);
	struct record_disk found = {
		.sectors = backend->capacity,
		.block_size = backend->block_size,
		.unit = backend->unit,
		.read_only = backend->read_only,
		.can_unmap = backend->can_unmap,
	};
	uint64_t size;
	int ret = checksum_file(disk->disk.fd, &size, &found.checksum);

	if (ret < 0) {
		say("%s: %s", disk->disk.path, error_text(-ret));
		return ret;
	}
	if (recording->is_replay)
		return check_disk(disk, &recording->setup.disks[index], &found);
	recording->setup.disks[index] = found;
	return 0;
}

int recording_identify_disks(struct vm *vm)
{
	int ret = 0;

	if (!vm->recording || !(vm->options->record || vm->recording->is_replay))
		return 0;
	for (unsigned i = 0; ret == 0 && i < vm->disk_count; i++)
		ret = identify_disk(vm, i);
	if (!vm->recording->is_replay)
		vm->recording->setup.disk_count = vm->disk_count;
	return ret;
}
