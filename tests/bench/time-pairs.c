/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time-pairs COUNT A... -- B...: runs two commands in turn, COUNT times each, and times each from
 * before fork to after wait. Prints the median of the pairs' ratios, and in microseconds the
 * medians and the fastest runs:
 *
 *	median of B / A  A's median  B's median  A's fastest  B's fastest
 *
 * The two of a pair run within milliseconds of each other, in changing order, so that what else the
 * machine does falls on both. Standard output of the commands is dropped; each must exit with 0.
 */

#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 100000

extern char **environ;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Microseconds from start to end of a command. */
static double run(char **command, posix_spawn_file_actions_t *actions)
{
	double start = now(), end;
	int status, error;
	pid_t pid;

	error = posix_spawnp(&pid, command[0], actions, NULL, command, environ);
	if (error)
		errx(1, "%s: %s", command[0], strerror(error));
	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	end = now();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s: ended with 0x%x", command[0], (unsigned)status);
	return end - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void measure(char **a, char **b, size_t count)
{
	double *times_a = calloc(count, sizeof *times_a), *times_b = calloc(count, sizeof *times_b);
	double *ratios = calloc(count, sizeof *ratios);
	posix_spawn_file_actions_t actions;

	if (!times_a || !times_b || !ratios)
		err(1, "memory");
	if (posix_spawn_file_actions_init(&actions) ||
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0))
		errx(1, "posix_spawn_file_actions");
	/* Once each, so that both are in the page cache. */
	run(a, &actions);
	run(b, &actions);
	for (size_t i = 0; i < count; i++) {
		if (i % 2 == 0)
			times_a[i] = run(a, &actions);
		times_b[i] = run(b, &actions);
		if (i % 2 == 1)
			times_a[i] = run(a, &actions);
		ratios[i] = times_b[i] / times_a[i];
	}
	/* Sorts them as well. */
	printf("%.2f %.0f %.0f", median(ratios, count), median(times_a, count),
		median(times_b, count));
	printf(" %.0f %.0f\n", times_a[0], times_b[0]);
	posix_spawn_file_actions_destroy(&actions);
	free(times_a);
	free(times_b);
	free(ratios);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	char **b;

	for (b = argv + (argc > 1 ? 2 : argc); *b && strcmp(*b, "--") != 0; b++)
		;
	if (count < 1 || count > COUNT_MAX || !*b || !b[1] || b == argv + 2)
		errx(1, "usage: time-pairs COUNT A... -- B...");
	*b = NULL;
	measure(argv + 2, b + 1, count);
	return 0;
}
