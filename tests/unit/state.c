/* SPDX-License-Identifier: BSD-2-Clause */
/* The report on a machine's state: which lines it has for a guest that waits for this or that. Each
 * test begins with a machine of one CPU and one disk that is well, and spoils something. */
#include "see/state_text.h"

#include <stdio.h>
#include <string.h>

#include <vole/virtio_config.h>
#include <vole/virtio_mmio.h>
#include <vole/virtio_ring.h>

#include "../tap.h"

#define PIN 3

static struct state state;
static struct state_cpu cpus[64];
static struct text text;

/* The guest has halted until the disk, which has pin 3 and vector 0x40, interrupts it. */
static void begin(void)
{
	static const struct cpu_lapic lapic = {.present = true,
		.enabled = true,
		.svr = 0x1ff,
		.dfr = 0xffffffff,
		.lvt = {0x10000, 0x10000, 0x10000, 0x10000, 0x10000},
		.timer_left = CPU_TIMER_NEVER};
	struct virtq_view *queue = &state.devices[0].view.queues[0];

	memset(cpus, 0, sizeof cpus);
	state = (struct state){.cpu_count = 1, .cpus = cpus, .has_ioapic = true, .device_count = 1};
	for (unsigned i = 0; i < 64; i++)
		cpus[i] = (struct state_cpu){
			.is_known = true,
			.state = {.activity = CPU_HALTED, .interrupts_on = true, .lapic = lapic},
			.place = {"0x00101052 (wait+0x12)"},
		};
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		state.pins[i].pin.obstacle = IOAPIC_MASKED;
	state.pins[PIN] = (struct state_pin){.owner = "block", .pin = {.vector = 0x40}};
	state.devices[0] = (struct state_device){
		.pin = PIN,
		.view = {.name = "block",
			.status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
				  VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK,
			.accepted = UINT64_C(1) << VIRTIO_F_VERSION_1,
			.queue_count = 1},
	};
	*queue = (struct virtq_view){.exists = true,
		.ready = true,
		.size = 8,
		.available = 1,
		.taken = 1,
		.used = 1,
		.used_seen = 1};
}

/* Whether the report has all of these lines, which follow one another, and so many others. */
static bool reports(unsigned others, const char *const lines[])
{
	const char *at;
	unsigned count = 0;

	text_begin(&text);
	state_report(&state, &text);
	at = text_lines(&text);
	for (const char *c = at; *c; c++)
		count += *c == '\n';
	for (; *lines; lines++) {
		at = strstr(at, *lines);
		if (!at || strncmp(at + strlen(*lines), "\n", 1) != 0) {
			printf("# no line that ends like this: %s\n# in:\n%s", *lines, text.bytes);
			return false;
		}
		at += strlen(*lines);
		count--;
	}
	if (count != others)
		printf("# %u other lines in:\n%s", count, text.bytes);
	return count == others;
}

#define REPORTS(others, ...) reports(others, (const char *const[]){__VA_ARGS__, NULL})

#define CPU_LINE     "  CPU 0 halted, interrupts on, at 0x00101052 (wait+0x12)"
#define RUNNING_LINE "  CPU 0 running, interrupts on, at 0x00101052 (wait+0x12)"
#define DEVICE_LINE                                                                             \
	"  device 0, block: in use, features 0x100000000; queue 0 of 8: available 1, taken 1, " \
	"used 1"

static void set_vector(uint32_t bits[8], unsigned vector)
{
	bits[vector / 32] |= 1u << vector % 32;
}

