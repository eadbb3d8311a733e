/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/refuse.h"
#include "exit_status.h"
#include "io/file.h"
#include "log.h"
#include "suggest.h"

/* In the order in which they are asked whether they know an image. */
static const struct boot_protocol *const protocols[] = {
	&boot_linux,
	&boot_pvh,
	&boot_multiboot,
	&boot_vole,
	&boot_flat,
	&boot_firmware,
};

#define PROTOCOL_NAMES "auto, vole, linux, multiboot, flat or firmware"
#define PROTOCOL_COUNT (sizeof protocols / sizeof *protocols)

/* Opens an image and reads its beginning. 0 or -errno; file->fd is -1 or the caller's to close. */
static int read_head(struct boot_file *file, const char *path)
{
	const size_t tail_len = sizeof file->tail;
	ssize_t len, tail = 0;
	struct stat st;

	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	*file = (struct boot_file){
		.path = path,
		.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
	};
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return -errno;
	len = file_read_some(file->fd, file->head, sizeof file->head, 0);
	if (len >= (ssize_t)tail_len)
		tail = file_read_some(
			file->fd, file->tail, tail_len, (uint64_t)st.st_size - tail_len);
	if (len < 0 || tail < 0)
		return (int)(len < 0 ? len : tail);
	file->head_len = (size_t)len;
	file->size = (uint64_t)st.st_size;
	return 0;
}

/* No protocol recognises the image. */
static void refuse(const struct boot_file *file)
{
	static const char nothing[] = "not an ELF file, and nothing else that vole recognises "
				      "(raw code needs --boot flat)";
	uint8_t *head = malloc(REFUSAL_HEAD);
	uint64_t size = file->size < REFUSAL_HEAD ? file->size : REFUSAL_HEAD;
	const struct refusal *refusal = NULL;
	bool is_read = head && file_read_some(file->fd, head, size, 0) == (ssize_t)size;

	if (is_read)
		refusal = refusal_find(head, file->size);
	if (refusal)
		say("%s: %s, which vole does not run: %s", file->path, refusal->what,
			refusal->advice);
	else
		say("%s: %s", file->path, nothing);
	free(head);
}

/* The first protocol of this name. */
static const struct boot_protocol *named(const char *name)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (strcmp(name, protocols[i]->name) == 0)
			return protocols[i];
	say("--boot %s: not " PROTOCOL_NAMES "%s", name, suggestion(name, PROTOCOL_NAMES));
	return NULL;
}

/* Returns what the image is to a protocol, or NULL if it is nothing. If the image names a protocol
 * by itself (claimed), it is nothing to the others. */
static const char *is_for(const struct boot_file *file, const struct boot_protocol *protocol,
	const struct boot_protocol *claimed)
{
	if (!protocol->recognise || (claimed && protocol != claimed))
		return NULL;
	return protocol->recognise(file);
}

/* The protocol that the image itself names, NULL if it names none. */
static const struct boot_protocol *find_claim(const struct boot_file *file)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (protocols[i]->claims && protocols[i]->claims(file))
			return protocols[i];
	return NULL;
}

/* The first protocol that recognises the image: any, or of those with the name of first. NULL if
 * none does. */
static const struct boot_protocol *match(const struct boot_file *file,
	const struct options *options, bool is_auto, const struct boot_protocol *first)
{
	const struct boot_protocol *claimed = is_auto ? find_claim(file) : NULL;

	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		const struct boot_protocol *protocol = protocols[i];
		const char *what = NULL;

		if (is_auto || strcmp(protocol->name, first->name) == 0)
			what = is_for(file, protocol, claimed);
		if (!what)
			continue;
		if (options->verbose)
			say("%s: %s, --boot %s", options->kernel, what, protocol->name);
		return protocol;
	}
	return NULL;
}

/*
 * The protocol that recognises the image: any, or of those with one name. What cannot be read goes
 * to first, who says why; so does what nobody of this name recognises. Else NULL (said).
 */
static const struct boot_protocol *recognise(
	const struct options *options, bool is_auto, const struct boot_protocol *first)
{
	const struct boot_protocol *protocol = first;
	struct boot_file file;

	if (read_head(&file, options->kernel) == 0 && file.head_len > 0) {
		protocol = match(&file, options, is_auto, first);
		if (!protocol && !is_auto)
			protocol = first;
		else if (!protocol)
			refuse(&file);
	}
	file_close(&file.fd);
	return protocol;
}

/* Is there something that this protocol has no way to hand to a guest? */
static int check_options(const struct boot_protocol *protocol, const struct options *options)
{
	const struct {
		unsigned takes;
		bool given;
		const char *what;
	} asked[] = {
		{BOOT_TAKES_CPUS, options->cpu_count > 1, "--cpus: it has one CPU"},
		{BOOT_TAKES_CMDLINE, *options->cmdline, "command line of the guest"},
		{BOOT_TAKES_MODULES, options->module_count > 0, "--module"},
		{BOOT_TAKES_LOAD, options->has_load, "--load"},
		{BOOT_TAKES_INITRD, options->initrd, "--initrd"},
	};

	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (!asked[i].given || protocol->takes & asked[i].takes)
			continue;
		say("%s: --boot %s takes no %s", options->kernel, protocol->name, asked[i].what);
		return -EINVAL;
	}
	return 0;
}

static unsigned number_of(const struct boot_protocol *protocol)
{
	unsigned number = 0;

	while (protocols[number] != protocol)
		number++;
	return number;
}

const struct boot_protocol *boot_protocol_find(unsigned number)
{
	return number < PROTOCOL_COUNT ? protocols[number] : NULL;
}

int boot_open(struct boot **boot, const struct options *options)
{
	bool is_auto = strcmp(options->boot, "auto") == 0;
	const struct boot_protocol *protocol = is_auto ? &boot_vole : named(options->boot);
	int ret;

	*boot = NULL;
	if (!protocol)
		return EXIT_STATUS_VOLE;
	protocol = recognise(options, is_auto, protocol);
	if (!protocol)
		return EXIT_STATUS_KERNEL;
	if (check_options(protocol, options) < 0)
		return EXIT_STATUS_VOLE;
	ret = protocol->open(boot, options);
	if (*boot) {
		(*boot)->protocol = protocol;
		(*boot)->protocol_number = number_of(protocol);
		(*boot)->options = options;
	}
	return ret;
}

void boot_close_files(struct boot *boot)
{
	boot->protocol->close_files(boot);
}

void boot_free(struct boot *boot)
{
	if (boot)
		boot->protocol->free(boot);
}
