/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has interrupts off for two and a half seconds on the CPU to which the disk's come, while another
 * one sleeps and would take them. Exit status 0, 1 if the disk cannot be had. Needs a disk and two
 * CPUs.
 */

#include "block.h"
#include "check.h"
#include "cpu.h"
#include "timer.h"
#include "x86.h"

#define DEAF_US 2500000

static struct block disk;
static struct block_request request;
static uint8_t sector[VIRTIO_BLK_SECTOR_SIZE];

static void sleep_on(void *ctx)
{
	(void)ctx;
	for (;;)
		__asm__ volatile("sti; hlt");
}

int main(const struct start_info *info)
{
	uint32_t eflags;

	if (block_init(&disk, find_device(info, VIRTIO_ID_BLOCK)))
		return 1;
	check(cpu_run(1, sleep_on, NULL) == 0, "another CPU sleeps");
	eflags = interrupts_off();
	check(block_submit(&disk, &request, VIRTIO_BLK_T_IN, 0, sector, sizeof sector) == 0,
		"a read is submitted");
	block_kick(&disk);
	timer_delay(DEAF_US);
	interrupts_restore(eflags);
	check(block_wait(&request) == 0, "it is done");
	return check_done();
}