static void test_cpus(void)
{
	begin();
	ok(REPORTS(0, CPU_LINE, DEVICE_LINE), "a machine that waits for its disk: nothing unusual");

	set_vector(cpus[0].state.lapic.isr, 0x40);
	set_vector(cpus[0].state.lapic.irr, 0x40);
	ok(REPORTS(1,
		   CPU_LINE "; vector 0x40 (pin 3, block) in service, without an EOI so far "
			    "(Intel SDM 3, 11.8.5); vector 0x40 (pin 3, block) pending behind it"),
		"an EOI is missing");

	begin();
	cpus[0].state.activity = CPU_HALTED_FOR_GOOD;
	cpus[0].state.interrupts_on = false;
	set_vector(cpus[0].state.lapic.irr, 0x40);
	ok(REPORTS(1, "  CPU 0 halted with interrupts off at 0x00101052 (wait+0x12); vector 0x40 "
		      "(pin 3, block) pending, but interrupts are off"),
		"interrupts are off");
	ok(state_is_dead(&state), "such a machine is dead");

	begin();
	cpus[0].state.activity = CPU_RUNNING;
	cpus[0].state.lapic.tpr = 0xf0;
	cpus[0].state.lapic.lvt[CPU_LVT_TIMER] = 0x50;
	set_vector(cpus[0].state.lapic.irr, 0x40);
	set_vector(cpus[0].state.lapic.irr, 0x50);
	ok(REPORTS(1,
		   "  CPU 0 running, interrupts on, at 0x00101052 (wait+0x12); vectors 0x50 (its "
		   "timer) and 0x40 (pin 3, block) pending, but the task priority (TPR) holds "
		   "it back (Intel SDM 3, 11.8.3)"),
		"the task priority is high");
}

static void test_unknown(void)
{
	begin();
	cpus[0] = (struct state_cpu){.is_known = false};
	ok(REPORTS(1, "  CPU 0 does not answer: it waits for a reader of what vole says or for a "
		      "disk, or the host's KVM does not leave it"),
		"a CPU that does not stop; nothing is said of a pin that may lead to it");
	ok(!state_is_dead(&state), "is not dead");

	begin();
	cpus[0].state.activity = CPU_RUNNING;
	cpus[0].state.in_callback = true;
	strcpy(cpus[0].callers, "called from main+0x1f");
	ok(REPORTS(1,
		   RUNNING_LINE ", called from main+0x1f; vole has not finished its last access"),
		"a CPU that is in a callback, and its callers");
}

static void test_many_cpus(void)
{
	begin();
	state.cpu_count = 4;
	for (unsigned i = 2; i < 4; i++)
		cpus[i].state.activity = CPU_NOT_STARTED;
	ok(REPORTS(1, CPU_LINE, "  CPU 1 halted, interrupts on, at 0x00101052 (wait+0x12)",
		   "  2 CPUs not started"),
		"CPUs that were not started have one line");
	state.cpu_count = 64;
	for (unsigned i = 0; i < 64; i++)
		cpus[i].state.activity = CPU_HALTED;
	ok(REPORTS(15, CPU_LINE, "  and 48 more CPUs", DEVICE_LINE),
		"of many CPUs the first ones have a line each");
	memset(cpus[0].state.lapic.isr, 0xff, sizeof cpus[0].state.lapic.isr);
	ok(strlen(text_lines(&text)) < TEXT_MAX && REPORTS(16, "  and 48 more CPUs", DEVICE_LINE),
		"all vectors in service: a line as any");
}

static void test_lapics(void)
{
	begin();
	cpus[0].state.lapic.svr = 0xff;
	ok(REPORTS(1, CPU_LINE,
		   "  nothing can interrupt it: no local APIC's timer runs, and no pin of the "
		   "IOAPIC reaches a CPU",
		   "  CPU 0: its local APIC is off (spurious-interrupt vector register, bit 8; "
		   "Intel "
		   "SDM 3, 11.9), so no interrupt arrives"),
		"the local APIC is off");
	state.pins[PIN].pin.obstacle = IOAPIC_MASKED;
	cpus[0].state.activity = CPU_RUNNING;
	ok(REPORTS(0, RUNNING_LINE, DEVICE_LINE),
		"a kernel that polls and uses no local APIC is not told of it");

	begin();
	state.pins[PIN].pin.obstacle = IOAPIC_MASKED;
	cpus[0].state.lapic.timer_left = 1000;
	ok(REPORTS(0, CPU_LINE, DEVICE_LINE), "a timer that runs is something to wait for");
}

static void test_timers(void)
{
	struct cpu_lapic *lapic = &cpus[0].state.lapic;

	begin();
	state.pins[PIN].pin.obstacle = IOAPIC_MASKED;
	lapic->timer_initial = 1000;
	lapic->lvt[CPU_LVT_TIMER] = 0x40;
	ok(REPORTS(3, "  CPU 0: its timer has counted down once, and is not periodic (LVT timer "
		      "register, bit 17; Intel SDM 3, 11.5.4)"),
		"a one-shot timer is over");
	lapic->lvt[CPU_LVT_TIMER] = 0x10040;
	ok(REPORTS(3, "  CPU 0: its timer was started, but is masked (LVT timer register, bit 16; "
		      "Intel SDM 3, 11.5.1)"),
		"a timer is masked");
	lapic->svr = 0xff;
	ok(REPORTS(3, "  CPU 0: its local APIC is off (spurious-interrupt vector register, bit 8; "
		      "Intel SDM 3, 11.9), so no interrupt arrives"),
		"where the local APIC is off, that is told instead");
}

static void test_pins(void)
{
	struct ioapic_pin *pin = &state.pins[PIN].pin;

	begin();
	cpus[0].state.activity = CPU_RUNNING;
	pin->obstacle = IOAPIC_MASKED;
	pin->lost = 1;
	ok(REPORTS(2, "  pin 3 (block) is masked; 1 edge was lost"), "a pin is masked");
	state.devices[0].view.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
	ok(REPORTS(1, RUNNING_LINE), "... which is not said of a device that has failed");
	state.devices[0].view.status &= (uint8_t)~VIRTIO_STATUS_DEVICE_NEEDS_RESET;
	pin->obstacle = IOAPIC_VECTOR;
	pin->vector = 5;
	pin->lost = 2;
	ok(REPORTS(2,
		   "  pin 3 (block) has vector 0x05, below 0x10: local APICs refuse it (Intel SDM "
		   "3, 11.5.2); 2 edges were lost"),
		"a vector is too low");
	pin->obstacle = IOAPIC_DELIVERY;
	pin->delivery = IOAPIC_EXTINT;
	pin->lost = 0;
	ok(REPORTS(2, "  pin 3 (block) has delivery mode 7 (ExtINT), which this machine does not "
		      "deliver"),
		"a delivery mode that does nothing");

	begin();
	pin->destination = 5;
	ok(REPORTS(3,
		   "  pin 3 (block) interrupts local APIC 5 (physical destination), which no CPU "
		   "has"),
		"a destination that does not exist");
	state.cpu_count = 2;
	pin->destination = 1;
	cpus[1].state.lapic.id = 1;
	cpus[1].state.activity = CPU_NOT_STARTED;
	ok(REPORTS(3, "  pin 3 (block) interrupts a CPU that has not been started"),
		"a destination that does not run");

	begin();
	pin->is_logical = true;
	pin->destination = 1;
	ok(REPORTS(3, "  pin 3 (block) interrupts local APIC 1 (logical destination), which no CPU "
		      "has"),
		"a logical destination, but no LDR");
	cpus[0].state.lapic.ldr = 0x01000000;
	ok(REPORTS(0, CPU_LINE, DEVICE_LINE), "a logical destination");

	begin();
	pin->lost = 1;
	pin->level_asked = true;
	ok(REPORTS(0, CPU_LINE, DEVICE_LINE),
		"what was lost once and what was asked for is no news");
	state.devices[0].view.interrupt_status = VIRTIO_MMIO_INT_VRING;
	ok(REPORTS(2,
		   "  pin 3 (block) lost 1 edge before it was unmasked: a driver that unmasks late "
		   "looks at its device once",
		   "  pin 3 (block) is programmed level-triggered, but all pins are "
		   "edge-triggered: "
		   "each notification interrupts once",
		   "  device 0, block: nobody has acknowledged its interrupt: InterruptStatus is "
		   "0x1 "
		   "(virtio 4.2.3.4.1)"),
		"but is if the device waits for an acknowledgement");
}

static void test_phases(void)
{
	struct virtio_view *view = &state.devices[0].view;

	begin();
	view->status = 0x0b;
	ok(REPORTS(1,
		   "  device 0, block: Status 0x0b (ACKNOWLEDGE, DRIVER, FEATURES_OK): DRIVER_OK "
		   "is missing, so its queues are not served (virtio 3.1.1)"),
		"DRIVER_OK is missing");
	view->status = 0x03;
	ok(REPORTS(1,
		   "  device 0, block: Status 0x03 (ACKNOWLEDGE, DRIVER): FEATURES_OK is missing, "
		   "so that no queue can be set up (virtio 3.1.1)"),
		"FEATURES_OK is missing");
	view->status = 0x4f;
	ok(REPORTS(1,
		   "  device 0, block: Status 0x4f (ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK, "
		   "DEVICE_NEEDS_RESET): it has failed, as it has said, and waits for a reset "
		   "(virtio 2.1.2)"),
		"it has failed");
	*view = (struct virtio_view){.name = "block", .is_busy = true};
	ok(REPORTS(1, "  device 0, block: at a request that the host has not finished"),
		"the host does not come back");
	begin();
	view->at_host = true;
	ok(REPORTS(2, "  device 0, block: at a request that the host has not finished"),
		"the host does not come back to a thread that holds no lock");
	*view = (struct virtio_view){.name = "block"};
	ok(REPORTS(1, "  device 0 (block): no driver, Status is 0"), "nobody has touched it");
}

static void test_queues(void)
{
	struct virtio_view *view = &state.devices[0].view;
	struct virtq_view *queue = &view->queues[0];

	begin();
	queue->available = 2;
	queue->waiting = 1;
	queue->unnoticed = true;
	ok(REPORTS(2,
		   "  device 0, block, queue 0: 1 chain is available and was not notified (virtio "
		   "2.7.13.4.1)"),
		"a kick is missing");
	view->served_lately = true;
	ok(reports(2, (const char *const[]){NULL}), "the kick may be on its way");
	cpus[0].state.activity = CPU_HALTED_FOR_GOOD;
	ok(REPORTS(2,
		   "  device 0, block, queue 0: 1 chain is available and was not notified (virtio "
		   "2.7.13.4.1)"),
		"no CPU is left for it");
	cpus[0].state.activity = CPU_HALTED;
	view->served_lately = false;
	queue->packed = true;
	queue->waiting = 2;
	ok(REPORTS(2, "  device 0, block, queue 0: 2 chains are available and were not notified "
		      "(virtio 2.8.21.3.1)"),
		"a kick is missing, packed");

	begin();
	queue->available = queue->taken = queue->used = 0;
	queue->available_at = 0x103300;
	queue->used_at = 0x103400;
	ok(REPORTS(2,
		   "  device 0, block, queue 0: nothing was ever made available: the available "
		   "ring's index at 0x00103300 is 0 (virtio 2.7.13)",
		   "  device 0, block, queue 0: the used ring's index at 0x00103400 is 1, but the "
		   "device has stored 0: are QueueDriver and QueueDevice exchanged (virtio "
		   "4.2.2)?"),
		"the rings are exchanged");
	begin();
	queue->ready = false;
	ok(REPORTS(1, "  device 0, block: in use, features 0x100000000; no queue is ready"),
		"no queue is ready");

	begin();
	view->taken_away = true;
	ok(REPORTS(2, "  device 0, block: the acknowledgement took away a notification that came "
		      "after "
		      "InterruptStatus was read: look at the queue after acknowledging"),
		"a notification was taken away");
}

static void test_unheard(void)
{
	struct virtio_view *view = &state.devices[0].view;
	struct virtq_view *queue = &view->queues[0];
	static const char flags[] = "  device 0, block, queue 0: the last chain was given back "
				    "without an interrupt: the available ring's flags are 1 "
				    "(virtio 2.7.7)";

	begin();
	queue->all_used = queue->unheard = true;
	queue->suppression = 1;
	ok(REPORTS(1, CPU_LINE, flags), "a driver that asks for no interrupt sleeps");
	view->queue_count = 2;
	view->queues[1] = (struct virtq_view){.exists = true, .ready = true, .size = 8};
	ok(reports(2, (const char *const[]){NULL}), "it may wait for what another queue brings");
	view->queue_count = 1;
	cpus[0].state.activity = CPU_RUNNING;
	ok(REPORTS(0, RUNNING_LINE, DEVICE_LINE), "one that runs may look without interrupts");
	cpus[0].state.activity = CPU_HALTED;
	view->interrupt_status = VIRTIO_MMIO_INT_VRING;
	ok(REPORTS(1, CPU_LINE,
		   "  device 0, block: nobody has acknowledged its interrupt: InterruptStatus is "
		   "0x1 (virtio 4.2.3.4.1)"),
		"another interrupt is on its way");
	view->interrupt_status = 0;

	queue->event_idx = true;
	queue->suppression = 7;
	ok(REPORTS(1, CPU_LINE,
		   "  device 0, block, queue 0: the last chain was given back without an "
		   "interrupt: used_event is 7 (virtio 2.7.7)"),
		"... with EVENT_IDX");
	queue->packed = true;
	queue->suppression = VIRTQ_EVENT_DISABLE << 16;
	ok(REPORTS(2, "  device 0, block, queue 0: the last chain was given back without an "
		      "interrupt: the driver has disabled them (virtio 2.8.10)"),
		"... packed");
	queue->suppression = VIRTQ_EVENT_DESC << 16 | VIRTQ_EVENT_WRAP | 3;
	ok(REPORTS(2, "  device 0, block, queue 0: the last chain was given back without an "
		      "interrupt: the driver asked for descriptor 3, wrap counter 1 (virtio "
		      "2.8.10)"),
		"... packed, with EVENT_IDX");
}

/* The most there can be. */
static void test_bounds(void)
{
	begin();
	state.cpu_count = 64;
	state.device_count = DEVICE_COUNT;
	for (unsigned i = 0; i < 64; i++) {
		memset(cpus[i].state.lapic.isr, 0xff, sizeof cpus[i].state.lapic.isr);
		memset(cpus[i].state.lapic.irr, 0xff, sizeof cpus[i].state.lapic.irr);
		memset(cpus[i].place.text, 'x', sizeof cpus[i].place.text - 1);
	}
	for (unsigned i = 0; i < DEVICE_COUNT; i++) {
		state.devices[i] = state.devices[0];
		state.devices[i].pin = i + 1;
		state.devices[i].view.queue_count = VIRTIO_QUEUES_MAX;
		state.devices[i].view.interrupt_status = 3;
		for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
			state.devices[i].view.queues[queue] = state.devices[0].view.queues[0];
			state.devices[i].view.queues[queue].unnoticed = true;
			state.devices[i].view.queues[queue].used_seen = 7;
		}
		state.pins[i + 1] = state.pins[PIN];
		state.pins[i + 1].pin.lost = UINT32_MAX;
	}
	text_begin(&text);
	state_report(&state, &text);
	ok(strlen(text_lines(&text)) < TEXT_MAX && text.bytes[strlen(text.bytes) - 1] == '\n',
		"the worst machine's report is bounded, and of whole lines");
}

static void test_dead(void)
{
	struct ioapic_pin *pin = &state.pins[PIN].pin;

	begin();
	ok(!state_is_dead(&state), "a machine that waits for an interrupt is not dead");
	state.cpu_count = 2;
	cpus[0].state.activity = CPU_HALTED_FOR_GOOD;
	ok(!state_is_dead(&state), "nor one whose other CPU does");
	cpus[1].state.activity = CPU_NOT_STARTED;
	ok(state_is_dead(&state), "CPUs that were not started do not matter");
	pin->delivery = IOAPIC_NMI;
	ok(!state_is_dead(&state), "an NMI may come from a pin");
	pin->obstacle = IOAPIC_MASKED;
	ok(state_is_dead(&state), "but not if it is masked");
	cpus[0].state.nmi_pending = true;
	ok(!state_is_dead(&state), "an NMI is pending");
	cpus[0].state.nmi_masked = true;
	ok(state_is_dead(&state), "which another one's handler keeps away");
}

int main(void)
{
	test_cpus();
	test_unknown();
	test_many_cpus();
	test_lapics();
	test_timers();
	test_pins();
	test_phases();
	test_queues();
	test_unheard();
	test_bounds();
	test_dead();
	return tap_done();
}
